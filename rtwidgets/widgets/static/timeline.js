// The live timeline: lanes drawn on a canvas, from what timeline/state.js knows. The model keeps that,
// so that every view of it shows the same and a view can be thrown away.

import { hideFallback, insist, make, setAttributes, setText } from "./page.js";
import { LANES, NAMES, Store, View, all, clock, describe, stacked, ticks } from "./timeline/state.js";

const AXIS = 18; // px for the times below
const EVENTS = 15; // px for a lane of events
const NEAR = 4; // px that a pointer may be beside what it means
const NARROW = 520;
const SHORT = { user: "you", generated: "model", heard: "heard", text: "text", tools: "tools" };

/** Where the lanes lie: {client, user, …, server} to [top, height], within so many pixels. */
export function places(height) {
  const lane = Math.max(12, (height - AXIS - 2 * EVENTS) / LANES.length);
  const found = { client: [0, EVENTS] };
  LANES.forEach((name, index) => (found[name] = [EVENTS + index * lane, lane]));
  found.server = [EVENTS + LANES.length * lane, EVENTS];
  return found;
}

/** Text that fits into so many pixels, by the width of its letters; "" where nothing does. */
export function fitting(text, width, letter) {
  const room = Math.floor(width / letter);
  if (text.length <= room) return text;
  return room < 4 ? "" : `${text.slice(0, room - 1).trimEnd()}…`;
}

class Drawing {
  constructor(model, el, store) {
    Object.assign(this, { model, store, view: new View(store), hits: [], chosen: null });
    this.frame = 0;
    this.listed = 0;
    this.build(el);
    this.listen();
    this.soon();
  }

  build(el) {
    el.classList.add("rtw-timeline");
    const button = (text, label) =>
      make("button", "rtw-tl-button", { type: "button", "aria-label": label, title: label }, text);
    this.reach = make("span", "rtw-tl-reach");
    this.out = button("−", "Zoom out (−)");
    this.in = button("+", "Zoom in (+)");
    this.fit = button("All", "Show all of it (0)");
    this.follow = button("Follow", "Follow the newest (F)");
    const title = make("span", "rtw-tl-title", {}, this.model.get("title"));
    const bar = make("div", "rtw-tl-bar", {}, title, this.reach);
    bar.append(this.out, this.in, this.fit, this.follow);
    this.canvas = make("canvas", "", {
      tabindex: "0",
      role: "application",
      "aria-roledescription": "timeline",
      "aria-label":
        "Timeline. Up and down step from one to the next, Enter selects its events, left and right move, plus and minus zoom. A list of it follows.",
      "data-lm-suppress-shortcuts": "true",
    });
    this.tip = make("div", "rtw-tl-tip", { hidden: "" });
    this.box = make("div", "rtw-tl-frame", {}, this.canvas, this.tip);
    this.box.style.height = this.model.get("height");
    this.spoken = make("div", "rtw-tl-spoken", { "aria-live": "polite" });
    this.rows = make("div", "rtw-tl-rows");
    this.list = make("details", "rtw-tl-list", {}, make("summary", "", {}, "As a list"), this.rows);
    el.append(bar, this.box, this.spoken, this.list);
    hideFallback(el, this.model.get("hides"));
  }

  listen() {
    const { canvas, view } = this;
    const then = (act) => () => (act(), this.soon());
    this.out.addEventListener("click", then(() => view.zoom(1.5)));
    this.in.addEventListener("click", then(() => view.zoom(1 / 1.5)));
    this.fit.addEventListener("click", then(() => (view.mode = "fit")));
    this.follow.addEventListener("click", then(() => this.toggleFollow()));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", () => (this.drag = null));
    canvas.addEventListener("pointerleave", () => this.hover(null));
    this.list.addEventListener("toggle", () => this.relist(true));
    this.rows.addEventListener("click", (event) => this.pickListed(event));
    this.resize = new ResizeObserver(() => this.soon());
    this.resize.observe(this.box);
    // Another theme has other colours; a canvas does not take them by itself.
    this.theme = new MutationObserver(() => this.soon());
    this.theme.observe(document.body, { attributes: true });
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", (this.redark = () => this.soon()));
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.resize.disconnect();
    this.theme.disconnect();
    this.dark.removeEventListener("change", this.redark);
  }

  toggleFollow() {
    const { view } = this;
    const [start, end] = view.reach;
    if (view.mode === "follow") view.choose(start, end);
    else Object.assign(view, { mode: "follow", length: Math.max(10, Math.min(30, end - start)) });
  }

