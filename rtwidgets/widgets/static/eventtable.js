// The live table of raw events. The model keeps the rows, so that every view of it shows the same and
// a view can be thrown away; a view draws only the lines that are in sight.

import { hideFallback, insist, make, setText } from "./page.js";

// A row as the kernel sends it (eventtable.py: cells_of).
const TIME = 1,
  DIRECTION = 2,
  TYPE = 3,
  SUMMARY = 4,
  ITEM = 5,
  AUDIO = 6,
  TEXT = 7;

export const LINE = 24; // px; every line has this height, so that a place on the page is a division
const LIMIT = 50_000; // rows a page keeps: beyond it the oldest go, the log in the kernel has them all
const SPARE = 8; // lines drawn above and below what is in sight

export const SIGNS = {
  client: { sign: "→", words: "sent" },
  server: { sign: "←", words: "received" },
  local: { sign: "◦", words: "here" },
};

/** "12.034" or "1:02:03.456": seconds since the session began. */
export function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (!minutes) return seconds.toFixed(3);
  const rest = (seconds - minutes * 60).toFixed(3).padStart(6, "0");
  return minutes < 60
    ? `${minutes}:${rest}`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/** Whether events of this type come in runs that fold into one line. */
export function folds(type) {
  return (
    type.endsWith(".delta") || type === "input_audio_buffer.append" || type === "playback.heard"
  );
}

