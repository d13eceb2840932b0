import assert from "node:assert/strict";
import test from "node:test";

import { insist, kernelOf } from "../../rtwidgets/widgets/static/page.js";

test("a page asks until it is answered", async () => {
  let asked = 0;
  await new Promise((enough) => {
    const answered = insist(() => {
      if (++asked === 3) {
        setTimeout(() => (answered(), enough()), 0);
      }
    }, 1);
  });
  assert.equal(asked, 3);
  let few = 0;
  await new Promise((enough) => insist(() => ++few === 2 && setTimeout(enough, 10), 1, 2));
  assert.equal(few, 2);
});

test("a page that cannot ask yet asks again", async () => {
  let asked = 0;
  await new Promise((enough) => {
    const answered = insist(() => {
      if (++asked < 3) throw new Error("the line does not stand yet");
      answered();
      enough();
    }, 1);
  });
  assert.equal(asked, 3);
});

test("a kernel that cannot be told is known to be gone, before and after anybody presses", async () => {
  let dead = false;
  let changes = 0;
  const listeners = new Map();
  const sent = [];
  const model = {
    send: (message) => {
      if (dead) throw new Error("Cannot send");
      sent.push(message.t);
    },
    on: (event, listen) => listeners.set(event, listen),
    off: (event) => listeners.delete(event),
  };
  const kernel = kernelOf(model, () => changes++);
  assert.ok(kernel.tell({ t: "do" }) && kernel.there);
  dead = true;
  listeners.get("comm_live_update")(); // as a front end says it
  await new Promise((later) => setTimeout(later, 1));
  assert.deepEqual([kernel.there, changes], [false, 1]);
  assert.equal(kernel.tell({ t: "do" }), false);
  dead = false;
  assert.ok(kernel.tell({ t: "do" }));
  assert.deepEqual([changes, sent], [2, ["do", "do"]]);
  kernel.leave();
  assert.equal(listeners.size, 0);
});
