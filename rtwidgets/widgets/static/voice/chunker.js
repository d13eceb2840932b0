// The microphone's sound in numbered chunks, of a take at a time: what is said from one press of the
// button to its release, or from Talk to Mute.

import { RATE, pcmOf } from "./pcm.js";
import { Resampler } from "./resampler.js";

const CHUNK = 0.04; // s
const METER = 0.08; // s of sound to one reading of the level

/** Runs inside the worklet (its source is sent there as text), and in tests. `post(message, pcm)`. */
export class Chunker {
  constructor({ rate, chunk, meter }, resampler, encode, post) {
    Object.assign(this, { resampler, encode, post });
    this.frame = new Float32Array(chunk); // samples at 24 kHz
    this.filled = 0;
    this.take = null; // what is being recorded, null while nothing is
    this.count = 0; // chunks of it
    this.every = Math.round(meter * rate);
    this.power = this.measured = 0;
  }

  open(take) {
    this.close();
    this.resampler.reset();
    this.take = take;
    this.count = this.filled = 0;
  }

  /** The end of a take, with what is left of it: nothing of a last word is cut off. */
  close() {
    if (this.take === null) return;
    this.add(this.resampler.finish());
    if (this.filled) this.ship();
    this.post({ over: this.take, count: this.count });
    this.take = null;
  }

  /** Sound in any number of channels, at the context's rate. */
  hear(channels) {
    if (!channels.length) return;
    const samples = this.mixed(channels);
    this.measure(samples);
    if (this.take !== null) this.add(this.resampler.take(samples));
  }

  mixed(channels) {
    if (channels.length === 1) return channels[0];
    return channels[0].map((_, i) => channels.reduce((sum, one) => sum + one[i], 0) / channels.length);
  }

  measure(samples) {
    for (const sample of samples) this.power += sample * sample;
    this.measured += samples.length;
    if (this.measured < this.every) return;
    this.post({ level: Math.sqrt(this.power / this.measured) });
    this.power = this.measured = 0;
  }

  add(samples) {
    for (const sample of samples) {
      this.frame[this.filled++] = sample;
      if (this.filled === this.frame.length) this.ship();
    }
  }

  ship() {
    const pcm = this.encode(this.frame.subarray(0, this.filled));
    this.post({ take: this.take, n: this.count++, at: Date.now(), pcm: pcm.buffer }, pcm.buffer);
    this.filled = 0;
  }
}

const WORKLET = `
const Resampler = ${Resampler.toString()};
const Chunker = ${Chunker.toString()};
const pcmOf = ${pcmOf.toString()};
registerProcessor("rtwidgets-microphone", class extends AudioWorkletProcessor {
  constructor({ processorOptions: { chunk, meter, rate } }) {
    super();
    const post = (message, pcm) => this.port.postMessage(message, pcm ? [pcm] : []);
    const resampler = new Resampler(sampleRate, rate);
    this.chunker = new Chunker({ rate: sampleRate, chunk, meter }, resampler, pcmOf, post);
    this.on = true;
    this.port.onmessage = ({ data }) => {
      if (data.open !== undefined) this.chunker.open(data.open);
      else this.chunker.close();
      if (data.stop) this.on = false;
    };
  }
  process([channels]) {
    this.chunker.hear(channels);
    return this.on;
  }
});`;

/** The node that records in a context: post it `{open: take}`, `{close: true}`, `{stop: true}`. */
export async function chunkerNode(context) {
  const url = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
  try {
    await context.audioWorklet.addModule(url);
  } finally {
    URL.revokeObjectURL(url);
  }
  return new AudioWorkletNode(context, "rtwidgets-microphone", {
    numberOfOutputs: 0,
    processorOptions: { rate: RATE, chunk: CHUNK * RATE, meter: METER },
  });
}
