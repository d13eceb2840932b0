// Another rate without aliases: what lies above the new rate's half is filtered out before it can fold
// down into the speech. A bank of windowed sinc filters, one for each place that an output sample can
// have between two input samples; the places are counted in whole numbers, so nothing ever drifts.

/** Runs inside a worklet too (its source is sent there as text): it needs nothing from outside. */
export class Resampler {
  /** Rates in Hz; `crossings` zeros of the sinc on each side, `passed` of the band kept whole. */
  constructor(from, to, crossings = 24, passed = 0.92) {
    const divide = (a, b) => (b ? divide(b, a % b) : a);
    const common = divide(Math.round(from), Math.round(to));
    this.from = Math.round(from) / common;
    this.to = Math.round(to) / common;
    this.same = this.from === this.to;
    const cutoff = Math.min(1, to / from) * passed; // of the input's own half rate
    this.half = Math.ceil(crossings / cutoff);
    this.filters = this.same ? [] : this.bank(cutoff);
    this.reset();
  }

  reset() {
    this.tail = new Float32Array(2 * this.half); // input that later output still needs
    this.place = this.half * this.to; // of the next output sample, in 1/to of an input sample
    this.taken = this.given = 0;
  }

  bank(cutoff) {
    const filters = [];
    for (let phase = 0; phase < this.to; phase++) {
      const taps = new Float32Array(2 * this.half);
      let sum = 0;
      for (let i = 0; i < taps.length; i++) {
        const at = i - this.half + 1 - phase / this.to; // input samples from the output's place
        const x = Math.PI * cutoff * at;
        const sinc = at ? Math.sin(x) / x : 1;
        sum += taps[i] = sinc * this.window(at / this.half);
      }
      filters.push(taps.map((tap) => tap / sum)); // a constant stays what it is, at every place
    }
    return filters;
  }

  /** Kaiser's window, beta 8: side lobes below -80 dB. */
  window(x) {
    if (Math.abs(x) >= 1) return 0;
    const bessel = (y) => {
      let sum = 1;
      for (let k = 1, term = 1; k < 30; k++) sum += term *= (y / (2 * k)) ** 2;
      return sum;
    };
    return bessel(8 * Math.sqrt(1 - x * x)) / bessel(8);
  }

  /** The output that these samples complete. It lags half a filter behind: under a millisecond. */
  take(samples) {
    if (this.same) return samples;
    this.taken += samples.length;
    return this.filtered(samples);
  }

  /** The rest of what was taken, and a new beginning. In all, as long as what went in. */
  finish() {
    if (this.same || !this.taken) return new Float32Array(0);
    const wanted = Math.round((this.taken * this.to) / this.from) - this.given;
    const rest = this.filtered(new Float32Array(this.half)).slice(0, Math.max(0, wanted));
    this.reset();
    return rest;
  }

  filtered(samples) {
    const { half, from, to } = this;
    const input = new Float32Array(this.tail.length + samples.length);
    input.set(this.tail);
    input.set(samples, this.tail.length);
    const last = input.length - 2 * half; // the first input sample that lacks what comes behind it
    const out = new Float32Array(Math.max(0, Math.ceil((last * to - this.place) / from)));
    for (let n = 0; n < out.length; n++, this.place += from) {
      const phase = this.place % to;
      const start = (this.place - phase) / to + 1;
      const taps = this.filters[phase];
      let sum = 0;
      for (let i = 0; i < taps.length; i++) sum += taps[i] * input[start + i];
      out[n] = sum;
    }
    this.place -= last * to;
    this.tail = input.slice(last);
    this.given += out.length;
    return out;
  }
}
