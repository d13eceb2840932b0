import assert from "node:assert/strict";
import test from "node:test";

import {
  Store,
  View,
  all,
  clock,
  describe,
  stacked,
  ticks,
} from "../../rtwidgets/widgets/static/timeline/state.js";

// [number, lane, kind, start, end, audio ms, heard ms, arrived, open, aside, words]
const span = (number, lane, start, end, more = {}) => {
  const { kind = "audio", ms = 0, heard = -1, arrived = -1, open = 0, aside = 0, words = "" } = more;
  return [number, lane, kind, start, end, ms, heard, arrived, open, aside, words];
};
const news = (more) => ({ t: "news", line: 0, now: 0, ...more });
const [USER, GENERATED, HEARD, , TOOLS] = [0, 1, 2, 3, 4];

const filled = () => {
  const store = new Store();
  store.take(
    news({
      now: 12,
      spans: [
        span(0, USER, 1, 2, { kind: "spoken", ms: 1000, words: "Who are you?" }),
        span(1, GENERATED, 3, 7, { ms: 4000, heard: 1000, arrived: 3.5, words: "I am" }),
        span(2, TOOLS, 10, 10, { kind: "call", open: 1, words: "weather()" }),
      ],
      marks: [
        0,
        [
          [0, 1, "session.created", "sess", 1],
          [5, 1, "rate_limits.updated", "", 0],
          [6, 1, "error", "No.", 2],
        ],
      ],
      cuts: [[4, 4.2, "barge-in, 1.0 s of 4.0 s heard"]],
    }),
  );
  return store;
};

test("a moment is told in seconds, and in minutes where there are any", () => {
  assert.deepEqual([0, 9.96, 62, 3600].map((one) => clock(one)), [
    "0.0 s",
    "10.0 s",
    "1:02.0",
    "60:00.0",
  ]);
  assert.deepEqual([clock(61, 0), clock(3.456, 2)], ["1:01", "3.46 s"]);
  assert.deepEqual([-3.24, -65, 59.96].map((one) => clock(one)), ["−3.2 s", "−1:05.0", "1:00.0"]);
});

test("an axis has round steps", () => {
  assert.deepEqual(ticks(0, 5, 5).found, [0, 1, 2, 3, 4, 5]);
  assert.equal(ticks(0, 0.9, 5).step, 0.2);
  assert.equal(ticks(0, 300, 10).step, 30);
  assert.deepEqual(ticks(95, 125, 2).found, [105, 120]);
  assert.ok(ticks(3, 3, 5).found.length < 100);
});

test("what is said twice does no harm, and what changed is changed", () => {
  const store = filled();
  store.take(news({ now: 13, spans: [span(1, GENERATED, 3, 8, { ms: 5000 })] }));
  assert.equal(store.spans.size, 3);
  assert.equal(store.lanes.get("generated").length, 1);
  assert.equal(store.spans.get(1).end, 8);
  assert.equal(store.end, 13);
});

test("marks that are missing are noticed", () => {
  const store = filled();
  assert.equal(store.take(news({ marks: [5, [[7, 0, "x", "", 0]]] })), false);
  assert.equal(store.marks.length, 3);
  assert.equal(store.take(news({ marks: [2, [[7, 0, "x", "", 0]]] })), true);
  assert.equal(store.marks[2].type, "x");
});

test("another timeline begins anew", () => {
  const store = filled();
  store.take({ ...news({ unit: "events" }), line: 1 });
  assert.deepEqual([store.spans.size, store.marks.length, store.end, store.unit], [
    0,
    0,
    0,
    "events",
  ]);
});

test("a waveform grows, and its last peak may change", () => {
  const store = filled();
  store.take(news({ peaks: [[1, 0, 3]] }), new Uint8Array([10, 20, 30]));
  store.take(news({ peaks: [[1, 2, 198]] }), new Uint8Array(198).fill(99));
  const whole = store.spans.get(1);
  assert.equal(whole.count, 200);
  assert.equal(store.loudness(whole, 3, 3.02), 10);
  assert.equal(store.loudness(whole, 3, 3.04), 20);
  assert.equal(store.loudness(whole, 3.04, 7), 99);
  store.take(news({ peaks: [[1, 500, 1], [0, 0, 1]] }), new Uint8Array([7, 8]));
  assert.equal(whole.count, 200, "a piece behind a gap is left out");
  assert.equal(store.loudness(store.spans.get(0), 1, 2), 8);
  assert.equal(store.loudness(store.spans.get(2), 10, 11), -1);
});

