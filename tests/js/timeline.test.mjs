import assert from "node:assert/strict";
import test from "node:test";

import { fitting, places } from "../../rtwidgets/widgets/static/timeline.js";

test("lanes fill the height, events are slim, none is too low to be seen", () => {
  const found = places(200);
  assert.deepEqual(Object.keys(found), [
    "client",
    "user",
    "generated",
    "heard",
    "text",
    "tools",
    "server",
  ]);
  const [top, high] = found.server;
  assert.ok(top + high <= 200 - 17);
  assert.ok(found.user[1] > found.client[1]);
  assert.ok(places(40).user[1] >= 12);
});

test("words fit their room, or are cut with a sign, or are left out", () => {
  assert.equal(fitting("Hello", 100, 6), "Hello");
  assert.equal(fitting("Hello there", 48, 6), "Hello t…");
  assert.equal(fitting("Hello there", 12, 6), "");
});
