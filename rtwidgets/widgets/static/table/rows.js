// The rows a page holds: columns of numbers as the kernel packs them (packing.py), and words.

export const DIRECTIONS = ["client", "server", "local"];

/** Whether events of this type come in runs that fold into one line (folding.py: is_delta). */
export function folds(type) {
  return (
    type.endsWith(".delta") || type === "input_audio_buffer.append" || type === "playback.heard"
  );
}

/** Numbers, as many as come. */
class Column {
  constructor(Type) {
    this.data = new Type(1024);
  }

  put(at, values) {
    if (at + values.length > this.data.length) {
      const larger = new this.data.constructor(Math.max(at + values.length, 2 * this.data.length));
      larger.set(this.data);
      this.data = larger;
    }
    this.data.set(values, at);
  }
}

/** Names and their codes. */
class Names {
  constructor() {
    this.list = [];
    this.codes = new Map();
  }

  code(name) {
    let code = this.codes.get(name);
    if (code === undefined) {
      code = this.list.push(name) - 1;
      this.codes.set(name, code);
    }
    return code;
  }
}

/** The columns of one message: `count` rows in one buffer, a DataView. */
export function unpack(count, view) {
  let at = 0; // a message's buffers lie anywhere: a copy begins where numbers may
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  const next = (Type) => {
    const values = new Type(bytes, at, count);
    at += values.byteLength;
    return values;
  };
  return {
    time: next(Float64Array),
    seq: next(Uint32Array),
    size: next(Uint32Array),
    audio: next(Uint32Array),
    type: next(Uint16Array),
    item: next(Uint16Array),
    response: next(Uint16Array),
    direction: next(Uint8Array),
  };
}

/** All rows, by their place in the log; what comes twice does no harm. */
export class Rows {
  constructor() {
    this.length = 0;
    this.words = [];
    this.types = new Names();
    this.items = new Names();
    this.responses = new Names();
    this.families = []; // by the type's code
    this.folding = []; // likewise: whether it folds
    this.columns = {
      time: new Column(Float64Array),
      seq: new Column(Uint32Array),
      size: new Column(Uint32Array),
      audio: new Column(Uint32Array),
      type: new Column(Uint16Array),
      item: new Column(Uint32Array),
      response: new Column(Uint32Array),
      direction: new Column(Uint8Array),
    };
  }

  /** Take `count` rows that begin at `start`; gives how many were new, or -1 when some before them
      are missing. `columns` is a DataView, `strings` the object beside it. */
  take(start, count, columns, strings) {
    if (start > this.length) return -1;
    const known = this.length - start;
    if (known >= count) return 0;
    const fresh = unpack(count, columns);
    this.translate(fresh, strings);
    for (const [name, values] of Object.entries(fresh))
      this.columns[name].put(this.length, values.subarray(known));
    for (let at = known; at < count; at++) this.words.push(strings.words[at]);
    this.length = start + count;
    return count - known;
  }

  /** Put this page's codes in the place of the message's. */
  translate(fresh, strings) {
    const types = strings.types.map(([type, family]) => {
      const code = this.types.code(type);
      this.families[code] = family;
      this.folding[code] = folds(type);
      return code;
    });
    const items = strings.items.map((name) => this.items.code(name));
    const responses = strings.responses.map((name) => this.responses.code(name));
    fresh.type = fresh.type.map((code) => types[code]);
    fresh.item = Uint32Array.from(fresh.item, (code) => items[code]);
    fresh.response = Uint32Array.from(fresh.response, (code) => responses[code]);
  }

  /** A row to look at. */
  at(place) {
    const { time, seq, size, audio, type, item, response, direction } = this.columns;
    const code = type.data[place];
    return {
      place,
      time: time.data[place],
      seq: seq.data[place],
      size: size.data[place],
      audio: audio.data[place],
      type: this.types.list[code],
      family: this.families[code],
      item: this.items.list[item.data[place]],
      response: this.responses.list[response.data[place]],
      direction: DIRECTIONS[direction.data[place]],
      words: this.words[place],
    };
  }
}
