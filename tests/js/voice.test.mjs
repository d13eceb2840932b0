import assert from "node:assert/strict";
import test from "node:test";

import voice from "../../rtwidgets/widgets/static/voice.js";

test("a page asks the kernel until it is answered, and listens no more when it is closed", () => {
  const sent = [];
  const heard = new Map();
  const model = {
    send: (message) => sent.push(message.t),
    on: (name, listen) => heard.set(name, listen),
    off: (name) => heard.delete(name),
    get: () => 1,
  };
  const close = voice().initialize({ model });
  assert.deepEqual(sent, ["hello"]);
  close();
  assert.ok(!heard.has("msg:custom"));
});
