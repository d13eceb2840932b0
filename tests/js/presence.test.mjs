import assert from "node:assert/strict";
import test from "node:test";

import presence from "../../rtwidgets/widgets/static/presence.js";

test("it is not to be seen, and says where asked that it stands there", () => {
  const sent = [];
  let listen;
  const model = { send: (message) => sent.push(message), on: (_name, one) => (listen = one), off: () => {} };
  const widget = presence();
  const close = widget.initialize({ model });
  const el = { hidden: false };
  widget.render({ el });
  listen({ t: "shown?" });
  assert.deepEqual([el.hidden, sent], [true, [{ t: "shown", there: true }]]);
  close();
});
