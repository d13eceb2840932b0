// What the page knows of a timeline, and which part of it is in view. Nothing here draws.

export const LANES = ["user", "generated", "heard", "text", "tools"];
export const NAMES = {
  user: "user speech",
  generated: "generated audio",
  heard: "heard audio",
  text: "text",
  tools: "tools",
};
export const DIRECTIONS = ["client", "server", "local"];
const BIN = 0.02; // seconds behind one byte of a waveform
const SHORTEST = 0.05; // seconds that can be zoomed to
const WINDOW = 30; // seconds that are followed

/** "3.2 s" or "1:02.0": seconds since the session began; "−3.2 s" before that. */
export function clock(seconds, digits = 1) {
  if (seconds < 0) return `−${clock(-seconds, digits)}`;
  const unit = 10 ** digits;
  const whole = Math.round(seconds * unit); // first, so that no minute has sixty seconds
  if (whole < 60 * unit) return `${(whole / unit).toFixed(digits)} s`;
  const rest = ((whole % (60 * unit)) / unit).toFixed(digits);
  return `${Math.floor(whole / (60 * unit))}:${rest.padStart(digits ? digits + 3 : 2, "0")}`;
}

/** The moments for an axis: round steps, about `count` of them between two ends. */
export function ticks(start, end, count) {
  const rough = Math.max((end - start) / Math.max(1, count), 1e-6);
  const power = 10 ** Math.floor(Math.log10(rough));
  const scale = rough >= 10 ? [1, 1.5, 3, 6, 12] : [1, 2, 5, 10]; // beyond 10 s by minutes' parts
  const step = scale.map((one) => one * power).find((one) => one >= rough * 0.999) ?? rough;
  const found = [];
  for (let at = Math.ceil(start / step); at * step <= end; at++) found.push(at * step);
  return { step, found };
}

/** The spans, marks and interruptions that a page holds. What is said twice does no harm. */
export class Store {
  constructor() {
    this.restart(0);
  }

  restart(line, unit = "s") {
    Object.assign(this, { line, unit, now: 0, start: 0, end: 0, marks: [], cuts: [] });
    this.latest = -Infinity; // when the last of all that is shown ended
    this.going = new Set(); // spans that go on until now
    this.spans = new Map();
    this.lanes = new Map(LANES.map((lane) => [lane, []]));
  }

  /** Take a message; `bytes` are its waveforms. Gives false where something before it is missing. */
  take(message, bytes) {
    if (message.line !== this.line) this.restart(message.line);
    if (message.unit) this.unit = message.unit;
    for (const cells of message.spans ?? []) this.span(cells);
    this.sound(message.peaks ?? [], bytes);
    this.now = Math.max(this.now, message.now);
    this.end = Math.max(this.end, this.now);
    if (message.cuts) this.cuts = message.cuts.map(([t, end, label]) => ({ t, end, label }));
    for (const { t } of this.cuts) this.latest = Math.max(this.latest, t);
    const [first, marks] = message.marks ?? [this.marks.length, []];
    if (first > this.marks.length) return false;
    marks.forEach(([t, direction, type, label, weight], index) => {
      this.marks[first + index] = { t, direction: DIRECTIONS[direction], type, label, weight };
      if (weight > 0) this.latest = Math.max(this.latest, t);
    });
    return true;
  }

  span(cells) {
    const [number, lane, kind, start, end, ms, heard, arrived, open, aside, words] = cells;
    let span = this.spans.get(number);
    if (!span) {
      span = { number, lane: LANES[lane], peaks: new Uint8Array(0), count: 0 };
      this.spans.set(number, span);
      this.lanes.get(span.lane).push(span);
    }
    Object.assign(span, { kind, start, end, ms, heard, arrived, open, aside, words });
    this.end = Math.max(this.end, end);
    this.latest = Math.max(this.latest, end);
    this.going[this.goesOn(span) ? "add" : "delete"](span);
  }

  goesOn(span) {
    return span.open && (span.lane === "user" || span.lane === "tools");
  }

  /** When the last of all that is shown ends; now, where nothing was shown yet. */
  get last() {
    return this.going.size || this.latest === -Infinity ? this.now : this.latest;
  }

  sound(places, bytes) {
    let from = 0;
    for (const [number, start, count] of places) {
      const span = this.spans.get(number);
      if (span && start <= span.count) {
        if (span.peaks.length < start + count) {
          const more = new Uint8Array(2 * (start + count));
          more.set(span.peaks.subarray(0, span.count));
          span.peaks = more;
        }
        span.peaks.set(bytes.subarray(from, from + count), start);
        span.count = start + count;
      }
      from += count;
    }
  }

  /** Where a span ends: what goes on, goes on until now. */
  endOf(span) {
    return this.goesOn(span) ? Math.max(span.end, this.now) : span.end;
  }

  /** Where the heard part of a span ends. */
  heardEnd(span) {
    if (span.heard < 0 || !span.ms) return span.end;
    return span.start + (span.end - span.start) * Math.min(1, span.heard / span.ms);
  }

