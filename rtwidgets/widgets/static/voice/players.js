// What plays the assistant's sound in this browser: an AudioWorklet, or buffers scheduled one behind
// the other where there is none. Both give the same reports.

import { RATE } from "./pcm.js";
import { PlayQueue } from "./queue.js";

const PREBUFFER = 0.15; // s gathered before an item begins to play
const REPORT = 0.1; // s of playing between two reports of the player

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

/** An AudioContext at the rate of the audio, or at the browser's own where it insists on that. */
export function newContext() {
  try {
    return new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  } catch {
    return new AudioContext();
  }
}

export async function makePlayer(context, output, report) {
  if (context.audioWorklet && typeof AudioWorkletNode !== "undefined") {
    try {
      return await WorkletPlayer.on(context, output, report);
    } catch (error) {
      console.warn("rtwidgets: no AudioWorklet here, playing by scheduled buffers.", error);
    }
  }
  return new ScheduledPlayer(context, output, report);
}
