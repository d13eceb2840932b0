import assert from "node:assert/strict";
import test from "node:test";

import {
  bytes,
  clock,
  number,
  since,
  summary,
  turnKind,
} from "../../rtwidgets/widgets/static/table/wording.js";

test("a time is told in seconds, and in minutes and hours where it is long", () => {
  assert.deepEqual([0, 12.0341, 62.5, 3723.4].map(clock), [
    "0.000",
    "12.034",
    "1:02.500",
    "1:02:03.400",
  ]);
});

test("a time before the session is told as such, and no minute has sixty seconds", () => {
  assert.deepEqual([-5, -65.5, 59.9996, 3599.9999].map(clock), [
    "−5.000",
    "−1:05.500",
    "1:00.000",
    "1:00:00.000",
  ]);
});

test("a time between two lines has a sign, also where a log goes back", () => {
  assert.deepEqual([0.0123, 75, -0.5].map(since), ["+0.012", "+1:15.000", "−0.500"]);
});

test("sizes and counts can be read", () => {
  assert.deepEqual([0, 999, 1000, 6432, 999_949, 999_950, 15_000_000].map(bytes), [
    "0 B",
    "999 B",
    "1.0 kB",
    "6.4 kB",
    "999.9 kB",
    "1.0 MB",
    "15.0 MB",
  ]);
  const space = "\u202f";
  assert.deepEqual([12, 1234, 100000].map(number), ["12", `1${space}234`, `100${space}000`]);
});

test("a row says its audio, its words, or what it is about", () => {
  const row = { type: "a.delta", audio: 0, words: "", item: "item_1" };
  assert.equal(summary({ ...row, audio: 100 }), "0.10 s of audio");
  assert.equal(summary({ ...row, words: "Hi" }), "“Hi”");
  assert.equal(summary(row), "item_1");
  assert.equal(summary({ ...row, type: "response.done", words: "completed" }), "completed");
});

test("half a character is marked, a whole one is left", () => {
  assert.equal(summary({ type: "a.delta", audio: 0, words: "\ud83e", item: "" }), "“\ufffd”");
  assert.equal(summary({ type: "x", audio: 0, words: "\u{1f995}", item: "" }), "\u{1f995}");
});

test("a turn is typed, spoken, or the opening", () => {
  assert.deepEqual(
    [
      "conversation.item.create",
      "input_audio_buffer.speech_started",
      "session.created",
      "response.create",
    ].map(turnKind),
    ["typed", "spoken", "opening", ""],
  );
});
