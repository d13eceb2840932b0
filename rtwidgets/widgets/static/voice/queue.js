// What is to be played, in order, and how much of each item was.

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
    this.heard = {}; // item -> samples played, of the items that were played last
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
    if (!(chunk.item in this.heard)) this.forget();
    this.heard[chunk.item] = (this.heard[chunk.item] ?? 0) + size;
    if (chunk.at === chunk.samples.length) this.next();
    return size;
  }

  /** Let go of the oldest item: in a conversation of an hour there are hundreds. */
  forget() {
    const items = Object.keys(this.heard);
    if (items.length < 64) return;
    delete this.heard[items[0]];
    this.ended.delete(items[0]);
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
