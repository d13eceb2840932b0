// The speaker. It belongs to the model: one AudioContext however often the chat is shown. A view only
// makes the knobs. Audio comes as PCM16 mono 24 kHz in binary buffers, faster than it plays.

import { insist, make } from "./page.js";

export const RATE = 24000;
const PREBUFFER = 0.15; // s gathered before an item begins to play
const REPORT = 0.1; // s of playing between two reports of the player
const TELL = 1000; // ms between two messages to the kernel about an item that goes on playing

/** PCM16 bytes (a DataView, as the comm hands them over) as samples in [-1, 1). */
export function samplesOf(view) {
  const samples = new Float32Array(view.byteLength >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true) / 32768;
  return samples;
}

/** Samples at another rate, by straight lines between neighbours; it remembers where it was. */
export class Resampler {
  constructor(from, to) {
    this.step = from / to;
    this.at = 0; // where the next output sample lies, counted from the last one of the piece before
    this.last = 0;
  }

  take(samples) {
    if (this.step === 1) return samples;
    const out = [];
    for (; this.at < samples.length; this.at += this.step) {
      const index = Math.floor(this.at);
      const left = index ? samples[index - 1] : this.last;
      out.push(left + (samples[index] - left) * (this.at - index));
    }
    this.at -= samples.length;
    if (samples.length) this.last = samples[samples.length - 1];
    return Float32Array.from(out);
  }
}

/**
 * What waits to be played, and the count of what was. Runs inside the worklet (its source is sent
 * there as text), and in tests. It grows as needed: nothing is ever dropped but by `flush`.
 */
export class PlayQueue {
  constructor(prebuffer) {
    this.prebuffer = prebuffer; // samples
    this.chunks = []; // {item, samples, at}
    this.head = 0;
    this.waiting = 0; // samples not played yet
    this.playing = false;
    this.ended = new Set(); // items of which nothing more will come
    this.heard = {}; // item -> samples played
    this.tail = ""; // the item that came last
    this.starved = ""; // the item that ran dry: more of it means that a listener heard a gap
    this.counts = { played: 0, nonzero: 0, underruns: 0 };
  }

  push(item, samples) {
    this.chunks.push({ item, samples, at: 0 });
    this.waiting += samples.length;
    this.tail = item;
    if (this.starved === item) this.counts.underruns++;
    this.starved = "";
  }

  end(item) {
    this.ended.add(item);
  }

  /** Forget what waits. What was heard of each item stays known. */
  flush() {
    this.chunks = [];
    this.head = this.waiting = 0;
    this.playing = false;
    this.starved = "";
  }

  /** Fill `out` with what comes next, with silence where there is nothing. */
  pull(out) {
    if (!this.playing)
      this.playing =
        this.waiting > 0 && (this.waiting >= this.prebuffer || this.ended.has(this.tail));
    let n = 0;
    while (this.playing && n < out.length && this.head < this.chunks.length) n += this.copy(out, n);
    out.fill(0, n);
    if (this.playing && !this.waiting) {
      this.playing = false;
      this.starved = this.tail;
    }
    return n;
  }

  copy(out, n) {
    const chunk = this.chunks[this.head];
    const size = Math.min(out.length - n, chunk.samples.length - chunk.at);
    for (let i = 0; i < size; i++) {
      const sample = chunk.samples[chunk.at + i];
      out[n + i] = sample;
      if (sample) this.counts.nonzero++;
    }
    chunk.at += size;
    this.waiting -= size;
    this.counts.played += size;
    this.heard[chunk.item] = (this.heard[chunk.item] ?? 0) + size;
    if (chunk.at === chunk.samples.length) this.next();
    return size;
  }

  next() {
    this.chunks[this.head++] = null;
    if (this.head < 64) return;
    this.chunks = this.chunks.slice(this.head); // now and then, so that the list does not grow for ever
    this.head = 0;
  }

  /** Where things stand. */
  report() {
    const item = this.playing ? this.chunks[this.head].item : "";
    return {
      ...this.counts,
      waiting: this.waiting,
      playing: this.playing,
      item,
      heard: { ...this.heard },
    };
  }
}

