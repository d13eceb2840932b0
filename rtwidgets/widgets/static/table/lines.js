// From rows to the lines a person sees: runs of deltas folded or open, turns marked, others filtered out.

import { DIRECTIONS, Rows } from "./rows.js";
import { audioWords, summary, whole } from "./wording.js";

const SHOWN = 300; // characters of a run's text that its line holds; there is no room for more

/** Rows that read as one: a single event, or the deltas of one kind and item in a row. */
class Run {
  constructor(index, place) {
    this.index = index;
    this.places = [place];
    this.audio = 0; // ms
    this.size = 0; // bytes
    this.text = "";
    this.characters = 0;
    this.searched = "";
    this.searchedLength = 0;
  }
}

/** All runs of the rows, brought up to date as rows come. Those before `settled` no longer grow. */
export class Runs {
  constructor(rows = new Rows()) {
    this.rows = rows;
    this.list = [];
    this.settled = 0;
    this.done = 0; // rows that are in a run
    this.runOf = []; // a run's index, by place
    this.growing = new Map();
    this.directions = new Map(); // how many rows of each direction and family there are
    this.families = new Map();
  }

  update() {
    for (; this.done < this.rows.length; this.done++) this.add(this.done);
  }

  add(place) {
    const { columns, folding, families } = this.rows;
    const type = columns.type.data[place];
    const direction = columns.direction.data[place];
    let run;
    if (folding[type]) {
      const key = (type * 4 + direction) * 0x400000 + columns.item.data[place];
      run = this.growing.get(key);
      if (run) run.places.push(place);
      else this.growing.set(key, (run = this.begin(place)));
    } else {
      this.growing.clear();
      run = this.begin(place);
      this.settled = this.list.length;
    }
    const audio = columns.audio.data[place];
    run.audio += audio;
    run.size += columns.size.data[place];
    if (folding[type] && !audio) {
      run.text += this.rows.words[place];
      run.characters += [...this.rows.words[place]].length;
    }
    this.runOf.push(run.index);
    count(this.directions, DIRECTIONS[direction]);
    count(this.families, families[type]);
  }

  begin(place) {
    const run = new Run(this.list.length, place);
    this.list.push(run);
    return run;
  }

  /** What the filter looks at, in lower case. */
  searched(run) {
    if (run.searchedLength !== run.places.length) {
      const row = this.rows.at(run.places[0]);
      const words = run.text || summary(row);
      run.searched = `${row.type} ${words} ${row.item} ${row.response}`.toLowerCase();
      run.searchedLength = run.places.length;
    }
    return run.searched;
  }
}

function count(counts, name) {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** What a run says in one line: [measure, words]. A delta run's characters or seconds come first. */
export function describe(run, rows) {
  const last = rows.at(run.places.at(-1));
  if (run.places.length === 1) return ["", summary(last)];
  if (run.audio) return ["", audioWords(run.audio)];
  if (last.type === "playback.heard" || !run.text) return ["", summary(last)];
  const text = run.text.length > SHOWN ? `“${run.text.slice(0, SHOWN)}…` : `“${run.text}”`;
  return [`${run.characters} character${run.characters === 1 ? "" : "s"}`, whole(text)];
}

/** What a person wants to see. Nothing chosen of a kind means all of it. */
export class Filter {
  constructor() {
    this.words = [];
    this.directions = new Set();
    this.families = new Set();
    this.found = new Set(); // places that the kernel found the words in
  }

  get active() {
    return this.words.length + this.directions.size + this.families.size > 0;
  }

  clear() {
    this.words = [];
    for (const chosen of [this.directions, this.families, this.found]) chosen.clear();
  }

  /** Take what a person typed; gives whether it asks for other words than before. */
  type(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.join(" ") === this.words.join(" ")) return false;
    this.words = words;
    this.found.clear();
    return true;
  }

  fits(run, runs) {
    const { columns, families } = runs.rows;
    const place = run.places[0];
    const direction = DIRECTIONS[columns.direction.data[place]];
    if (this.directions.size && !this.directions.has(direction)) return false;
    if (this.families.size && !this.families.has(families[columns.type.data[place]])) return false;
    if (!this.words.length) return true;
    const text = runs.searched(run);
    if (this.words.every((word) => text.includes(word))) return true;
    return this.found.size > 0 && run.places.some((each) => this.found.has(each));
  }
}

