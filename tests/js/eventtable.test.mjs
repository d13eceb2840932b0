import assert from "node:assert/strict";
import test from "node:test";

import { Questions, countWords } from "../../rtwidgets/widgets/static/eventtable.js";

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

test("the counts say how many events there are, are still to come, and fit", () => {
  assert.equal(countWords(12, 12, 5, false), "12");
  assert.equal(countWords(400, 900, 5, false), "400 of 900");
  assert.equal(countWords(12, 12, 5, true), "12 · 5 lines fit");
  assert.equal(countWords(12, 12, 1, true), "12 · 1 line fit");
});
