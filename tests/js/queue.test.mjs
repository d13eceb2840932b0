import assert from "node:assert/strict";
import test from "node:test";

import { PlayQueue } from "../../rtwidgets/widgets/static/voice/queue.js";

const ones = (n) => new Float32Array(n).fill(1);
const pull = (queue, n) => {
  const out = new Float32Array(n).fill(9);
  queue.pull(out);
  return [...out];
};

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

test("in a conversation of an hour the oldest items are let go, and the last one is not", () => {
  const queue = new PlayQueue(1);
  for (let i = 0; i < 500; i++) {
    queue.push(`item ${i}`, ones(3));
    queue.end(`item ${i}`);
    pull(queue, 4);
  }
  const heard = Object.entries(queue.report().heard);
  assert.ok(heard.length <= 64 && queue.ended.size <= 64);
  assert.deepEqual(heard.at(-1), ["item 499", 3]);
});
