import assert from "node:assert/strict";
import test from "node:test";

import { Chosen, buttonWords, fieldsFor, isHeld, sentence, share, valueOf } from "../../rtwidgets/widgets/static/microphone.js";

const said = (more) =>
  sentence({ trouble: "", note: "", warning: "", state: "off", held: true, lost: 0, ...more });

test("the button says what a press does", () => {
  assert.deepEqual(
    ["off", "asking", "ready", "live"].map((state) => buttonWords(state, true)),
    ["Hold to talk", "Allow the microphone …", "Hold to talk", "Listening: release to send"],
  );
  assert.deepEqual([buttonWords("off", false), buttonWords("live", false)], ["Talk", "Mute"]);
  assert.ok(isHeld({ turns: "push_to_talk" }) && !isHeld({ turns: "server_vad" }));
});

test("what went wrong comes before what one may not know", () => {
  assert.equal(said({ trouble: "Refused.", note: "Note.", warning: "Old." }), "Refused.");
  assert.equal(said({ note: "Note.", warning: "Old." }), "Note.");
  assert.equal(said({ warning: "Old." }), "Old.");
  assert.match(said({ state: "ready" }), /nothing is sent until you hold/);
  assert.equal(said({ state: "ready", held: false }), "");
});

test("what was lost on the way is counted for all to see", () => {
  assert.match(said({ lost: 1 }), /^1 piece of 40 ms/);
  assert.match(said({ lost: 3, note: "Note." }), /^3 pieces .* lost on the way\. Note\.$/);
});

test("the bar is empty at silence and full at full scale", () => {
  assert.deepEqual([0, 0.001, 1, 9].map(share), [0, 0, 1, 1]);
  assert.ok(Math.abs(share(0.1) - 2 / 3) < 1e-9);
});

test("each kind of turn detection has its own dials", () => {
  assert.deepEqual(fieldsFor("server_vad"), ["threshold", "silence_ms"]);
  assert.deepEqual(fieldsFor("semantic_vad"), ["eagerness"]);
  assert.deepEqual(fieldsFor("push_to_talk"), []);
});

test("a field gives a number, a yes or its text", () => {
  assert.equal(valueOf({ type: "range", value: "0.5" }), 0.5);
  assert.equal(valueOf({ type: "checkbox", value: "on", checked: false }), false);
  assert.equal(valueOf({ type: "select-one", value: "auto" }), "auto");
});

test("what was just chosen stands until the kernel says the same, or has had its time", () => {
  let now = 0;
  const chosen = new Chosen(() => now);
  const kernel = { captions: true, speed: 1 };
  chosen.add({ captions: false });
  assert.deepEqual(chosen.over(kernel), { captions: false, speed: 1 });
  assert.equal(chosen.over({ ...kernel, captions: false }).captions, false);
  assert.equal(chosen.over(kernel).captions, true, "taken back by the kernel: refused");
  chosen.add({ speed: 1.2 });
  now = 2999;
  assert.equal(chosen.over(kernel).speed, 1.2);
  now = 3000;
  assert.equal(chosen.over(kernel).speed, 1, "a kernel that says nothing knows nothing of it");
});
