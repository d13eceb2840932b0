import assert from "node:assert/strict";
import test from "node:test";

import { cellText, turnText } from "../../rtwidgets/widgets/static/table/cells.js";

test("the cells of an event and of a run", () => {
  const row = {
    time: 1.5, direction: "client", item: "i", response: "r", size: 1200, audio: 40,
  }; // prettier-ignore
  const one = { member: -1, run: { places: [3], audio: 40, size: 1200 } };
  const many = { member: -1, run: { places: [3, 4], audio: 2400, size: 9000 } };
  const told = (line, before) =>
    ["time", "delta", "direction", "item", "response", "size", "audio"].map((name) =>
      cellText(name, line, row, before),
    );
  assert.deepEqual(told(one), ["1.500", "", "→", "i", "r", "1.2 kB", "0.04 s"]);
  assert.deepEqual(told(many, { time: 1.25 }).slice(1, 2), ["+0.250"]);
  assert.deepEqual(told(many).slice(5), ["9.0 kB", "2.40 s"]);
  assert.equal(cellText("audio", { ...one, run: { ...one.run, audio: 0 } }, { ...row, audio: 0 }), "");
});

test("a turn is told by its number, how it began, and when", () => {
  const row = { type: "input_audio_buffer.speech_started", time: 62.5 };
  assert.equal(turnText(3, row), "Turn 3 · spoken · 1:02.500");
  assert.equal(turnText(1, { type: "response.created", time: 0 }), "Turn 1 · 0.000");
});
