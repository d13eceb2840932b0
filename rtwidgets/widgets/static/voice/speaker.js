// The speaker of a page. It belongs to the model: one AudioContext however often the chat is shown.
// Audio comes as PCM16 mono 24 kHz in binary buffers, faster than it plays.

import { RATE, samplesOf } from "./pcm.js";
import { makePlayer, newContext } from "./players.js";
import { Resampler } from "./resampler.js";

const TELL = 1000; // ms between two messages to the kernel about an item that goes on playing

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
  for (const item of told.keys()) if (!(item in report.heard)) told.delete(item);
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
    this.hidden = false; // whether no view stands here with which it could be made silent
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
    else if (message.t === "free" && !this.hidden && !this.here) this.ask();
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
    if (this.hidden) this.context.suspend();
    else if (this.context.state !== "running") this.context.resume().catch(() => {}); // settles when allowed
    if (this.context.state === "running" && !this.hidden) this.hand();
    this.changed();
  }

  hand() {
    for (const { item, samples, end } of this.queue.splice(0)) {
      if (end) {
        const rest = this.resampler.finish();
        if (rest.length) this.player.push(end, rest);
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

  /** Stand still while no view stands: what nobody could make silent is not to be heard, nor to
      count as heard. It goes on where it stood, unless another page takes it over. */
  hide(hidden) {
    this.hidden = hidden;
    if (this.context) this.release();
    if (hidden) this.tell({ t: "left", page: this.page });
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
    this.resampler?.reset();
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
