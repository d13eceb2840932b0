// A view of the table: what is in sight, which event is open, and what a person asks for.

import { hideFallback, make, setAttributes, setHidden, setText } from "../page.js";
import { chosen, columnMenu, kept } from "./columns.js";
import { Detail, placeInRun } from "./detail.js";
import { Filter, Lines } from "./lines.js";
import { List } from "./list.js";
import { DIRECTIONS } from "./rows.js";
import { SendBox } from "./sendbox.js";
import { SIGNS, number } from "./wording.js";

const SEARCH_AFTER = 150; // ms without a key before the kernel searches the events in full
const FAMILIES = [
  ...["session", "item", "input", "response", "text", "audio", "tools", "error", "local", "other"],
];
const NO_CAUSE = "No client event caused this one: the server sent it by itself.";

/** What the line of counts says. */
export function countWords(rows, total, lines, filtered) {
  const all = rows < total ? `${number(rows)} of ${number(total)}` : number(rows);
  return filtered ? `${all} · ${number(lines)} line${lines === 1 ? "" : "s"} fit` : all;
}

/** What a person sees of a store: a filter, a list, one event in full, and a box to send events. */
export class View {
  constructor(model, el, store) {
    this.model = model;
    this.store = store;
    this.filter = new Filter();
    this.name = Math.random().toString(36).slice(2); // tells this view from those of other pages
    this.searching = { id: 0, from: 0, asked: false };
    const names = model.get("columns").length ? chosen(model.get("columns")) : kept();
    const hands = {
      title: `${model.get("title")}, a row each`,
      open: (run, member, places) => this.open(run, member, places),
      isOpen: () => this.detail.isOpen,
      cause: (place) => this.toCause(place),
      escape: () => this.escape(),
      filter: () => this.words.focus(),
      drawn: () => this.label(),
    };
    this.detail = new Detail({
      ask: (kind, place) => this.ask(kind, place),
      raw: (place) => this.store.questions.ask("raw", this.store.table, place),
      cause: (place) => this.toCause(place),
      edit: (text) => this.write(text),
      close: () => this.escape(),
      say: (words) => this.say(words),
    });
    this.box = model.get("sends")
      ? new SendBox(model.get("checks"), {
          tell: (message) => model.send(message),
          close: () => this.showBox(false),
        })
      : null;
    this.box?.offer(store.given);
    this.list = new List(store, new Lines(store.runs, this.filter), names, hands);
    this.build(el, names);
    this.update();
  }

  build(el, names) {
    el.classList.add("rtw", "rtw-events");
    this.title = make("span", "rtw-events-title", {}, this.model.get("title"));
    this.count = make("span", "rtw-events-count");
    this.words = make("input", "rtw-input rtw-filter", {
      type: "search",
      placeholder: "Filter",
      "aria-label": "Filter events by their words, type or ids",
      title: "Words that an event, its type or its ids hold ( / )",
      spellcheck: "false",
    });
    this.followed = toggle("Follow", {
      title: "Keep the newest event in sight (f)",
    });
    this.columns = columnMenu(
      () => this.list.names,
      (chosen) => this.list.keeping(() => this.list.arrange(chosen)),
    );
    const bar = make("div", "rtw-bar", {}, this.title, this.count, this.words, this.followed);
    bar.append(this.columns);
    if (this.box) {
      this.sender = toggle("Send event", { title: "Write a client event and send it" });
      this.sender.addEventListener("click", () => this.showBox(this.box.element.hidden));
      bar.append(this.sender);
    }
    this.body = make("div", "rtw-events-body", {}, this.list.frame, this.detail.element);
    this.body.style.height = this.model.get("height");
    el.append(bar, this.chips(), this.body, ...(this.box ? [this.box.element] : []));
    hideFallback(el, this.model.get("hides"));
    this.listen();
  }

  /** Buttons that show one direction or family only, or several. */
  chips() {
    const chip = (chosen, name, ...content) => {
      const made = toggle("", { "aria-label": name, title: `Show ${name} events only` });
      made.classList.add("rtw-chip");
      made.append(...content);
      made.addEventListener("click", () => this.choose(chosen, name));
      return made;
    };
    this.directions = DIRECTIONS.map((name) => {
      const sign = make("span", `rtw-sign rtw-${name}`, { "aria-hidden": "true" }, SIGNS[name].sign);
      const made = chip(this.filter.directions, name, sign, name);
      made.dataset.direction = name;
      return made;
    });
    this.families = FAMILIES.map((name) => {
      const made = chip(this.filter.families, name, name, make("span", "rtw-chip-count"));
      made.dataset.family = name;
      return made;
    });
    const group = (label, chips) =>
      make("div", "rtw-chips", { role: "group", "aria-label": label }, ...chips);
    this.clear = make("button", "rtw-button rtw-quiet rtw-clear", { type: "button" }, "Show all");
    this.clear.addEventListener("click", () => this.showAll());
    return make(
      "div",
      "rtw-chip-bar",
      {},
      group("Directions", this.directions),
      group("Families", this.families),
      this.clear,
    );
  }

