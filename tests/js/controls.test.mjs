import assert from "node:assert/strict";
import test from "node:test";

import {
  elapsed,
  facts,
  listening,
  meter,
  running,
  shownBy,
  withoutTaken,
} from "../../rtwidgets/widgets/static/controls.js";

const status = (more) => ({
  state: "open",
  since: 1000,
  seconds: 0,
  tokens: 1234,
  spent: "$0.0041",
  ...more,
});

test("time that went by", () => {
  assert.deepEqual([-1, 0, 61.9, 3661].map(elapsed), ["00:00", "00:00", "01:01", "1:01:01"]);
});

test("the meter counts while a session stands, and keeps what it was at the end", () => {
  assert.deepEqual(meter(status(), 43_000), ["00:42", "1,234 tokens", "$0.0041"]);
  assert.deepEqual(meter(status({ state: "ended", seconds: 5 }), 99_000)[0], "00:05");
  assert.deepEqual(meter(status({ since: 0 }), 43_000), []);
});

test("the meter says in the kernel's words what was spent, and nothing where that is not known", () => {
  assert.equal(meter(status({ spent: "would be $0.0041 of $0.05" }), 0)[2], "would be $0.0041 of $0.05");
  assert.equal(meter(status({ spent: "" }), 0).length, 2);
});

test("tokens that a server does not report are not taken for none", () => {
  const shown = (more) => meter(status({ all_told: false, ...more }), 0)[1];
  assert.deepEqual([shown({}), shown({ tokens: 0 })], ["at least 1,234 tokens", "tokens unknown"]);
});

test("Stop is offered from the question on", () => {
  assert.deepEqual(
    ["idle", "confirm", "connecting", "open", "ended", "failed"].map((state) => running({ state })),
    [false, true, true, true, false, false],
  );
});

test("text can be sent while a line stands or comes, not while money is asked about", () => {
  assert.deepEqual(
    ["idle", "confirm", "connecting", "open", "ended", "failed"].map((state) =>
      listening({ state }),
    ),
    [false, false, true, true, false, false],
  );
});

test("what was taken leaves the box, what was typed meanwhile stays", () => {
  assert.equal(withoutTaken("Hello", "Hello"), "");
  assert.equal(withoutTaken("Hello and", "Hello"), "and");
  assert.equal(withoutTaken("Other", "Hello"), "Other");
});

const field = (values) => ({ get: (name) => values[name] });

test("a list shows the label that is chosen in it, a text field its text", () => {
  assert.equal(shownBy(field({ _options_labels: ["a", "b"], index: 1 })), "b");
  assert.equal(shownBy(field({ value: "" })), "");
});

test("before Start the line names what is chosen, then what is connected", () => {
  const chosen = { endpoint: "OpenAI", model: "m", voice: "the model's own", opening: "o" };
  const connected = status({ endpoint: "Simulator", model: "n", voice: "marin" });
  assert.deepEqual(facts({ ...connected, state: "idle" }, chosen), ["OpenAI", "m"]);
  assert.deepEqual(facts(connected, chosen), ["Simulator", "n", "marin"]);
  assert.deepEqual(facts({ ...connected, state: "idle", voice: "" }, null), ["Simulator", "n"]);
});
