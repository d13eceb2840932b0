import assert from "node:assert/strict";
import test from "node:test";

import { Questions } from "../../rtwidgets/widgets/static/eventtable.js";

test("a question has the answer about the same place of the same table", async () => {
  const asked = [];
  const questions = new Questions((message) => asked.push(message));
  const answers = [questions.ask("json", 0, 3), questions.ask("raw", 0, 3)];
  assert.deepEqual(asked[0], { t: "json", table: 0, place: 3 });
  questions.answer("json", 1, 3, "of another table");
  questions.answer("raw", 0, 3, "raw");
  questions.answer("json", 0, 3, "json");
  questions.answer("json", 0, 3, "twice");
  assert.deepEqual(await Promise.all(answers), ["json", "raw"]);
});
