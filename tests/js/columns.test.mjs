import assert from "node:assert/strict";
import test from "node:test";

import { COLUMNS, chosen, kept, layout, toggled } from "../../rtwidgets/widgets/static/table/columns.js";

test("columns stand in their own order, and names that there are not are left out", () => {
  assert.deepEqual(chosen(["summary", "time", "colour"]), ["time", "summary"]);
  assert.deepEqual(chosen([]), ["time", "direction", "type", "summary"]);
});

test("a column is taken and given back, but the last one stays", () => {
  assert.deepEqual(toggled(["time", "type"], "size"), ["time", "type", "size"]);
  assert.deepEqual(toggled(["time", "type"], "time"), ["type"]);
  assert.deepEqual(toggled(["type"], "type"), ["type"]);
});

test("a row has a track for each column and is as wide as they need at least", () => {
  const { template, least } = layout(["time", "summary"]);
  assert.equal(template, "var(--rtw-time, 5rem) minmax(9rem, 2fr)");
  assert.equal(least, "16rem");
  const all = Object.keys(COLUMNS);
  const narrow = layout(all, true);
  assert.equal(narrow.template.match(/minmax|var|\d(?=rem( |$))/g).length, all.length);
  assert.ok(parseFloat(narrow.least) < parseFloat(layout(all).least));
});

test("where a browser keeps nothing, the usual columns are shown", () => {
  assert.deepEqual(kept(), chosen([])); // node has no storage of a page
});
