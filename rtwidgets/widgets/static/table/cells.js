// One line of the table: its element, made once, and what it says, filled in as lines come into sight.

import { make, setAttributes, setHidden, setText } from "../page.js";
import { describe } from "./lines.js";
import { SIGNS, bytes, clock, number, since, summary, turnKind } from "./wording.js";

const FAILED = new Set(["error", "line.lost", "line.failed"]);

/** The text of a cell, by its column. `before` is the line above, if it is an event. */
export function cellText(name, line, row, before) {
  const many = line.member < 0 && line.run.places.length > 1;
  if (name === "time") return clock(row.time);
  if (name === "delta") return before ? since(row.time - before.time) : "";
  if (name === "direction") return SIGNS[row.direction].sign;
  if (name === "item") return row.item;
  if (name === "response") return row.response;
  if (name === "size") return bytes(many ? line.run.size : row.size);
  const audio = many ? line.run.audio : row.audio;
  if (name === "audio") return audio ? `${(audio / 1000).toFixed(2)} s` : "";
  return "";
}

/** What the line at a turn's beginning says. */
export function turnText(turn, row) {
  const kind = turnKind(row.type);
  return [`Turn ${turn}`, kind, clock(row.time)].filter(Boolean).join(" · ");
}

/** An empty row with a cell for each of these columns, and its parts by name. */
export function blankRow(names) {
  const element = make("div", "rtw-row", { role: "row" });
  const parts = { element, names, cells: {} };
  names.forEach((name, at) => {
    const cell = make("span", `rtw-cell rtw-${name}`, { role: "gridcell" });
    cell.style.gridColumn = String(at + 1); // the button lies over them, wherever it stands
    parts.cells[name] = cell;
    element.append(cell);
  });
  parts.fold = make("button", "rtw-fold", { type: "button", tabindex: "-1" });
  parts.label = make("bdi", "rtw-type-name");
  parts.name = make("span", "rtw-name", {}, parts.label);
  parts.count = make("span", "rtw-count");
  parts.measure = make("span", "rtw-measure");
  parts.words = make("span", "rtw-what");
  parts.cause = make("button", "rtw-cause", { type: "button", tabindex: "-1" }, "↖ cause");
  parts.cause.title = "Go to the client event that caused this one (c)";
  parts.turn = make("span", "rtw-turn", { role: "gridcell" });
  parts.cells.type?.append(parts.fold, parts.name, parts.count);
  parts.cells.summary?.append(parts.measure, parts.words);
  element.append(parts.cause, parts.turn);
  return parts;
}

/** Let a row mark the beginning of a turn. */
export function fillTurn({ element, turn }, number, row) {
  setText(turn, turnText(number, row));
  element.removeAttribute("aria-expanded");
  element.removeAttribute("aria-selected");
  element.classList.remove("rtw-failed");
}

/** Let a row show an event, or a run that is folded or open. `before` is the line above. */
export function fillEvent(parts, line, row, before, rows, open) {
  setText(parts.turn, "");
  for (const name of parts.names)
    if (name !== "type" && name !== "summary")
      setText(parts.cells[name], cellText(name, line, row, before));
  fillWords(parts, line, row, rows);
  fillState(parts, line, row, open);
}

function fillWords(parts, { run, member }, row, rows) {
  const head = member < 0;
  const [measure, words] = head ? describe(run, rows) : ["", summary(row)];
  setText(parts.label, row.type || "not JSON");
  setText(parts.count, head && run.places.length > 1 ? `×${number(run.places.length)}` : "");
  setText(parts.measure, measure);
  setText(parts.words, words);
  const { direction } = parts.cells;
  if (direction) {
    const look = `rtw-cell rtw-direction rtw-sign rtw-${row.direction}`;
    setAttributes(direction, { class: look, "aria-label": SIGNS[row.direction].words });
  }
}

function fillState({ element, fold, cause }, { run, member }, row, open) {
  const many = member < 0 && run.places.length > 1;
  setHidden(fold, !many);
  setText(fold, open ? "▾" : "▸");
  setAttributes(fold, { "aria-label": `${open ? "Fold" : "Open"} ${run.places.length} events` });
  if (many) setAttributes(element, { "aria-expanded": open });
  else element.removeAttribute("aria-expanded");
  element.classList.toggle("rtw-failed", FAILED.has(row.type));
  setHidden(cause, row.direction !== "server");
}
