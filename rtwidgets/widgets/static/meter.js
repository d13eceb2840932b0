// The meter: tokens by kind and dollars in a small table, and the budget as a bar with words.

import { make } from "./page.js";

const UNKNOWN = "not known";

/** "1,234", "3.0 s"; a dash where nobody said. */
export function amount(count, unit) {
  if (count === null || count === undefined) return "–";
  return unit ? `${count.toFixed(1)} ${unit}` : Math.round(count).toLocaleString("en");
}

/** "$0.00413": five digits behind the point for what is small; a dash where nobody said. */
export function dollars(cost) {
  if (cost === null || cost === undefined) return "–";
  return `$${cost.toFixed(cost < 0.1 ? 5 : 2)}`;
}

/** What stands in the cells of a line: per million, and count and dollars, both twice. */
export function cells(line) {
  return [
    line.rate === null ? "" : `$${line.rate.toFixed(2)}`,
    amount(line.used, line.unit),
    line.name === "of it reasoning" ? "" : dollars(line.dollars),
    amount(line.last, line.unit),
    line.name === "of it reasoning" ? "" : dollars(line.last_dollars),
  ];
}

/** What stands in the last line; where a part is unknown the sum says so. */
export function totals({ total, at_least: atLeast }) {
  const [, used, cost, last, lastCost] = cells({ ...total, rate: null });
  const known = total.dollars !== null;
  return ["", used, known ? (atLeast ? `≥ ${cost}` : cost) : UNKNOWN, last, lastCost];
}

/** Whole percent, as a screen reader says it. */
export function percent(share) {
  return Math.round(100 * share);
}

const UNITS = ["$ a million", "tokens", "US dollars", "tokens", "US dollars"];

function headings() {
  const over = { colspan: "2", scope: "colgroup" };
  const groups = ["This conversation", "Last reply"].map((name) => make("th", "", over, name));
  const units = UNITS.map((unit) => make("th", "", { scope: "col" }, unit));
  return make(
    "thead",
    "",
    {},
    make("tr", "", {}, make("td", "", { colspan: "2" }), ...groups),
    make("tr", "rtw-units", {}, make("td", ""), ...units),
  );
}

function row(name, values, className = "") {
  const line = make("tr", className, {}, make("th", "", { scope: "row" }, name));
  for (const value of values) line.append(make("td", "", {}, value));
  return line;
}

function table(reading) {
  const body = make("tbody", "");
  for (const line of reading.lines)
    body.append(row(line.name, cells(line), line.part ? "rtw-part" : ""));
  const caption = make(
    "caption",
    "",
    {},
    reading.simulated ? "What it would cost" : "What it costs",
  );
  const foot = make("tfoot", "", {}, row(reading.total.name, totals(reading)));
  return make("table", "rtw-bill", {}, caption, headings(), body, foot);
}

function bar({ spent, next, level, words }) {
  const filled = make("span", "rtw-spent");
  const following = make("span", "rtw-next");
  filled.style.width = `${100 * spent}%`;
  following.style.width = `${100 * next}%`;
  const scale = make(
    "div",
    "rtw-scale",
    {
      role: "meter",
      "aria-label": "Budget spent",
      "aria-valuemin": "0",
      "aria-valuemax": "100",
      "aria-valuenow": String(percent(spent)),
      "aria-valuetext": words,
    },
    filled,
    following,
  );
  const said = make("p", "rtw-budget-words", {}, words);
  return make("div", "rtw-budget", { "data-level": level }, scale, said);
}

function draw(el, reading) {
  const parts = [];
  if (reading.budget) parts.push(bar(reading.budget));
  if (reading.lines.length) parts.push(make("div", "rtw-bill-frame", {}, table(reading)));
  else parts.push(make("p", "rtw-note", {}, "Nothing has been used yet."));
  for (const note of reading.notes) parts.push(make("p", "rtw-note", {}, note));
  el.replaceChildren(...parts);
}

export default {
  render({ model, el }) {
    el.classList.add("rtw", "rtw-cost");
    el.setAttribute("role", "region");
    el.setAttribute("aria-label", "Cost");
    const show = () => draw(el, model.get("reading"));
    model.on("change:reading", show);
    show();
    return () => model.off("change:reading", show);
  },
};