  /** The loudness of a span between two moments, 0 to 255; -1 where it has no waveform. */
  loudness(span, from, to) {
    if (!span.count) return -1;
    const length = span.end - span.start;
    const whole = Math.min(span.count, Math.max(1, Math.round(span.ms / 1000 / BIN)));
    const share = length > 0 ? whole / length : 0;
    const first = Math.max(0, Math.floor((from - span.start) * share + 1e-6));
    const last = Math.min(whole, Math.max(first + 1, Math.ceil((to - span.start) * share - 1e-6)));
    let loudest = 0;
    for (let at = first; at < last; at++) if (span.peaks[at] > loudest) loudest = span.peaks[at];
    return loudest;
  }
}

/** For spans of a lane in their order: the row of each, so that few overlap by more than a tenth of a
    second; at most `rows`. */
export function stacked(store, spans, rows = 2) {
  const free = [];
  return [...spans]
    .sort((one, other) => one.start - other.start)
    .map((span) => {
      let row = free.findIndex((end) => end <= span.start + 0.1);
      if (row < 0) row = Math.min(free.length, rows - 1);
      free[row] = Math.max(span.start, store.heardEnd(span));
      return [span, row];
    });
}

/** Which part of a timeline is in view: all of it, the newest, or what a person chose. */
export class View {
  constructor(store) {
    this.store = store;
    this.mode = "follow"; // or "fit", or "free"
    this.length = WINDOW;
    this.chosen = [0, WINDOW];
  }

  get reach() {
    const { store } = this;
    const all = Math.max(store.end - store.start, store.unit === "s" ? 4 : 10);
    if (this.mode === "free") return this.chosen;
    if (this.mode === "fit" || all <= this.length)
      return [store.start - 0.01 * all, store.start + 1.03 * all];
    // What is still to be heard is in view too, as far as there is room for it.
    const newest = Math.max(store.now, Math.min(store.end, store.now + 0.3 * this.length));
    // While nothing happens the last that did stays in view, be it opened then or open all the time.
    const end = store.unit === "s" ? Math.min(newest, store.last + 0.5 * this.length) : newest;
    return [end - this.length, end + 0.03 * this.length];
  }

  zoom(factor, at) {
    const [start, end] = this.reach;
    const middle = at ?? (this.mode === "follow" ? end : (start + end) / 2);
    const longest = 1.5 * Math.max(4, this.store.end - this.store.start);
    const length = Math.min(longest, Math.max(SHORTEST, (end - start) * factor));
    if (this.mode === "follow" && at === undefined) {
      this.length = length;
      return;
    }
    const begin = middle - ((middle - start) / (end - start)) * length;
    this.choose(begin, begin + length);
  }

  pan(share) {
    const [start, end] = this.reach;
    this.choose(start + share * (end - start), end + share * (end - start));
  }

  choose(start, end) {
    const { store } = this;
    const length = end - start;
    const begin = Math.min(Math.max(start, store.start - 0.5 * length), store.end - 0.1 * length);
    this.mode = "free";
    this.chosen = [begin, begin + length];
  }

  /** Bring a moment into view, where it is not. */
  reveal(start, end) {
    const [from, to] = this.reach;
    if (start < from || start > to) {
      const length = to - from;
      const middle = Math.min(start + length / 2, (start + end) / 2);
      this.choose(middle - length / 2, middle + length / 2);
    }
  }
}

/** What a span, a mark or an interruption says: its kind with times, and its words. */
export function describe(store, { kind, it }) {
  const timed = store.unit === "s";
  const at = (t) => (timed ? clock(t, 2) : `event ${t}`);
  if (kind === "mark") return [`${it.direction} · ${it.type} · ${at(it.t)}`, it.label];
  if (kind === "cut") return [`${it.label} · ${at(it.t)}`, ""];
  const facts = [it.lane === "tools" ? "tool call" : it.lane === "text" ? it.kind : NAMES[it.lane]];
  if (it.kind === "typed" || it.kind === "system") facts[0] = it.kind;
  if (it.ms) facts.push(`${(it.ms / 1000).toFixed(1)} s`);
  if (it.heard >= 0) facts.push(`${(it.heard / 1000).toFixed(1)} s of it heard`);
  if (it.aside) facts.push("out of band");
  const end = store.endOf(it);
  facts.push(end > it.start ? `${at(it.start)} to ${at(end)}` : at(it.start));
  if (it.open) facts.push("goes on");
  return [facts.join(" · "), it.words];
}

/** Everything that can be chosen, by time: for the list, and for the arrow keys. */
export function all(store) {
  const spans = [...store.spans.values()].map((it) => ({
    kind: "span",
    number: it.number,
    it,
    t: it.start,
  }));
  const cuts = store.cuts.map((it, number) => ({ kind: "cut", number, it, t: it.t }));
  const marks = store.marks
    .map((it, number) => ({ kind: "mark", number, it, t: it.t }))
    .filter(({ it }) => it.weight > 0);
  return [...spans, ...cuts, ...marks].sort((one, other) => one.t - other.t);
}