/** Whether a row has every word of `words` somewhere and a direction that is switched on. */
export function matches(row, words, directions) {
  if (!directions.has(row[DIRECTION])) return false;
  if (!words.length) return true;
  const text = `${row[TYPE]} ${row[SUMMARY]} ${row[ITEM]}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** The rows a page holds, by their place in the log; what is missing or double does no harm. */
export class Rows {
  constructor(limit = LIMIT) {
    this.limit = limit;
    this.first = 0; // the place of rows[0]
    this.rows = [];
  }

  get next() {
    return this.first + this.rows.length;
  }

  at(place) {
    return this.rows[place - this.first];
  }

  /** Take rows that begin at `start`. Gives how many were new, or -1 when some before them are missing. */
  take(start, rows) {
    if (start > this.next) return -1;
    const fresh = rows.slice(this.next - start);
    for (const row of fresh) this.rows.push(row);
    return fresh.length;
  }

  /** Let the oldest go where there are too many. Gives whether any went. */
  trim() {
    if (this.rows.length <= this.limit) return false;
    const gone = this.rows.length - Math.floor(this.limit * 0.9);
    this.rows = this.rows.slice(gone);
    this.first += gone;
    return true;
  }
}

/** The lines a person sees: single events, and runs of the same delta, folded or open. */
export class Lines {
  constructor(opened = new Set()) {
    this.opened = opened; // the first places of the runs that are open
    this.lines = []; // {run, member}: member -1 is the run itself, else an index into its places
    this.current = new Map(); // runs that may still grow: deltas between two other events
    this.stale = false;
  }

  add(place, row) {
    const key = folds(row[TYPE]) ? `${row[DIRECTION]} ${row[TYPE]} ${row[ITEM]}` : "";
    if (!key) this.current.clear();
    const run = key && this.current.get(key);
    if (run) {
      run.places.push(place);
      run.audio += row[AUDIO];
      run.text += row[TEXT];
      run.last = row;
      this.stale ||= this.opened.has(run.places[0]);
    } else {
      const fresh = { places: [place], row, last: row, audio: row[AUDIO], text: row[TEXT] };
      if (key) this.current.set(key, fresh);
      this.lines.push({ run: fresh, member: -1 });
    }
  }

  toggle(run) {
    const place = run.places[0];
    if (!this.opened.delete(place)) this.opened.add(place);
    this.settle(true);
  }

  /** Put the members of open runs in their places, when something changed there. */
  settle(force = false) {
    if (!force && !this.stale) return;
    const heads = this.lines.filter((line) => line.member < 0);
    this.lines = heads.flatMap((line) => {
      const { run } = line;
      const open = run.places.length > 1 && this.opened.has(run.places[0]);
      return open ? [line, ...run.places.map((_, member) => ({ run, member }))] : [line];
    });
    this.stale = false;
  }
}

/** What a run says in one line: its audio added up, its text put together, else its last event. */
export function describe(run) {
  if (run.places.length === 1) return run.row[SUMMARY];
  if (run.audio) return `${(run.audio / 1000).toFixed(2)} s of audio`;
  return run.text ? `“${run.text}”` : run.last[SUMMARY];
}

/** JSON text in pieces [kind, text], kind being key, string, number, word or "" for the rest. */
export function pieces(json) {
  const found = [];
  const pattern =
    /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;
  let end = 0;
  for (const match of json.matchAll(pattern)) {
    if (match.index > end) found.push(["", json.slice(end, match.index)]);
    const [all, string, colon, number] = match;
    if (string) found.push([colon ? "key" : "string", string]);
    else found.push([number ? "number" : "word", all]);
    if (colon) found.push(["", colon]);
    end = match.index + all.length;
  }
  if (end < json.length) found.push(["", json.slice(end)]);
  return found;
}

class Table {
  constructor(model, el, store) {
    this.model = model;
    this.store = store;
    this.following = true;
    this.cursor = -1; // the line the keyboard is on
    this.shown = -1; // the place whose JSON is open
    this.unseen = 0;
    this.pool = [];
    this.id = `rtw-${Math.random().toString(36).slice(2, 9)}`;
    this.directions = new Set(Object.keys(SIGNS));
    this.words = [];
    this.folded = new Lines();
    this.build(el);
    this.refold();
  }

  build(el) {
    el.classList.add("rtw", "rtw-events");
    this.count = make("span", "rtw-events-count", { role: "status" });
    this.filter = make("input", "rtw-input rtw-filter", {
      type: "search",
      placeholder: "Filter",
      "aria-label": "Filter events by type, summary or item id",
      spellcheck: "false",
    });
    const toggles = Object.entries(SIGNS).map(([name, { sign, words }]) =>
      make(
        "button",
        "rtw-toggle",
        {
          type: "button",
          "aria-pressed": "true",
          "data-direction": name,
          title: `Show what was ${words}`,
        },
        make("span", `rtw-sign rtw-${name}`, { "aria-hidden": "true" }, sign),
        name,
      ),
    );
    const title = make("span", "rtw-events-title", {}, this.model.get("title"));
    const bar = make(
      "div",
      "rtw-bar",
      {},
      title,
      this.count,
      this.filter,
      make("div", "rtw-toggles", { role: "group", "aria-label": "Directions" }, ...toggles),
    );
    this.rows = make("div", "rtw-window", { role: "rowgroup" });
    this.space = make("div", "rtw-space", { role: "presentation" }, this.rows);
    this.list = make(
      "div",
      "rtw-list",
      {
        role: "grid",
        tabindex: "0",
        "aria-label": `${this.model.get("title")}: time, direction, type, summary`,
        "data-lm-suppress-shortcuts": "true",
      },
      this.space,
    );
    this.jump = make("button", "rtw-button rtw-jump", { type: "button", hidden: "" });
    this.empty = make(
      "div",
      "rtw-empty",
      {},
      "Every event, sent and received, will stand here as it happens.",
    );
    this.detail = make("section", "rtw-detail", {
      hidden: "",
      "aria-label": "Event in full",
      "data-lm-suppress-shortcuts": "true",
    });
    this.body = make(
      "div",
      "rtw-events-body",
      {},
      make("div", "rtw-list-frame", {}, this.list, this.empty, this.jump),
      this.detail,
    );
    this.body.style.height = this.model.get("height");
    el.append(bar, this.body);
    hideFallback(el, this.model.get("hides"));
    this.listen(toggles);
  }

  listen(toggles) {
    this.filter.addEventListener("input", () => {
      this.words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      this.refold();
    });
    for (const toggle of toggles)
      toggle.addEventListener("click", () => this.toggleDirection(toggle));
    this.list.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => this.click(event));
    this.jump.addEventListener("click", () => this.follow());
    this.detail.addEventListener(
      "keydown",
      (event) => event.key === "Escape" && this.closeDetail(),
    );
    this.resize = new ResizeObserver(() => this.show());
    this.resize.observe(this.list);
  }

  toggleDirection(toggle) {
    const name = toggle.dataset.direction;
    if (!this.directions.delete(name)) this.directions.add(name);
    toggle.setAttribute("aria-pressed", String(this.directions.has(name)));
    this.refold();
  }

  // --- rows to lines

  /** Fold all rows anew: the filter changed, or old rows went. */
  refold() {
    this.folded = new Lines(this.folded.opened);
    this.done = this.store.rows.first;
    this.cursor = -1;
    this.fold();
    this.folded.settle(true);
    this.show();
  }

  fold() {
    const { rows } = this.store;
    for (; this.done < rows.next; this.done++) {
      const row = rows.at(this.done);
      if (matches(row, this.words, this.directions)) this.folded.add(this.done, row);
    }
    this.folded.settle();
  }

  show() {
    if (this.following) this.follow();
    else this.draw();
  }

  /** The store has more rows, or fewer. */
  update() {
    if (this.done < this.store.rows.first) this.refold();
    const before = this.folded.lines.length;
    this.fold();
    if (!this.following) this.unseen += Math.max(0, this.folded.lines.length - before);
    this.show();
  }

  /** The store has other rows. */
  restart() {
    this.folded = new Lines();
    this.following = true;
    this.closeDetail();
    this.refold();
  }

  // --- drawing

  follow() {
    this.following = true;
    this.unseen = 0;
    this.size();
    this.list.scrollTop = this.list.scrollHeight;
    this.draw();
  }

  size() {
    this.space.style.height = `${this.folded.lines.length * LINE}px`;
  }

  draw() {
    const { lines } = this.folded;
    this.size();
    const top = Math.max(0, Math.floor(this.list.scrollTop / LINE) - SPARE);
    const bottom = Math.min(
      lines.length,
      Math.ceil((this.list.scrollTop + this.list.clientHeight) / LINE) + SPARE,
    );
    while (this.pool.length < bottom - top) this.pool.push(this.blank());
    this.rows.style.transform = `translateY(${top * LINE}px)`;
    this.pool.forEach((row, index) => {
      row.element.hidden = top + index >= bottom;
      if (!row.element.hidden) this.fill(row, top + index, lines[top + index]);
    });
    this.list.setAttribute("aria-rowcount", String(lines.length));
    if (this.cursor >= 0)
      this.list.setAttribute("aria-activedescendant", `${this.id}-${this.cursor}`);
    else this.list.removeAttribute("aria-activedescendant");
    this.label(lines.length);
  }

  label(lines) {
    const { rows } = this.store;
    const filtered = this.words.length || this.directions.size < 3;
    setText(this.count, filtered ? `${rows.next} · ${lines} lines fit` : `${rows.next}`);
    this.empty.hidden = lines > 0;
    if (!lines && rows.next) setText(this.empty, "No event fits this filter.");
    this.jump.hidden = this.following || !lines;
    setText(this.jump, this.unseen ? `↓ ${this.unseen} new` : "↓ Newest");
    this.jump.setAttribute("aria-label", "Jump to the newest event");
  }

  blank() {
    const cell = (name) => make("span", `rtw-cell rtw-${name}`, { role: "gridcell" });
    const parts = {
      time: cell("time"),
      sign: cell("sign"),
      fold: make("button", "rtw-fold", { type: "button", tabindex: "-1" }),
      type: cell("type"),
      name: make("span", "rtw-name"),
      count: make("span", "rtw-count"),
      summary: cell("summary"),
    };
    parts.type.append(parts.fold, parts.name, parts.count);
    const element = make(
      "div",
      "rtw-row",
      { role: "row" },
      parts.time,
      parts.sign,
      parts.type,
      parts.summary,
    );
    this.rows.append(element);
    return { element, ...parts };
  }

  fill(parts, index, { run, member }) {
    const head = member < 0;
    const row = head ? run.row : (this.store.rows.at(run.places[member]) ?? run.row);
    const many = head && run.places.length > 1;
    const place = head ? run.places[0] : run.places[member];
    const { sign, words } = SIGNS[row[DIRECTION]];
    setText(parts.time, clock(row[TIME]));
    setText(parts.sign, sign);
    parts.sign.className = `rtw-cell rtw-sign rtw-${row[DIRECTION]}`;
    parts.sign.setAttribute("aria-label", words);
    setText(parts.name, row[TYPE] || "not JSON");
    setText(parts.count, many ? `×${run.places.length}` : "");
    setText(parts.summary, head ? describe(run) : row[SUMMARY]);
    parts.fold.hidden = !many;
    const open = many && this.folded.opened.has(run.places[0]);
    setText(parts.fold, open ? "▾" : "▸");
    parts.fold.setAttribute("aria-label", `${open ? "Fold" : "Open"} ${run.places.length} events`);
    const { element } = parts;
    element.id = `${this.id}-${index}`;
    element.dataset.index = index;
    element.setAttribute("aria-rowindex", String(index + 1));
    if (many) element.setAttribute("aria-expanded", String(open));
    else element.removeAttribute("aria-expanded");
    element.setAttribute(
      "aria-selected",
      String(place === this.shown && (head ? !open || this.shownHead : !this.shownHead)),
    );
    element.classList.toggle("rtw-cursor", index === this.cursor);
    element.classList.toggle("rtw-member", !head);
    element.classList.toggle("rtw-odd", index % 2 === 1);
    element.classList.toggle("rtw-failed", row[TYPE] === "error" || row[TYPE] === "line.lost");
  }

  // --- a person

  scrolled() {
    const rest = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight;
    this.following = rest < LINE;
    if (this.following) this.unseen = 0;
    this.draw();
  }

  click(event) {
    const element = event.target.closest(".rtw-row");
    if (!element) return;
    this.cursor = Number(element.dataset.index);
    if (event.target.closest(".rtw-fold")) this.toggleRun();
    else this.open();
  }

  key(event) {
    const { lines } = this.folded;
    const page = Math.max(1, Math.floor(this.list.clientHeight / LINE) - 1);
    const steps = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -lines.length,
      End: lines.length,
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in steps) this.move(steps[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.open();
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft")
      this.toggleRun(event.key === "ArrowRight");
    else if (event.key === "Escape") this.closeDetail();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(steps) {
    const { lines } = this.folded;
    if (!lines.length) return;
    const from = this.cursor < 0 ? (steps > 0 ? -1 : lines.length) : this.cursor;
    this.cursor = Math.min(lines.length - 1, Math.max(0, from + steps));
    const top = this.cursor * LINE;
    const { list } = this;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + LINE > list.scrollTop + list.clientHeight)
      list.scrollTop = top + LINE - list.clientHeight;
    this.scrolled();
    if (!this.detail.hidden) this.open();
  }

  toggleRun(wanted) {
    const line = this.folded.lines[this.cursor];
    if (!line || line.run.places.length < 2) return;
    const open = this.folded.opened.has(line.run.places[0]);
    if (wanted === open) return;
    this.folded.toggle(line.run);
    this.cursor = this.folded.lines.findIndex(({ run }) => run === line.run);
    this.following = false;
    this.draw();
  }

  open() {
    const line = this.folded.lines[this.cursor];
    if (!line) return;
    const { run, member } = line;
    this.shownHead = member < 0;
    this.shown = run.places[Math.max(0, member)];
    this.model.send({ t: "json", table: this.store.table, place: this.shown });
    this.showDetail(run, member);
    this.draw();
  }

  showDetail(run, member) {
    const row = this.store.rows.at(this.shown) ?? run.row;
    const close = make(
      "button",
      "rtw-button rtw-quiet",
      { type: "button", "aria-label": "Close", title: "Close (Esc)" },
      "✕",
    );
    const copy = make("button", "rtw-button rtw-quiet", { type: "button" }, "Copy");
    close.addEventListener("click", () => this.closeDetail());
    copy.addEventListener("click", () => this.copy(copy));
    const many = run.places.length > 1;
    const which = many ? `${Math.max(0, member) + 1} of ${run.places.length}` : "";
    this.json = make("pre", "rtw-json", { tabindex: "0" }, "…");
    this.detail.replaceChildren(
      make(
        "div",
        "rtw-detail-bar",
        {},
        make("strong", "rtw-detail-type", { title: row[TYPE] }, row[TYPE] || "not JSON"),
        make("span", "rtw-note", {}, which),
        copy,
        close,
      ),
      this.json,
    );
    this.detail.hidden = false;
  }

  answer(place, json) {
    if (place !== this.shown) return;
    this.json.replaceChildren(
      ...pieces(json).map(([kind, text]) =>
        kind ? make("span", `rtw-json-${kind}`, {}, text) : text,
      ),
    );
  }

  async copy(button) {
    try {
      await navigator.clipboard.writeText(this.json.textContent);
      setText(button, "Copied");
    } catch {
      getSelection().selectAllChildren(this.json);
      setText(button, "Selected");
    }
  }

  closeDetail() {
    const focused = this.detail.contains(document.activeElement);
    this.shown = -1;
    this.detail.hidden = true;
    if (focused) this.list.focus();
    this.draw();
  }
}

export default () => {
  const store = { table: 0, rows: new Rows() };
  const views = new Set();
  let frame = 0;

  const redraw = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      store.rows.trim();
      for (const view of views) view.update();
    });
  };

  const takeRows = (model, { table, start, rows }) => {
    if (table !== store.table) {
      Object.assign(store, { table, rows: new Rows() });
      for (const view of views) view.restart();
    }
    if (store.rows.take(start, rows) < 0) model.send({ t: "more", table, start: store.rows.next });
    redraw();
  };

  return {
    initialize({ model }) {
      const answered = insist(() =>
        model.send({ t: "more", table: store.table, start: store.rows.next }),
      );
      const receive = (message) => {
        if (message.t === "rows") {
          answered();
          takeRows(model, message);
        }
        if (message.t === "json" && message.table === store.table)
          for (const view of views) view.answer(message.place, message.json);
      };
      model.on("msg:custom", receive);
      return () => {
        answered();
        model.off("msg:custom", receive);
      };
    },

    render({ model, el }) {
      const view = new Table(model, el, store);
      views.add(view);
      return () => {
        view.resize.disconnect();
        views.delete(view);
      };
    },
  };
};