  listen() {
    this.words.addEventListener("input", () => this.search());
    this.words.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "ArrowDown") this.list.element.focus();
      else if (event.key === "Escape" && this.words.value) this.showAll();
      else if (event.key === "Escape") this.list.element.focus();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    this.followed.addEventListener("click", () =>
      this.list.following ? this.list.pause() : this.list.follow(),
    );
  }

  // --- what is in sight

  choose(chosen, name) {
    if (!chosen.delete(name)) chosen.add(name);
    this.refilter();
  }

  refilter() {
    this.list.keeping(() => this.list.lines.refilter());
  }

  search() {
    if (!this.filter.type(this.words.value)) return;
    this.searching = { id: this.searching.id + 1, from: 0, asked: false };
    this.refilter();
    clearTimeout(this.timer); // who goes on typing asks once
    this.timer = 0;
    this.searchSoon();
  }

  searchSoon() {
    if (this.filter.words.length) this.timer ||= setTimeout(() => this.searchOn(), SEARCH_AFTER);
  }

  /** Have the kernel look through the events in full that it has not looked through yet. */
  searchOn() {
    this.timer = 0;
    const { searching, store, filter, name: view } = this;
    if (searching.asked || !filter.words.length || searching.from >= store.rows.length) return;
    searching.asked = true;
    const { id, from: start } = searching;
    this.model.send({ t: "find", table: store.table, view, words: filter.words, id, start });
  }

  found({ view, id, start, stop }, found) {
    if (view !== this.name || id !== this.searching.id || start !== this.searching.from) return;
    const places = new Uint32Array(
      found.buffer.slice(found.byteOffset, found.byteOffset + found.byteLength),
    );
    this.searching.from = stop;
    this.searching.asked = false;
    for (const place of places) this.filter.found.add(place);
    const { lines } = this.list;
    if (places.some((place) => lines.showing(place) < 0)) this.refilter();
  }

  showAll() {
    this.words.value = "";
    this.filter.clear();
    this.refilter();
  }

  /** The store has more rows. */
  update() {
    const { list } = this;
    const moves = list.lines.starts.length !== this.store.turns.length; // marks above come or go
    if (moves && !list.following) list.keeping(() => list.lines.update(this.store.turns));
    else list.lines.update(this.store.turns);
    list.show();
    this.searchSoon();
  }

  /** The store has other rows. */
  restart() {
    const { list } = this;
    list.lines = new Lines(this.store.runs, this.filter);
    this.filter.found.clear();
    this.searching = { id: this.searching.id + 1, from: 0, asked: false };
    list.cursor = null;
    list.selected = new Set();
    list.following = true;
    this.detail.close();
    this.update();
  }

  label() {
    const { rows, runs, total } = this.store;
    const { lines, following } = this.list;
    setText(this.count, countWords(rows.length, total, lines.length, this.filter.active));
    setAttributes(this.followed, { "aria-pressed": following });
    setHidden(this.clear, !this.filter.active);
    for (const chip of this.directions) {
      setAttributes(chip, { "aria-pressed": this.filter.directions.has(chip.dataset.direction) });
    }
    for (const chip of this.families) {
      const name = chip.dataset.family;
      const pressed = this.filter.families.has(name);
      const count = runs.families.get(name) ?? 0;
      setHidden(chip, !count && !pressed);
      setAttributes(chip, { "aria-pressed": pressed });
      setText(chip.lastChild, number(count));
    }
    setHidden(this.list.empty, lines.length > 0);
    if (!lines.length)
      setText(
        this.list.empty,
        rows.length
          ? "No event fits this filter."
          : "Every event, sent and received, will stand here as it happens.",
      );
  }

  // --- one event

  ask(kind, place) {
    this.store.questions
      .ask(kind, this.store.table, place)
      .then((answer) => this.detail.answer(place, answer));
  }

  open(run, member, places) {
    const row = this.store.rows.at(places[0]);
    this.detail.show(row, placeInRun(run, member), Boolean(this.box));
    this.model.send({ t: "select", table: this.store.table, places });
  }

  escape() {
    const focused = this.detail.element.contains(document.activeElement);
    this.detail.close();
    this.list.selected = new Set();
    if (focused) this.list.element.focus();
    this.list.draw();
  }

  async toCause(place) {
    const { table } = this.store;
    const cause = await this.store.questions.ask("cause", table, place);
    if (table !== this.store.table) return;
    if (cause === null) this.say(NO_CAUSE);
    else {
      this.select([cause]);
      const index = this.list.lines.showing(cause);
      if (index >= 0) this.list.open(this.list.lines.all[index]);
      this.list.element.focus();
    }
  }

  /** Select rows and bring the first of them into sight, past the filter if it must be. */
  select(places) {
    const { list } = this;
    const known = places.filter((place) => place < this.store.rows.length);
    list.selected = new Set(places);
    if (known.length && known.every((place) => list.lines.showing(place) < 0)) {
      this.showAll();
      this.say("The filter hid it: all events are shown again.");
    }
    const index = Math.min(
      ...known.map((place) => list.lines.showing(place)).filter((at) => at >= 0),
    );
    if (Number.isFinite(index)) list.put(index, true);
    else list.draw();
  }

  /** Say something in passing. */
  say(words) {
    setText(this.list.note, words);
    clearTimeout(this.silence);
    this.silence = setTimeout(() => setText(this.list.note, ""), 6000);
  }

  // --- the box

  showBox(open) {
    this.box.element.hidden = !open;
    this.sender.setAttribute("aria-pressed", String(open));
    if (open) this.box.text.focus();
    else this.sender.focus();
  }

  write(text) {
    this.showBox(true);
    this.box.put(text);
  }

  close() {
    this.list.resize.disconnect();
    this.box?.close();
    clearTimeout(this.timer);
    clearTimeout(this.silence);
  }
}

function toggle(words, attributes) {
  const all = { type: "button", "aria-pressed": "false", ...attributes };
  return make("button", "rtw-toggle", all, words);
}