const WORKLET = `
const PlayQueue = ${PlayQueue.toString()};
registerProcessor("rtwidgets-player", class extends AudioWorkletProcessor {
  constructor({ processorOptions: { prebuffer, report } }) {
    super();
    this.queue = new PlayQueue(prebuffer);
    this.every = report;
    this.since = 0;
    this.port.onmessage = ({ data }) => {
      if (data.samples) this.queue.push(data.item, data.samples);
      else if (data.end) { this.queue.end(data.end); this.port.postMessage(this.queue.report()); }
      else if (data.flush !== undefined) { this.queue.flush(); this.port.postMessage({ flushed: data.flush, ...this.queue.report() }); }
    };
  }
  process(_, [[out]]) {
    const was = this.queue.playing;
    this.since += this.queue.pull(out);
    if (this.since >= this.every || (was && !this.queue.playing)) {
      this.since = 0;
      this.port.postMessage(this.queue.report());
    }
    return true;
  }
});`;

/** Plays through an AudioWorklet: sample-exact, and untouched by what the page is busy with. */
export class WorkletPlayer {
  static async on(context, output, report) {
    const url = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
    try {
      await context.audioWorklet.addModule(url);
    } finally {
      URL.revokeObjectURL(url);
    }
    const rate = context.sampleRate;
    const node = new AudioWorkletNode(context, "rtwidgets-player", {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: { prebuffer: PREBUFFER * rate, report: REPORT * rate },
    });
    node.port.onmessage = ({ data }) => report(data);
    node.connect(output);
    return new WorkletPlayer(node);
  }

  constructor(node) {
    this.node = node;
    this.kind = "worklet";
  }

  push(item, samples) {
    this.node.port.postMessage({ item, samples }, [samples.buffer]);
  }

  end(item) {
    this.node.port.postMessage({ end: item });
  }

  flush(id) {
    this.node.port.postMessage({ flush: id });
  }

  close() {
    this.node.disconnect();
  }
}

/**
 * The same without AudioWorklet, which exists only in a secure context: buffers scheduled one behind
 * the other. Same answers, counted from the context's clock.
 */
export class ScheduledPlayer {
  constructor(context, output, report) {
    Object.assign(this, { context, output, report, kind: "scheduled" });
    this.pieces = []; // {item, start, length, nonzero, source}
    this.free = 0; // when the last piece ends, in the context's time
    this.tail = "";
    this.ended = new Set();
    this.past = { played: 0, nonzero: 0, heard: {} }; // of pieces that are over
    this.underruns = 0;
    this.timer = setInterval(() => this.tick(), REPORT * 1000);
  }

  push(item, samples) {
    const { context } = this;
    const buffer = context.createBuffer(1, samples.length, context.sampleRate);
    buffer.copyToChannel(samples, 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.output);
    const late = this.free <= context.currentTime;
    if (late && this.tail === item) this.underruns++;
    const start = late ? context.currentTime + PREBUFFER : this.free;
    source.start(start);
    this.free = start + buffer.duration;
    this.tail = item;
    this.pieces.push({
      item,
      start,
      length: samples.length,
      nonzero: samples.reduce((n, one) => n + (one !== 0), 0),
      source,
    });
  }

  end(item) {
    this.ended.add(item);
  }

  flush(id) {
    const now = this.state();
    for (const piece of this.pieces) piece.source.stop();
    this.past = { played: now.played, nonzero: now.nonzero, heard: now.heard };
    this.pieces = [];
    this.free = 0;
    this.report({ flushed: id, ...now, waiting: 0, playing: false, item: "" });
  }

  close() {
    clearInterval(this.timer);
    for (const piece of this.pieces) piece.source.stop();
  }

  state() {
    const { currentTime, sampleRate } = this.context;
    const now = {
      played: this.past.played,
      nonzero: this.past.nonzero,
      heard: { ...this.past.heard },
      underruns: this.underruns,
      waiting: 0,
    };
    for (const { item, start, length, nonzero } of this.pieces) {
      const played = Math.max(0, Math.min(length, Math.round((currentTime - start) * sampleRate)));
      now.played += played;
      now.nonzero += Math.round((nonzero * played) / (length || 1));
      now.heard[item] = (now.heard[item] ?? 0) + played;
      now.waiting += length - played;
    }
    now.playing = now.waiting > 0;
    now.item =
      this.pieces.find(({ start, length }) => currentTime < start + length / sampleRate)?.item ??
      "";
    return now;
  }

  tick() {
    if (!this.pieces.length) return;
    const now = this.state();
    this.report(now);
    if (now.playing) return;
    this.past = { played: now.played, nonzero: now.nonzero, heard: now.heard };
    this.pieces = [];
  }
}

