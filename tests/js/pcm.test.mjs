import assert from "node:assert/strict";
import test from "node:test";

import { pcmOf, samplesOf } from "../../rtwidgets/widgets/static/voice/pcm.js";

test("PCM16 is little endian, and a view may begin anywhere in its buffer", () => {
  const bytes = new Uint8Array([99, 0x00, 0x80, 0xff, 0x7f, 0x00, 0x00]);
  assert.deepEqual(
    [...samplesOf(new DataView(bytes.buffer, 1))],
    [-1, Math.fround(32767 / 32768), 0],
  );
});

test("what is too loud is cut off, and all 65536 values survive the way there and back", () => {
  assert.deepEqual([...pcmOf([-2, -1, 0, 1, 2, NaN])], [-32768, -32768, 0, 32767, 32767, 0]);
  const all = Int16Array.from({ length: 65536 }, (_, i) => i - 32768);
  const back = pcmOf(samplesOf(new DataView(all.buffer)));
  assert.ok(back.every((value, i) => Math.abs(value - all[i]) <= 1));
});
