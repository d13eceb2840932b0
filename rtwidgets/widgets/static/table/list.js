// The lines in sight: a person scrolls over all of them, a few dozen elements show those in view.

import { make, setAttributes, setHidden, setText } from "../page.js";
import { blankRow, fillEvent, fillTurn } from "./cells.js";
import { COLUMNS, layout } from "./columns.js";
import { number } from "./wording.js";

export const LINE = 24; // px; every line has this height, so that a place on the page is a division
const HIGHEST = 12e6; // px; browsers lay out no more than some 17 million
const SPARE = 12; // lines drawn above and below what is in sight

const KEYS =
  "Arrow keys, Page Up and Down, Home, End: move. Enter: open. Left and right: fold and open a run. " +
  "c: the client event that caused this one. n, p: next and previous turn. /: filter. f: follow. Escape: close.";

/** Where lines stand. Beyond the height a browser lays out, a pixel of the scroll bar is more than
    one of the lines; every line can still be reached. */
export class Geometry {
  constructor(lines, view, highest = HIGHEST) {
    const all = lines * LINE;
    this.height = Math.min(all, highest);
    this.end = Math.max(0, this.height - view); // where the scroll bar ends
    this.scale = this.end ? (all - view) / this.end : 1;
  }

  /** Pixels from the first line to what is at the top, and back. */
  offset(scrollTop) {
    return Math.min(scrollTop, this.end) * this.scale;
  }

  scrollTop(offset) {
    return Math.min(this.end, Math.max(0, offset / this.scale));
  }
}

/** How far to scroll so that a line is in sight, from `offset`; the middle where it is far away. */
export function bringing(line, offset, view, centre = false) {
  const top = line * LINE;
  const inside = top >= offset && top + LINE <= offset + view;
  if (inside) return offset;
  if (centre) return Math.max(0, top - (view - LINE) / 2);
  return top < offset ? top : top + LINE - view;
}

/** The scrolling list. `hands`: what is done where a person asks for it (eventtable.js). */
export class List {
  constructor(store, lines, names, hands) {
    this.store = store;
    this.lines = lines;
    this.hands = hands;
    this.following = true;
    this.cursor = null; // {run, member} of the line the keyboard is on
    this.selected = new Set(); // places
    this.seen = 0; // rows there were when it last followed
    this.lastTop = 0;
    this.pool = [];
    this.id = `rtw-${Math.random().toString(36).slice(2, 9)}`;
    this.build(hands.title);
    this.arrange(names);
    this.listen();
  }

  build(title) {
    this.head = make("div", "rtw-row rtw-head", { role: "row" });
    this.window = make("div", "rtw-window", { role: "rowgroup" });
    this.space = make("div", "rtw-space", { role: "presentation" }, this.window);
    this.element = make(
      "div",
      "rtw-list",
      {
        role: "treegrid", // a grid whose rows open: only there may a row be aria-expanded
        tabindex: "0",
        "aria-label": title,
        "aria-description": KEYS,
        "aria-multiselectable": "true",
        "data-lm-suppress-shortcuts": "true",
      },
      make("div", "rtw-heads", { role: "rowgroup" }, this.head),
      this.space,
    );
    this.jump = make("button", "rtw-button rtw-jump", {
      type: "button",
      hidden: "",
      "aria-label": "Jump to the newest event and follow",
    });
    this.empty = make("div", "rtw-empty", {});
    this.note = make("div", "rtw-events-note", { role: "status" });
    this.frame = make(
      "div",
      "rtw-list-frame",
      {},
      this.element,
      make("div", "rtw-ring"),
      this.empty,
      this.note,
      this.jump,
    );
  }

  listen() {
    const { element } = this;
    element.addEventListener("scroll", () => this.scrolled(), { passive: true });
    element.addEventListener("keydown", (event) => this.key(event));
    element.addEventListener("click", (event) => this.click(event));
    element.addEventListener("mouseover", ({ target }) => {
      const cell = target.closest(".rtw-cell");
      if (cell && cell.scrollWidth > cell.clientWidth) cell.title = cell.textContent;
      else cell?.removeAttribute("title");
    });
    this.jump.addEventListener("click", () => this.follow());
    this.resize = new ResizeObserver(() => this.show());
    this.resize.observe(element);
  }