/** The lines: {run, member, turn}. Member -1 is the run itself, else an index into its places; a
    line with a turn marks that one's beginning, before its first run in sight. */
export class Lines {
  constructor(runs, filter, opened = new Set()) {
    this.runs = runs;
    this.filter = filter;
    this.opened = opened; // runs that are open
    this.reset();
  }

  reset() {
    this.all = [];
    this.starts = [];
    this.frozen = { lines: 0, runs: 0, turn: 0, marked: 0 };
  }

  get length() {
    return this.all.length;
  }

  /** Bring the lines up to date. Those of settled runs stay as they are, unless a turn that began
      among them has become known since. */
  update(starts) {
    this.begin(starts);
    this.all.length = this.frozen.lines;
    const state = { ...this.frozen };
    const { list, settled } = this.runs;
    for (; state.runs < settled; state.runs++) this.emit(list[state.runs], state);
    this.frozen = { ...state, lines: this.all.length };
    for (; state.runs < list.length; state.runs++) this.emit(list[state.runs], state);
  }

  /** Take the places where turns begin; lines behind one that is new are made again. */
  begin(starts) {
    const same = starts.findIndex((start, at) => start !== this.starts[at]);
    const first = same >= 0 ? same : starts.length; // the first turn that is not as before
    const place = Math.min(starts[first] ?? Infinity, this.starts[first] ?? Infinity);
    this.starts = starts.slice();
    const run = this.runs.runOf[place] ?? Infinity;
    if (run >= this.frozen.runs) return;
    const lines = this.from(run);
    const before = this.all[lines - 1]?.run.places[0] ?? -1;
    const marked = starts.filter((start) => start <= before).length;
    this.frozen = { lines, runs: run, turn: first, marked };
  }

  emit(run, state) {
    while (this.starts[state.turn] <= run.places[0]) state.turn++;
    if (!this.filter.fits(run, this.runs)) return;
    if (state.turn !== state.marked) {
      state.marked = state.turn;
      this.all.push({ run, member: -1, turn: state.turn });
    }
    this.all.push({ run, member: -1, turn: 0 });
    if (this.isOpen(run))
      for (let member = 0; member < run.places.length; member++)
        this.all.push({ run, member, turn: 0 });
  }

  /** Begin anew: the filter is another. */
  refilter() {
    const { starts } = this;
    this.reset();
    this.update(starts);
  }

  isOpen(run) {
    return run.places.length > 1 && this.opened.has(run.index);
  }

  toggle(run) {
    if (!this.opened.delete(run.index)) this.opened.add(run.index);
    this.refilter();
  }

  /** The first line of this run or, where it is filtered out, of one behind it. */
  from(index) {
    let [low, high] = [0, this.all.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.all[middle].run.index < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where a line stands, -1 where it does not. */
  indexOf(run, member = -1) {
    let at = this.from(run.index);
    if (this.all[at]?.turn) at++;
    if (this.all[at]?.run !== run) return -1;
    return this.isOpen(run) ? at + 1 + member : at;
  }

  /** The line that shows a place: its own in an open run, else its run's. -1 where none does. */
  showing(place) {
    const run = this.runs.list[this.runs.runOf[place]];
    return run ? this.indexOf(run, this.isOpen(run) ? run.places.indexOf(place) : -1) : -1;
  }

  /** The next line from `at` on, in steps of 1 or -1, that marks a turn; -1 where there is none. */
  turnFrom(at, step) {
    for (at += step; at >= 0 && at < this.all.length; at += step) if (this.all[at].turn) return at;
    return -1;
  }
}
