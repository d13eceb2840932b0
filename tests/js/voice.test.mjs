import assert from "node:assert/strict";
import test from "node:test";

import {
  PlayQueue,
  Resampler,
  ScheduledPlayer,
  Speaker,
  news,
  samplesOf,
} from "../../rtwidgets/widgets/static/voice.js";

const ones = (n) => new Float32Array(n).fill(1);
const pull = (queue, n) => {
  const out = new Float32Array(n).fill(9);
  queue.pull(out);
  return [...out];
};

test("PCM16 is little endian, and a view may begin anywhere in its buffer", () => {
  const bytes = new Uint8Array([99, 0x00, 0x80, 0xff, 0x7f, 0x00, 0x00]);
  assert.deepEqual(
    [...samplesOf(new DataView(bytes.buffer, 1))],
    [-1, Math.fround(32767 / 32768), 0],
  );
});

test("nothing plays before the prebuffer is full, then everything does", () => {
  const queue = new PlayQueue(4);
  queue.push("a", ones(3));
  assert.deepEqual(pull(queue, 2), [0, 0]);
  queue.push("a", ones(3));
  assert.deepEqual(pull(queue, 4), [1, 1, 1, 1]);
  assert.deepEqual(pull(queue, 4), [1, 1, 0, 0]);
  assert.deepEqual(queue.heard, { a: 6 });
});

test("a short item plays when its end is known", () => {
  const queue = new PlayQueue(100);
  queue.push("a", ones(2));
  queue.end("a");
  assert.deepEqual(pull(queue, 3), [1, 1, 0]);
});

test("an underrun is a gap inside an item, not the silence after one", () => {
  const queue = new PlayQueue(1);
  queue.push("a", ones(2));
  pull(queue, 4);
  assert.equal(queue.counts.underruns, 0);
  queue.push("a", ones(2));
  assert.equal(queue.counts.underruns, 1);
  pull(queue, 4);
  queue.end("a");
  queue.push("b", ones(2));
  assert.equal(queue.counts.underruns, 1);
});

test("a flush silences at once and keeps the count of what was heard", () => {
  const queue = new PlayQueue(1);
  queue.push("a", ones(10));
  pull(queue, 4);
  queue.flush();
  assert.deepEqual(pull(queue, 4), [0, 0, 0, 0]);
  const { heard, played, nonzero, playing, waiting } = queue.report();
  assert.deepEqual(
    { heard, played, nonzero, playing, waiting },
    { heard: { a: 4 }, played: 4, nonzero: 4, playing: false, waiting: 0 },
  );
});

test("what was heard is told apart by item, and silence is not counted as sound", () => {
  const queue = new PlayQueue(1);
  queue.push("a", new Float32Array([0, 0.5]));
  queue.push("b", ones(3));
  pull(queue, 4);
  assert.deepEqual([queue.heard, queue.counts.nonzero], [{ a: 2, b: 2 }, 3]);
  assert.equal(queue.report().item, "b");
});

test("a thousand pieces are played whole, and the queue forgets them", () => {
  const queue = new PlayQueue(1);
  for (let i = 0; i < 1000; i++) queue.push("a", ones(7));
  for (let i = 0; i < 60; i++) pull(queue, 128);
  assert.equal(queue.counts.played, 7000);
  assert.ok(queue.chunks.length < 100);
});

test("the queue works from its source alone, as the worklet has it", () => {
  const Copy = new Function(`return ${PlayQueue.toString()}`)();
  const queue = new Copy(1);
  queue.push("a", ones(2));
  assert.deepEqual(pull(queue, 3), [1, 1, 0]);
});

test("resampling keeps the length, a straight line stays straight over the seams", () => {
  const resampler = new Resampler(24000, 48000);
  const line = Float32Array.from({ length: 100 }, (_, i) => i);
  const out = [...resampler.take(line.slice(0, 33)), ...resampler.take(line.slice(33))];
  assert.equal(out.length, 200);
  const steps = out.slice(3).map((value, i) => value - out[i + 2]);
  assert.ok(
    steps.every((step) => Math.abs(step - 0.5) < 1e-6),
    steps.join(),
  );
});

test("the same rate is passed through", () => {
  const samples = ones(3);
  assert.equal(new Resampler(24000, 24000).take(samples), samples);
});

test("the kernel is told of a start, now and then on the way, and of the end once", () => {
  const told = new Map();
  const ended = new Set();
  const tell = (samples, item, now) =>
    news({ heard: { a: samples }, item }, told, now, ended).map(({ samples, done }) => [
      samples,
      done,
    ]);
  assert.deepEqual(tell(100, "a", 0), [[100, false]]);
  assert.deepEqual(tell(200, "a", 500), []);
  assert.deepEqual(tell(300, "a", 1000), [[300, false]]);
  assert.deepEqual(tell(400, "", 1100), []);
  ended.add("a");
  assert.deepEqual(tell(400, "", 1200), [[400, true]]);
  assert.deepEqual(tell(400, "", 9000), []);
});

/** What ScheduledPlayer needs of an AudioContext, with a clock that is moved by hand. */
class FakeContext {
  currentTime = 0;
  sampleRate = 1000;
  sources = [];
  createBuffer = (_, length, rate) => ({ duration: length / rate, copyToChannel() {} });
  createBufferSource = () => {
    const source = {
      connect() {},
      start: (at) => (source.at = at),
      stop: () => (source.stopped = true),
    };
    this.sources.push(source);
    return source;
  };
}

test("without a worklet buffers follow one another, and are counted by the clock", () => {
  const context = new FakeContext();
  const reports = [];
  const player = new ScheduledPlayer(context, null, (report) => reports.push(report));
  player.push("a", ones(100));
  player.push("a", ones(100));
  assert.deepEqual(
    context.sources.map(({ at }) => Math.round(at * 1000)),
    [150, 250],
  );
  context.currentTime = 0.3;
  player.tick();
  assert.deepEqual(
    [reports[0].heard, reports[0].playing, reports[0].nonzero],
    [{ a: 150 }, true, 150],
  );
  player.flush(7);
  assert.deepEqual(
    [reports[1].flushed, reports[1].heard, reports[1].playing],
    [7, { a: 150 }, false],
  );
  assert.ok(context.sources.every(({ stopped }) => stopped));
  player.close();
});

test("of two pages one plays, and the other says nothing to the kernel", () => {
  const sent = [];
  const page = new Speaker({ send: (message) => sent.push(message.t) }, "one");
  page.enqueue = (work) => page.queue.push(work);
  const audio = () => page.take({ t: "audio", item_id: "a" }, [new DataView(new ArrayBuffer(4))]);
  audio(); // meant for a page that was there before
  assert.deepEqual([page.queue.length, page.elsewhere], [0, false]);
  page.take({ t: "welcome", page: "one" });
  audio();
  assert.deepEqual([page.queue.length, page.here], [1, true]);
  page.take({ t: "welcome", page: "another" });
  audio();
  page.take({ t: "flush", id: 1 });
  assert.deepEqual([page.queue.length, page.elsewhere, sent], [0, true, []]);
  page.ask();
  page.take({ t: "welcome", page: "one" });
  page.take({ t: "flush", id: 2 });
  assert.deepEqual(sent, ["hello", "flushed"]);
});