/** What to tell the kernel: items that began or went on playing (now and then), or came to their end. */
export function news(report, told, now, ended) {
  const lines = [];
  for (const [item, samples] of Object.entries(report.heard)) {
    const before = told.get(item);
    const done = ended.has(item) && report.item !== item;
    if (before?.done || (before && !done && (before.samples === samples || now - before.at < TELL)))
      continue;
    told.set(item, { samples, at: now, done });
    lines.push({ item, samples, done });
  }
  return lines;
}

export class Speaker {
  constructor(model, page) {
    this.model = model;
    this.page = page;
    this.owner = ""; // the page that plays
    this.player = null;
    this.context = null;
    this.making = null;
    this.queue = []; // what waits for the player or for the browser's leave to play
    this.heldSamples = 0;
    this.told = new Map();
    this.ended = new Set();
    this.stats = {
      played: 0,
      nonzero: 0,
      underruns: 0,
      waiting: 0,
      playing: false,
      item: "",
      heard: {},
    };
    this.watchers = new Set();
  }

  /** Whether the sound plays here: of all pages that show the chat, the one that asked last. */
  get here() {
    return this.owner === this.page;
  }

  get elsewhere() {
    return this.owner !== "" && !this.here;
  }

  ask() {
    this.model.send({ t: "hello", page: this.page });
  }

  take(message, buffers) {
    if (message.t === "welcome") this.settle(message.page);
    else if (!this.here) return;
    else if (message.t === "audio") this.audio(message.item_id, samplesOf(buffers[0]));
    else if (message.t === "end") this.enqueue({ end: message.item_id });
    else if (message.t === "flush") this.flush(message.id);
  }

  settle(owner) {
    const before = this.here;
    this.owner = owner;
    if (before && !this.here) this.hush();
    if (!before && this.here && this.player) this.introduce();
    this.changed();
  }

  /** Be silent and forget what waits: it plays in another page. */
  hush() {
    this.queue = [];
    this.heldSamples = 0;
    this.player?.flush(0);
  }

  tell(message) {
    if (this.here) this.model.send(message);
  }

  audio(item, samples) {
    this.heldSamples += samples.length;
    this.enqueue({ item, samples });
  }

  enqueue(work) {
    this.queue.push(work);
    this.release();
  }

  get held() {
    const waits = this.heldSamples > 0 && this.context !== null && this.context.state !== "running";
    return waits ? this.heldSamples / RATE : 0;
  }

  /** Hand what waits to the player, if the browser lets it play. */
  async release() {
    try {
      await this.ready();
    } catch (error) {
      console.warn("rtwidgets: this front end cannot play sound.", error);
      return;
    }
    if (this.context.state !== "running") this.context.resume().catch(() => {}); // settles when allowed
    if (this.context.state === "running") this.hand();
    this.changed();
  }

  hand() {
    for (const { item, samples, end } of this.queue.splice(0)) {
      if (end) {
        this.ended.add(end);
        this.player.end(end);
      } else this.player.push(item, this.resampler.take(samples));
    }
    this.heldSamples = 0;
  }

  ready() {
    this.making ??= this.make();
    return this.making;
  }

  async make() {
    const context = newContext();
    this.context = context;
    this.resampler = new Resampler(RATE, context.sampleRate);
    this.gain = context.createGain();
    this.gain.connect(context.destination);
    this.setVolume();
    this.player = await makePlayer(context, this.gain, (report) => this.report(report));
    context.addEventListener("statechange", () => {
      this.introduce();
      this.release();
    });
    this.introduce();
  }

  /** Tell the kernel what plays here, and whether it may. */
  introduce() {
    const { state, sampleRate } = this.context;
    this.tell({ t: "speaker", kind: this.player.kind, rate: sampleRate, state });
  }

  setVolume() {
    if (this.gain) this.gain.gain.value = this.model.get("muted") ? 0 : this.model.get("volume");
  }

  /** A person wants to hear it here. */
  async allow() {
    if (!this.here) this.ask();
    await this.ready();
    await this.context.resume();
    await this.release();
  }

  flush(id) {
    this.queue = this.queue.filter(({ end }) => end);
    this.heldSamples = 0;
    if (this.player && this.context.state === "running") this.player.flush(id);
    else this.report({ ...this.stats, waiting: 0, playing: false, item: "", flushed: id });
    this.changed();
  }

