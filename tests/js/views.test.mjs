import assert from "node:assert/strict";
import test, { mock } from "node:test";

import { Views, watched } from "../../rtwidgets/widgets/static/chat/views.js";

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

test("the kernel is told of the last view that goes, and of one where it asks", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const sent = [];
  const listeners = new Set();
  const views = watched({
    send: (message) => sent.push(message),
    on: (_name, listen) => listeners.add(listen),
    off: (_name, listen) => listeners.delete(listen),
  });
  const ask = () => listeners.forEach((listen) => listen({ t: "shown?" }));
  ask();
  const remove = views.add();
  ask();
  remove();
  mock.timers.tick(LONG);
  ask();
  assert.deepEqual(sent, [{ t: "shown", there: true }, { t: "shown", there: false }]);
  views.close();
  assert.equal(listeners.size, 0);
});