test("what goes on, goes on until now, and what was cut has a heard part", () => {
  const store = filled();
  assert.equal(store.endOf(store.spans.get(2)), 12);
  assert.equal(store.endOf(store.spans.get(1)), 7);
  assert.equal(store.heardEnd(store.spans.get(1)), 4);
  assert.equal(store.heardEnd(store.spans.get(0)), 2);
});

test("spans that overlap lie in rows; what nobody heard holds none", () => {
  const store = new Store();
  const overlapping = (heard) => [
    span(0, HEARD, 0, 4, { ms: 4000, heard }),
    span(1, HEARD, 2, 5, { ms: 3000 }),
  ];
  const rows = () => stacked(store, store.lanes.get("heard")).map(([, row]) => row);
  store.take(news({ spans: overlapping(-1) }));
  assert.deepEqual(rows(), [0, 1]);
  store.take(news({ spans: overlapping(1500) }));
  assert.deepEqual(rows(), [0, 0]);
});

test("the newest is followed, all is shown, and a choice stays", () => {
  const store = filled();
  const view = new View(store);
  assert.ok(view.reach[0] <= 0 && view.reach[1] >= 12, "a short session is all in view");
  store.take(news({ now: 100, marks: [store.marks.length, [[99, 1, "response.done", "", 1]]] }));
  assert.ok(view.reach[0] > 60 && view.reach[1] > 100);
  view.mode = "fit";
  assert.ok(view.reach[0] <= 0 && view.reach[1] > 100);
  view.choose(10, 20);
  store.take(news({ now: 200 }));
  assert.deepEqual(view.reach, [10, 20]);
});

test("while nothing happens what happened last stays in view, also where it is opened then", () => {
  const store = filled();
  const call = (number, start, end, open) => [span(number, TOOLS, start, end, { open })];
  const mark = (t, weight) => [store.marks.length, [[t, 1, "some.event", "", weight]]];
  store.take(news({ now: 11, spans: call(2, 10, 11, 0) }));
  store.take(news({ now: 100, marks: mark(99, 0) }));
  const [start, end] = new View(store).reach;
  assert.ok(start < 4 && end > 11 && end < 30, `${start} to ${end}`);
  store.take(news({ now: 101, marks: mark(101, 1) }));
  assert.ok(new View(store).reach[1] > 101, "and then it is followed again");
  store.take(news({ now: 200, spans: call(3, 150, 150, 1) }));
  assert.ok(new View(store).reach[1] > 200, "what goes on is something");
  store.take(news({ now: 300, spans: call(3, 150, 210, 0) }));
  assert.ok(new View(store).reach[0] < 210 && new View(store).reach[1] < 230);
});

test("zooming keeps the moment under the pointer, and following goes on", () => {
  const store = filled();
  store.take(news({ now: 100 }));
  const view = new View(store);
  view.zoom(0.5);
  assert.equal(view.mode, "follow");
  assert.ok(Math.abs(view.reach[1] - view.reach[0] - 15) < 1);
  view.choose(10, 20);
  view.zoom(0.5, 12);
  assert.deepEqual(view.reach, [11, 16]);
  for (let times = 0; times < 40; times++) view.zoom(0.5, 12);
  assert.ok(view.reach[1] - view.reach[0] > 0.04);
  for (let times = 0; times < 40; times++) view.zoom(2, 12);
  assert.ok(view.reach[1] - view.reach[0] <= 150);
  view.pan(-50);
  assert.ok(view.reach[1] > 0, "nobody is lost before the beginning");
});

test("what is out of view is brought there", () => {
  const store = filled();
  const view = new View(store);
  view.choose(0, 2);
  view.reveal(1, 1.5);
  assert.deepEqual(view.reach, [0, 2]);
  view.reveal(10, 10);
  const [start, end] = view.reach;
  assert.ok(start < 10 && end > 10);
});

test("everything that can be chosen comes by time, and says what it is", () => {
  const store = filled();
  const every = all(store);
  assert.deepEqual(every.map(({ t }) => t), [0, 1, 3, 4, 6, 10]);
  const said = every.map((hit) => describe(store, hit));
  assert.deepEqual(said[0], ["server · session.created · 0.00 s", "sess"]);
  assert.deepEqual(said[1], ["user speech · 1.0 s · 1.00 s to 2.00 s", "Who are you?"]);
  assert.deepEqual(said[2][0], "generated audio · 4.0 s · 1.0 s of it heard · 3.00 s to 7.00 s");
  assert.deepEqual(said[3][0], "barge-in, 1.0 s of 4.0 s heard · 4.00 s");
  assert.deepEqual(said[5][0], "tool call · 10.00 s to 12.00 s · goes on");
});