  report(report) {
    const { flushed, ...stats } = report;
    this.stats = stats;
    for (const { item, samples, done } of news(stats, this.told, performance.now(), this.ended))
      this.tell({
        t: "heard",
        item_id: item,
        ms: this.milliseconds(samples),
        done,
        stats: this.counts(),
      });
    if (flushed !== undefined)
      this.tell({ t: "flushed", id: flushed, heard: this.allHeard(), stats: this.counts() });
    this.changed();
  }

  counts() {
    const { played, nonzero, underruns } = this.stats;
    return { played, nonzero, underruns };
  }

  allHeard() {
    return Object.fromEntries(
      Object.entries(this.stats.heard).map(([item, samples]) => [item, this.milliseconds(samples)]),
    );
  }

  milliseconds(samples) {
    return Math.round((samples * 1000) / this.context.sampleRate);
  }

  changed() {
    for (const watch of this.watchers) watch();
  }

  close() {
    this.player?.close();
    this.context?.close();
  }
}

/** An AudioContext at the rate of the audio, or at the browser's own where it insists on that. */
function newContext() {
  try {
    return new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  } catch {
    return new AudioContext();
  }
}

async function makePlayer(context, output, report) {
  if (context.audioWorklet && typeof AudioWorkletNode !== "undefined") {
    try {
      return await WorkletPlayer.on(context, output, report);
    } catch (error) {
      console.warn("rtwidgets: no AudioWorklet here, playing by scheduled buffers.", error);
    }
  }
  return new ScheduledPlayer(context, output, report);
}

function knobs(model, el, speaker) {
  const hear = make("button", "rtw-button rtw-primary rtw-hear", { type: "button", hidden: "" });
  const away = make("span", "rtw-label rtw-away", { hidden: "" }, "Sound plays in another tab");
  const mute = make("button", "rtw-button rtw-quiet rtw-mute", { type: "button" });
  const volume = make("input", "rtw-volume", {
    type: "range",
    min: "0",
    max: "1",
    step: "0.05",
    "aria-label": "Volume",
  });
  const box = make(
    "div",
    "rtw-voice",
    { role: "group", "aria-label": "Sound", "data-lm-suppress-shortcuts": "true" },
    away,
    hear,
    mute,
    volume,
  );
  const set = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };
  hear.addEventListener("click", () => speaker.allow());
  mute.addEventListener("click", () => set({ muted: !model.get("muted") }));
  volume.addEventListener("input", () => set({ volume: Number(volume.value), muted: false }));

  const show = () => {
    const muted = model.get("muted");
    mute.textContent = muted ? "Sound off" : "Sound on";
    mute.setAttribute("aria-pressed", String(muted));
    mute.title = muted ? "Turn the sound on" : "Turn the sound off";
    volume.value = String(muted ? 0 : model.get("volume"));
    hear.hidden = !speaker.held && !speaker.elsewhere;
    hear.textContent = speaker.elsewhere
      ? "▶ Hear it here"
      : `▶ Hear it (${speaker.held.toFixed(1)} s)`;
    hear.title = speaker.elsewhere
      ? "The sound plays in another tab"
      : "The browser plays sound only after a click";
    hear.classList.toggle("rtw-primary", !speaker.elsewhere);
    away.hidden = !speaker.elsewhere;
    Object.assign(box.dataset, {
      ...speaker.counts(),
      playing: speaker.stats.playing,
      kind: speaker.player?.kind ?? "",
    });
  };
  el.classList.add("rtw", "rtw-voice-view");
  el.append(box);
  show();
  return show;
}

export default () => {
  let speaker;
  return {
    initialize({ model }) {
      speaker = new Speaker(model, Math.random().toString(36).slice(2));
      const answered = insist(() => speaker.ask());
      const receive = (message, buffers) => {
        if (message.t === "welcome") answered();
        speaker.take(message, buffers);
      };
      const setVolume = () => speaker.setVolume();
      model.on("msg:custom", receive);
      model.on("change:volume", setVolume);
      model.on("change:muted", setVolume);
      return () => {
        answered();
        model.off("msg:custom", receive);
        speaker.close();
      };
    },

    render({ model, el }) {
      const show = knobs(model, el, speaker);
      speaker.watchers.add(show);
      model.on("change:volume", show);
      model.on("change:muted", show);
      return () => speaker.watchers.delete(show);
    },
  };
};