  /** Show other columns. */
  arrange(names) {
    this.names = names;
    const { style } = this.frame;
    for (const [narrow, end] of [[false, ""], [true, "-narrow"]]) {
      const { template, least } = layout(names, narrow);
      style.setProperty(`--rtw-template${end}`, template);
      style.setProperty(`--rtw-least${end}`, least);
    }
    this.element.setAttribute("aria-colcount", String(names.length));
    this.head.replaceChildren(
      ...names.map((name) => {
        const [words, heading] = COLUMNS[name];
        return make(
          "span",
          `rtw-cell rtw-${name}`,
          { role: "columnheader", "aria-label": words, title: words },
          heading,
        );
      }),
    );
    this.pool = [];
    this.window.replaceChildren();
  }

  // --- where it is

  get view() {
    return Math.max(LINE, this.element.clientHeight - LINE); // under the headings
  }

  get geometry() {
    return new Geometry(this.lines.length, this.view);
  }

  get at() {
    return this.cursor ? this.lines.indexOf(this.cursor.run, this.cursor.member) : -1;
  }

  scrollTo(offset) {
    const { geometry } = this;
    this.space.style.height = `${geometry.height}px`;
    this.element.scrollTop = geometry.scrollTop(offset);
    this.lastTop = this.element.scrollTop;
  }

  /** Keep what a person looks at in its place while `change` moves the lines. */
  keeping(change) {
    if (this.following) {
      change();
      this.show();
      return;
    }
    const offset = this.geometry.offset(this.element.scrollTop);
    const held = this.anchor(offset);
    change();
    const moved = held ? this.lines.from(held.index) + held.inside : 0;
    this.scrollTo(held ? moved * LINE + held.rest : offset);
    this.draw();
  }

  /** The line that stays where it is: the keyboard's, where it is in sight, else the top one. */
  anchor(offset) {
    const top = Math.floor(offset / LINE);
    const { at } = this;
    const index = at >= top && at * LINE < offset + this.view ? at : top;
    const line = this.lines.all[index];
    if (!line) return null;
    const inside = index - this.lines.from(line.run.index);
    return { index: line.run.index, inside, rest: offset - index * LINE };
  }

  show() {
    if (this.following) this.follow();
    else this.draw();
  }

  follow() {
    this.following = true;
    this.scrollTo(Infinity);
    this.draw();
  }

  pause() {
    this.following = false;
    this.draw();
  }

  scrolled() {
    const { element } = this;
    const rest = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (element.scrollTop > this.lastTop && rest < LINE) this.following = true;
    else if (element.scrollTop < this.lastTop) this.following = false;
    this.lastTop = element.scrollTop;
    this.draw();
  }

  // --- drawing

  draw() {
    const { lines, geometry, view } = this;
    this.space.style.height = `${geometry.height}px`;
    const offset = geometry.offset(this.element.scrollTop);
    const top = Math.max(0, Math.floor(offset / LINE) - SPARE);
    const bottom = Math.min(lines.length, Math.ceil((offset + view) / LINE) + SPARE);
    while (this.pool.length < bottom - top) this.pool.push(this.blank());
    const shift = Math.min(this.element.scrollTop, geometry.end) + top * LINE - offset;
    this.window.style.transform = `translateY(${shift}px)`;
    const { at } = this;
    this.pool.forEach((parts, index) => {
      const hidden = top + index >= bottom;
      setHidden(parts.element, hidden);
      if (!hidden) this.fill(parts, top + index, at);
    });
    setAttributes(this.element, { "aria-rowcount": lines.length });
    if (at >= 0) setAttributes(this.element, { "aria-activedescendant": `${this.id}-${at}` });
    else this.element.removeAttribute("aria-activedescendant");
    const { rows } = this.store;
    if (this.following) this.seen = rows.length;
    const unseen = rows.length - this.seen;
    setHidden(this.jump, this.following || !lines.length);
    setText(this.jump, unseen > 0 ? `↓ ${number(unseen)} new` : "↓ Newest");
    if (rows.length && rows.at(rows.length - 1).time >= 3600)
      this.frame.style.setProperty("--rtw-time", "6.2rem");
    this.hands.drawn(this);
  }

  blank() {
    const parts = blankRow(this.names);
    this.window.append(parts.element);
    return parts;
  }

