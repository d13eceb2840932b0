// The table's columns: which there are, and which a person chose.

import { make } from "../page.js";

const KEPT = "rtwidgets.table.columns";
const USUAL = ["time", "direction", "type", "summary"];

/** name: [words in the menu, words above it, the least room in rem, there and in a narrow table, the
    most room (CSS; what has none is as wide as its least)] */
export const COLUMNS = {
  time: ["Time", "s", 5, 4.8],
  delta: ["Time since the line above", "Δ s", 4.6, 4.4],
  direction: ["Direction", "", 1.4, 1.2],
  type: ["Type", "type", 11, 6.5, "1.5fr"],
  summary: ["Summary", "what it says", 9, 5, "2fr"],
  item: ["Item", "item", 6, 5, "0.8fr"],
  response: ["Response", "response", 6, 5, "0.8fr"],
  size: ["Size", "size", 4.6, 4.2],
  audio: ["Audio", "audio", 4.4, 3.8],
};
const MARGINS = 2; // rem

/** The columns of a choice, in their order; the usual ones where it names none. */
export function chosen(names) {
  const known = Object.keys(COLUMNS).filter((name) => names.includes(name));
  return known.length ? known : USUAL;
}

/** The choice with one column more or less; the last one stays. */
export function toggled(names, name) {
  const others = names.filter((each) => each !== name);
  if (others.length === names.length) return chosen([...names, name]);
  return others.length ? others : names;
}

/** A grid's columns and the least width of a row (CSS), in a wide or a narrow table. */
export function layout(names, narrow = false) {
  const room = (name) => COLUMNS[name][narrow ? 3 : 2];
  const track = (name) => {
    const most = COLUMNS[name][4];
    if (name === "time") return `var(--rtw-time, ${room(name)}rem)`; // wider after an hour
    return most ? `minmax(${room(name)}rem, ${narrow ? "1fr" : most})` : `${room(name)}rem`;
  };
  const least = names.reduce((sum, name) => sum + room(name), MARGINS);
  return { template: names.map(track).join(" "), least: `${Math.round(10 * least) / 10}rem` };
}

/** What a person chose before, in this browser. */
export function kept() {
  try {
    return chosen(JSON.parse(localStorage.getItem(KEPT) ?? "[]"));
  } catch {
    return chosen([]); // no storage here, or something else in it
  }
}

function keep(names) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(names));
  } catch {
    // it holds for this page only
  }
}

/** A button that opens a list of all columns to tick. `get` and `set` the choice. */
export function columnMenu(get, set) {
  const boxes = Object.entries(COLUMNS).map(([name, [words]]) => {
    const box = make("input", "", { type: "checkbox" });
    box.checked = get().includes(name);
    box.addEventListener("change", () => {
      const names = toggled(get(), name);
      keep(names);
      set(names);
      for (const [at, each] of Object.keys(COLUMNS).entries())
        boxes[at].firstChild.checked = names.includes(each);
    });
    return make("label", "rtw-choice", {}, box, words);
  });
  const list = make("div", "rtw-choices", { role: "group", "aria-label": "Columns" }, ...boxes);
  const button = make("summary", "rtw-button rtw-quiet", { title: "Choose columns" }, "Columns");
  const menu = make("details", "rtw-menu", {}, button, list);
  const close = (event) => {
    if (event.key === "Escape") {
      menu.open = false;
      button.focus();
      event.stopPropagation();
    }
  };
  menu.addEventListener("keydown", close);
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  return menu;
}
