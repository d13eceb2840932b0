import assert from "node:assert/strict";
import test, { mock } from "node:test";

import { Views } from "../../rtwidgets/widgets/static/chat/views.js";

const LONG = 10_000; // ms

function scene() {
  mock.timers.enable({ apis: ["setTimeout"] });
  const told = [];
  return { told, views: new Views({ left: () => told.push("left"), back: () => told.push("back") }) };
}

test.afterEach(() => mock.timers.reset());

test("the last view goes and none comes: it is told once", () => {
  const { told, views } = scene();
  const [one, other] = [views.add(), views.add()];
  one();
  mock.timers.tick(LONG);
  assert.deepEqual(told, []);
  other();
  mock.timers.tick(LONG);
  assert.deepEqual([told, views.count], [["left"], 0]);
});

test("a view that is moved goes and comes again: nothing is told", () => {
  const { told, views } = scene();
  views.add()();
  views.add();
  mock.timers.tick(LONG);
  assert.deepEqual([told, views.count], [[], 1]);
});

test("who comes back later is told of, too", () => {
  const { told, views } = scene();
  views.add()();
  mock.timers.tick(LONG);
  views.add();
  assert.deepEqual(told, ["left", "back"]);
});

test("a model that is closed tells nothing", () => {
  const { told, views } = scene();
  views.add()();
  views.close();
  mock.timers.tick(LONG);
  assert.deepEqual(told, []);
});