  soon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
      this.relist();
    });
  }

  // --- drawing

  draw() {
    const { width, height } = this.canvas.getBoundingClientRect();
    if (!width || !height) return;
    const sharp = window.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * sharp), Math.round(height * sharp)];
    if (this.canvas.width !== w || this.canvas.height !== h)
      Object.assign(this.canvas, { width: w, height: h });
    const pen = (this.pen = this.canvas.getContext("2d"));
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.canvas);
    this.colour = (name) => style.getPropertyValue(`--tl-${name}`).trim();
    pen.font = `11px ${style.fontFamily}`;
    this.letter = pen.measureText("the quick brown fox").width / 19;
    this.left = width < NARROW ? 48 : 112;
    [this.start, this.end] = this.view.reach;
    this.scale = (width - this.left) / (this.end - this.start);
    Object.assign(this, { width, height, hits: [], lanes: places(height) });
    this.axis();
    pen.save();
    pen.beginPath();
    pen.rect(this.left, 0, width - this.left, height - AXIS);
    pen.clip();
    for (const name of LANES) this.lane(name);
    this.events();
    this.cuts();
    pen.restore();
    this.says();
  }

  x(t) {
    return this.left + (t - this.start) * this.scale;
  }

  axis() {
    const { pen, width, height } = this;
    const bottom = height - AXIS;
    pen.textBaseline = "middle";
    const names = width < NARROW ? SHORT : NAMES;
    pen.textAlign = "right";
    for (const [name, [top, high]] of Object.entries(this.lanes)) {
      pen.fillStyle = this.colour("dim");
      const label = names[name] ?? (width < NARROW ? name : `${name} events`);
      pen.fillText(label, this.left - 8, top + high / 2);
      pen.fillStyle = this.colour("edge");
      pen.fillRect(0, Math.round(top + high), width, 1);
    }
    const digits = { s: this.end - this.start < 2 ? 2 : this.end - this.start < 12 ? 1 : 0 };
    const { found } = ticks(this.start, this.end, (width - this.left) / 90);
    pen.textAlign = "center";
    for (const t of found) {
      const x = Math.round(this.x(t));
      if (t < 0 || x < this.left) continue;
      pen.globalAlpha = 0.6;
      pen.fillStyle = this.colour("edge");
      pen.fillRect(x, 0, 1, bottom);
      pen.globalAlpha = 1;
      pen.fillStyle = this.colour("dim");
      const label = this.store.unit === "s" ? clock(t, digits.s) : String(Math.round(t));
      const half = pen.measureText(label).width / 2;
      if (x + half < width && x - half > 0) pen.fillText(label, x, bottom + AXIS / 2 + 1);
    }
    pen.textAlign = "left";
  }

  lane(name) {
    const [top, high] = this.lanes[name];
    const seen = this.store.lanes
      .get(name)
      .filter((span) => span.start <= this.end && this.store.endOf(span) >= this.start);
    const rows = stacked(this.store, seen);
    const count = 1 + Math.max(0, ...rows.map(([, row]) => row));
    const free = new Array(count).fill(-Infinity);
    rows.forEach(([span, row], index) => {
      const [y, part] = [top + (row * high) / count, high / count];
      const next = rows.slice(index + 1).find(([, other]) => other === row);
      const limit = next ? this.x(next[0].start) : this.width;
      this.span(span, y, part, limit, free, row);
    });
  }

  span(span, top, high, limit, free, row) {
    const { pen } = this;
    const colour = this.colour(span.lane === "text" ? "dim" : span.lane);
    const end = this.store.endOf(span);
    const [from, to] = [this.x(span.start), Math.max(this.x(end), this.x(span.start) + 2)];
    pen.fillStyle = pen.strokeStyle = colour;
    const middle = top + high / 2;
    if (end <= span.start && !span.open) this.dot(span, from, middle);
    else if (span.lane === "text" || span.lane === "tools") this.bar(span, from, to, top, high);
    else this.wave(span, from, to, middle, high);
    const hit = { kind: "span", number: span.number, it: span, t: span.start };
    this.hits.push({ ...hit, box: [from - 2, top, Math.max(to, from + 8), top + high] });
    if (this.same(hit)) this.frameOf(from - 2, top + 1, to + 2, high - 2);
    if (span.lane === "text" || span.lane === "tools" || span.kind === "typed")
      this.words(span, from, to, middle, limit, free, row);
  }

  dot(span, x, y) {
    const { pen } = this;
    pen.lineWidth = 1.5;
    if (span.kind === "typed") pen.fillRect(x - 4, y - 4, 8, 8);
    else pen.strokeRect(x - 3.5, y - 3.5, 7, 7);
  }

  bar(span, from, to, top, high) {
    const { pen } = this;
    const y = top + high * 0.12;
    pen.globalAlpha = 0.75;
    if (span.open && span.lane === "tools") {
      pen.setLineDash([3, 2]);
      pen.strokeRect(from, y, to - from, 4);
      pen.setLineDash([]);
    } else pen.fillRect(from, y, to - from, 4);
    pen.globalAlpha = 1;
  }

  wave(span, from, to, middle, high) {
    const { pen, store } = this;
    const half = high * 0.42;
    const cut = this.x(store.heardEnd(span));
    const [first, last] = [Math.max(this.left, Math.floor(from)), Math.min(this.width, to)];
    const path = new Path2D();
    for (let x = first; x < last; x++) {
      const t = this.start + (x - this.left) / this.scale;
      const loud = store.loudness(span, t, t + 1 / this.scale);
      const size = loud < 0 ? half * 0.3 : Math.max(0.75, Math.min(half, (half * loud) / 150));
      if (x < cut || (Math.floor(x) + 2) % 4 < 1) path.rect(x, middle - size, 1, 2 * size);
    }
    pen.fill(path);
    if (span.heard >= 0 && cut < last) this.unheard(cut, last, middle, half);
    if (span.aside) {
      pen.setLineDash([3, 3]);
      pen.strokeRect(from, middle - half, to - from, 2 * half);
      pen.setLineDash([]);
    }
    if (span.arrived > span.start && store.unit === "s")
      pen.fillRect(from, middle + half + 0.5, this.x(span.arrived) - from, 2);
  }

  /** The part that nobody heard is striped, and says so at its end. */
  unheard(cut, last, middle, half) {
    const { pen } = this;
    const text = "not heard";
    const width = pen.measureText(text).width + 6;
    if (last - Math.max(cut, this.left) < 1.6 * width) return;
    pen.fillStyle = this.colour("back");
    pen.fillRect(last - width, middle - half, width, 2 * half);
    pen.fillStyle = this.colour("dim");
    pen.fillText(text, last - width + 3, middle);
    pen.fillStyle = this.colour("generated");
  }

  words(span, from, to, middle, limit, free, row) {
    if (!span.words) return;
    const { pen } = this;
    const beside = span.kind === "typed" || span.kind === "system";
    const at = Math.max(beside ? from + 8 : from, this.left + 2, free[row] + 6);
    const said = beside ? `“${span.words}”` : span.words;
    const text = fitting(said, Math.min(limit, this.width) - at - 4, this.letter);
    if (!text) return;
    pen.fillStyle = this.colour("fg");
    pen.fillText(text, at, beside ? middle : middle + 4);
    free[row] = at + pen.measureText(text).width;
  }

  events() {
    const { marks } = this.store;
    const { pen } = this;
    marks.forEach((it, number) => {
      if (it.t < this.start || it.t > this.end) return;
      const server = it.direction === "server";
      const [top, high] = this.lanes[server ? "server" : "client"];
      const x = this.x(it.t);
      const y = top + high / 2;
      pen.fillStyle = pen.strokeStyle = this.colour(it.weight === 2 ? "cut" : "dim");
      if (it.weight === 2) this.cross(x, y);
      else if (it.weight === 1) this.arrow(x, y, server ? -1 : 1);
      else pen.fillRect(x - 0.5, y - 3, 1, 6);
      const hit = { kind: "mark", number, it, t: it.t };
      this.hits.push({ ...hit, box: [x - 1, top, x + 1, top + high] });
      if (this.same(hit)) this.frameOf(x - 6, top + 1, x + 6, high - 2);
    });
  }

  cross(x, y) {
    const { pen } = this;
    pen.lineWidth = 2.5;
    pen.beginPath();
    for (const turn of [-1, 1]) {
      pen.moveTo(x - 4, y - 4 * turn);
      pen.lineTo(x + 4, y + 4 * turn);
    }
    pen.stroke();
  }

  arrow(x, y, down) {
    const { pen } = this;
    pen.beginPath();
    pen.moveTo(x - 4, y - 3 * down);
    pen.lineTo(x + 4, y - 3 * down);
    pen.lineTo(x, y + 4 * down);
    pen.fill();
  }

  cuts() {
    const { pen } = this;
    const bottom = this.lanes.server[0];
    this.store.cuts.forEach((it, number) => {
      const x = this.x(it.t);
      if (x < this.left || x > this.width) return;
      pen.strokeStyle = pen.fillStyle = this.colour("cut");
      pen.lineWidth = 1.5;
      pen.setLineDash([5, 3]);
      pen.beginPath();
      pen.moveTo(x, EVENTS - 2);
      pen.lineTo(x, bottom);
      pen.stroke();
      pen.setLineDash([]);
      const hit = { kind: "cut", number, it, t: it.t };
      this.hits.push({ ...hit, box: [x - 1, EVENTS, x + 1, bottom] });
      if (this.same(hit)) this.frameOf(x - 4, EVENTS, x + 4, bottom - EVENTS);
      const word = it.label.split(",")[0];
      const [top, high] = this.lanes.heard;
      if (x + (word.length + 1) * this.letter < this.width) {
        pen.fillStyle = this.colour("cut");
        pen.fillText(word, x + 4, top + high / 2);
      }
    });
  }

  frameOf(from, top, to, high) {
    const { pen } = this;
    pen.save();
    pen.strokeStyle = this.colour("accent");
    pen.lineWidth = 2;
    pen.strokeRect(from, top, to - from, high);
    pen.restore();
  }

  says() {
    const { store, view } = this;
    const length = store.unit === "s" ? clock(store.end) : `${store.marks.length} events`;
    const cuts = store.cuts.length;
    setText(this.reach, `${length}${cuts ? ` · ${cuts} interrupted` : ""}`);
    setAttributes(this.follow, { "aria-pressed": view.mode === "follow" });
    setAttributes(this.fit, { "aria-pressed": view.mode === "fit" });
  }

  // --- a person

  same(hit) {
    return this.chosen?.kind === hit.kind && this.chosen.number === hit.number;
  }

  /** What is under the pointer: of several the nearest, then the smallest. */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    if (x < this.left) return null;
    const far = ({ box: [from, , to] }) => Math.max(0, from - x, x - to);
    const size = ({ box: [from, top, to, low] }) => (to - from) * (low - top);
    const near = this.hits.filter(
      (hit) => y >= hit.box[1] && y <= hit.box[3] && far(hit) <= NEAR,
    );
    near.sort((one, other) => far(one) - far(other) || size(one) - size(other));
    return near[0] ?? null;
  }

  wheel(event) {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const here = document.activeElement === this.canvas;
    // Without a click first the wheel goes on scrolling the notebook.
    if (!sideways && !event.ctrlKey && !event.metaKey && !here) return;
    event.preventDefault();
    if (sideways) this.view.pan(event.deltaX / 800);
    else {
      const x = event.clientX - this.canvas.getBoundingClientRect().left;
      const t = this.start + (Math.max(x, this.left) - this.left) / this.scale;
      this.view.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 200), t);
    }
    this.soon();
  }

  down(event) {
    if (event.button !== 0) return;
    this.canvas.focus({ preventScroll: true });
    this.drag = { x: event.clientX, reach: this.view.reach, moved: false };
    this.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    const { drag } = this;
    if (!drag) {
      this.hover(this.at(event), event);
      return;
    }
    const by = (event.clientX - drag.x) / this.scale;
    drag.moved ||= Math.abs(event.clientX - drag.x) > NEAR;
    if (!drag.moved) return;
    this.hover(null);
    this.view.choose(drag.reach[0] - by, drag.reach[1] - by);
    this.soon();
  }

  up(event) {
    const clicked = this.drag && !this.drag.moved;
    this.drag = null;
    if (clicked) this.choose(this.at(event));
  }

  hover(hit, event) {
    this.canvas.classList.toggle("rtw-tl-over", Boolean(hit));
    this.tip.hidden = !hit;
    if (!hit) return;
    const [facts, words] = describe(this.store, hit);
    this.tip.replaceChildren(make("small", "", {}, facts), words);
    const box = this.box.getBoundingClientRect();
    const x = event.clientX - box.left;
    const { offsetWidth, offsetHeight } = this.tip;
    this.tip.style.left = `${Math.max(4, Math.min(x + 10, box.width - offsetWidth - 4))}px`;
    const below = event.clientY - box.top + 14;
    const above = below - offsetHeight - 24;
    this.tip.style.top = `${below + offsetHeight > box.height && above > 0 ? above : below}px`;
  }

  /** Choose something, or nothing: its rows are selected where somebody listens. */
  choose(hit, tell = true) {
    this.chosen = hit;
    if (hit) {
      setText(this.spoken, describe(this.store, hit).filter(Boolean).join(": "));
      if (tell)
        this.model.send({ t: "select", line: this.store.line, kind: hit.kind, number: hit.number });
    }
    this.soon();
  }

  /** Choose what the kernel names. */
  show(kind, number) {
    const { store } = this;
    const it = kind === "mark" ? store.marks[number] : store.spans.get(number);
    if (!it) return;
    const [start, end] = kind === "mark" ? [it.t, it.t] : [it.start, store.endOf(it)];
    this.view.reveal(start, end);
    this.choose({ kind, number, it, t: start }, false);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { view } = this;
    const acts = {
      "+": () => view.zoom(1 / 1.5),
      "=": () => view.zoom(1 / 1.5),
      "-": () => view.zoom(1.5),
      _: () => view.zoom(1.5),
      0: () => (view.mode = "fit"),
      f: () => this.toggleFollow(),
      F: () => this.toggleFollow(),
      ArrowLeft: () => view.pan(-0.15),
      ArrowRight: () => view.pan(0.15),
      Home: () => view.reveal(this.store.start, this.store.start),
      End: () => (view.mode = "follow"),
      ArrowDown: () => this.step(1),
      ArrowUp: () => this.step(-1),
      Enter: () => this.choose(this.chosen),
      " ": () => this.choose(this.chosen),
      Escape: () => this.choose(null),
    };
    if (!(event.key in acts)) return;
    acts[event.key]();
    event.preventDefault();
    event.stopPropagation();
    this.soon();
  }

  step(by) {
    const every = all(this.store);
    if (!every.length) return;
    const here = every.findIndex((one) => this.same(one));
    const next = here < 0 ? (by > 0 ? 0 : every.length - 1) : here + by;
    const hit = every[Math.max(0, Math.min(every.length - 1, next))];
    this.view.reveal(hit.t, hit.kind === "span" ? this.store.endOf(hit.it) : hit.t);
    this.choose(hit, false);
  }

  // --- the same as a list

  relist(now = false) {
    if (!this.list.open || (!now && performance.now() - this.listed < 1000)) return;
    this.listed = performance.now();
    const head = ["when", "what", "words"].map((name) => make("th", "", { scope: "col" }, name));
    const body = all(this.store)
      .slice(-200)
      .map((hit) => {
        const [facts, words] = describe(this.store, hit);
        const when = this.store.unit === "s" ? clock(hit.t, 2) : `event ${hit.t}`;
        const pick = { type: "button", "data-kind": hit.kind, "data-number": hit.number };
        const button = make("button", "", pick, when);
        button.setAttribute("aria-label", `Select the events of: ${facts}`);
        const cells = [button, facts, words].map((cell) => make("td", "", {}, cell));
        return make("tr", "", {}, ...cells);
      });
    const table = make("table", "", {}, make("tr", "", {}, ...head), ...body);
    this.rows.replaceChildren(table);
  }

  pickListed(event) {
    const { kind, number } = event.target.closest("button")?.dataset ?? {};
    if (!kind) return;
    const hit = all(this.store).find((one) => one.kind === kind && one.number === Number(number));
    if (!hit) return;
    this.view.reveal(hit.t, hit.t);
    this.choose(hit);
  }
}

export default () => {
  const store = new Store();
  const views = new Set();
  const bytes = (buffers) => {
    const [sound] = buffers ?? [];
    return sound ? new Uint8Array(sound.buffer, sound.byteOffset, sound.byteLength) : null;
  };

  return {
    initialize({ model }) {
      const ask = () => model.send({ t: "more" });
      const answered = insist(ask);
      const receive = (message, buffers) => {
        if (message.t !== "news") return;
        answered();
        if (!store.take(message, bytes(buffers))) ask();
        for (const view of views) message.show ? view.show(...message.show) : view.soon();
      };
      model.on("msg:custom", receive);
      return () => {
        answered();
        model.off("msg:custom", receive);
      };
    },

    render({ model, el }) {
      const view = new Drawing(model, el, store);
      views.add(view);
      return () => {
        view.close();
        views.delete(view);
      };
    },
  };
};
