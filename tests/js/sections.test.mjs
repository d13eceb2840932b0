import assert from "node:assert/strict";
import test from "node:test";

import { openSection, toggled } from "../../rtwidgets/widgets/static/chat/sections.js";

const ALL = ["cost", "timeline", "events"];

test("a section opens and closes, and the others stay", () => {
  assert.deepEqual(toggled(["events"], "cost", ALL), ["cost", "events"]);
  assert.deepEqual(toggled(["cost", "events"], "cost", ALL), ["events"]);
  assert.deepEqual(toggled(["events"], "events", ALL), []);
});

test("what is no section is left out", () => {
  assert.deepEqual(toggled(["gone", "events"], "nothing", ALL), ["events"]);
});

test("outside a chat there is nothing to open", () => {
  openSection({ closest: () => null }, "cost");
  openSection({ closest: () => ({ querySelector: () => null }) }, "cost");
});