  fill(parts, index, at) {
    const { element } = parts;
    const line = this.lines.all[index];
    const row = this.store.rows.at(line.run.places[Math.max(0, line.member)]);
    element.id = `${this.id}-${index}`;
    element.dataset.index = index;
    element.setAttribute("aria-rowindex", String(index + 1));
    const kind = line.turn ? "turn" : line.member < 0 ? "event" : "member";
    if (element.dataset.kind !== kind) {
      element.dataset.kind = kind;
      element.setAttribute("aria-level", kind === "member" ? "2" : "1");
    }
    element.classList.toggle("rtw-cursor", index === at && !line.turn);
    element.classList.toggle("rtw-odd", index % 2 === 1);
    if (line.turn) {
      fillTurn(parts, line.turn, row);
      return;
    }
    const { run, member } = line;
    const open = member < 0 && this.lines.isOpen(run);
    fillEvent(parts, line, row, this.above(index), this.store.rows, open);
    setAttributes(element, { "aria-selected": this.isSelected(run, member, open) });
  }

  above(index) {
    const line = this.lines.all[index - 1];
    const before = line?.turn ? this.lines.all[index - 2] : line;
    return before && this.store.rows.at(before.run.places[Math.max(0, before.member)]);
  }

  isSelected(run, member, open) {
    const { selected } = this;
    if (!selected.size) return false;
    if (member >= 0) return selected.has(run.places[member]);
    if (open) return run.places.length <= selected.size && run.places.every((p) => selected.has(p));
    return run.places.some((place) => selected.has(place));
  }

  // --- a person

  lineOf(target) {
    const element = target.closest(".rtw-row[data-index]");
    const line = element && this.lines.all[Number(element.dataset.index)];
    return line && !line.turn ? line : null;
  }

  click({ target }) {
    const line = this.lineOf(target);
    if (!line) return;
    this.cursor = { run: line.run, member: line.member };
    this.following = false; // what a person looks at stays where it is
    if (target.closest(".rtw-fold")) this.toggle(line);
    else if (target.closest(".rtw-cause")) this.hands.cause(line.run.places[Math.max(0, line.member)]);
    else this.open(line);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.view / LINE) - 1);
    const last = this.lines.length;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -last, End: last };
    const line = this.lines.all[this.at];
    const acts = {
      Enter: () => line && this.open(line),
      " ": () => line && this.open(line),
      ArrowRight: () => line && this.toggle(line, true),
      ArrowLeft: () => line && this.toggle(line, false),
      Escape: () => this.hands.escape(),
      "/": () => this.hands.filter(),
      c: () => line && this.hands.cause(line.run.places[Math.max(0, line.member)]),
      f: () => (this.following ? this.pause() : this.follow()),
      n: () => this.toTurn(1),
      p: () => this.toTurn(-1),
    };
    if (event.key in steps) this.move(steps[event.key], event.key === "End");
    else if (Object.hasOwn(acts, event.key)) acts[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(steps, toEnd = false) {
    const { lines, at } = this;
    if (!lines.length) return;
    const { offset } = this.sight();
    const top = Math.ceil(offset / LINE);
    let start = at >= 0 ? at : steps > 0 ? top - 1 : Math.min(lines.length, top + this.inSight());
    let index = Math.min(lines.length - 1, Math.max(0, start + steps));
    if (lines.all[index].turn) index += steps < 0 && index > 0 ? -1 : 1; // never the last line
    this.put(index);
    if (toEnd) this.follow();
    if (this.hands.isOpen()) this.open(lines.all[index]);
  }

  inSight() {
    return Math.floor(this.view / LINE);
  }

  sight() {
    return { offset: this.geometry.offset(this.element.scrollTop), view: this.view };
  }

  toTurn(step) {
    const { at } = this;
    const behind = step < 0 && this.lines.all[at - 1]?.turn ? at - 1 : at; // from a turn's first line
    const index = this.lines.turnFrom(behind < 0 ? (step > 0 ? -1 : this.lines.length) : behind, step);
    if (index >= 0) this.put(index + 1, true);
  }

  /** Put the keyboard on a line and bring it into sight. */
  put(index, centre = false) {
    const { run, member } = this.lines.all[index];
    this.cursor = { run, member };
    this.following = false;
    const { offset, view } = this.sight();
    const there = bringing(index, offset, view, centre);
    // A turn's first line comes with the turn's mark: Home, at the first one, goes to the very top.
    this.scrollTo(this.lines.all[index - 1]?.turn ? bringing(index - 1, there, view) : there);
    this.draw();
  }

  toggle({ run }, wanted) {
    if (run.places.length < 2 || wanted === this.lines.isOpen(run)) return;
    this.cursor = { run, member: -1 };
    this.following = false;
    this.keeping(() => this.lines.toggle(run));
  }

  open({ run, member, turn }) {
    if (turn) return;
    const places = member < 0 ? run.places.slice() : [run.places[member]];
    this.selected = new Set(places);
    this.following = false;
    this.hands.open(run, member, places);
    this.draw();
  }
}
