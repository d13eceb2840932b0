import assert from "node:assert/strict";
import test from "node:test";

import { Chunker } from "../../rtwidgets/widgets/static/voice/chunker.js";
import { pcmOf } from "../../rtwidgets/widgets/static/voice/pcm.js";
import { Resampler } from "../../rtwidgets/widgets/static/voice/resampler.js";

function chunker(rate = 24000) {
  const posts = [];
  const post = (message) => posts.push(message);
  const made = new Chunker({ rate, chunk: 960, meter: 0.08 }, new Resampler(rate, 24000), pcmOf, post);
  return { made, posts };
}

const ramp = (n, from = 0) => Float32Array.from({ length: n }, (_, i) => ((from + i) % 30000) / 32767);

function hear(made, samples) {
  for (let i = 0; i < samples.length; i += 128) made.hear([samples.slice(i, i + 128)]);
}

test("chunks of 40 ms are numbered, and together they are what was heard, to the last sample", () => {
  const { made, posts } = chunker();
  made.open("one");
  hear(made, ramp(2500));
  made.close();
  const chunks = posts.filter(({ pcm }) => pcm);
  assert.deepEqual(
    chunks.map(({ take, n, pcm }) => [take, n, pcm.byteLength]),
    [
      ["one", 0, 1920],
      ["one", 1, 1920],
      ["one", 2, 1160],
    ],
  );
  const heard = chunks.flatMap(({ pcm }) => [...new Int16Array(pcm)]);
  assert.deepEqual(heard, [...Array(2500).keys()]);
  assert.deepEqual(posts.at(-1), { over: "one", count: 3 });
});

test("nothing is recorded outside a take, and each take counts from 0", () => {
  const { made, posts } = chunker();
  hear(made, ramp(5000));
  made.close();
  assert.ok(posts.every(({ level }) => level !== undefined));
  for (const take of ["one", "two"]) {
    made.open(take);
    hear(made, ramp(960));
    made.close();
  }
  const chunks = posts.filter(({ pcm }) => pcm);
  assert.deepEqual(
    chunks.map(({ take, n }) => [take, n]),
    [
      ["one", 0],
      ["two", 0],
    ],
  );
});

test("a take that is opened ends the one before", () => {
  const { made, posts } = chunker();
  made.open("one");
  made.open("two");
  assert.deepEqual(posts, [{ over: "one", count: 0 }]);
});

test("at 48 kHz a second is 25 chunks all the same", () => {
  const { made, posts } = chunker(48000);
  made.open("one");
  hear(made, ramp(48000));
  made.close();
  assert.deepEqual(posts.at(-1), { over: "one", count: 25 });
});

test("the level is told whether anything is recorded or not; channels are mixed", () => {
  const { made, posts } = chunker();
  for (let i = 0; i < 15; i++) made.hear([new Float32Array(128).fill(0.5), new Float32Array(128).fill(0.1)]);
  assert.ok(Math.abs(posts[0].level - 0.3) < 1e-6);
  made.hear([]); // a source that has nothing yet
});

test("it works from its source alone, as the worklet has it", () => {
  const Copy = new Function("Resampler", "pcmOf", `return ${Chunker.toString()}`)(Resampler, pcmOf);
  const posts = [];
  const made = new Copy({ rate: 24000, chunk: 960, meter: 1 }, new Resampler(24000, 24000), pcmOf, (one) => posts.push(one));
  made.open("one");
  made.hear([ramp(960)]);
  assert.equal(posts[0].n, 0);
});
