import assert from "node:assert/strict";
import test from "node:test";

import { insist } from "../../rtwidgets/widgets/static/page.js";

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
