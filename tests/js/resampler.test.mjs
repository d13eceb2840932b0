import assert from "node:assert/strict";
import test from "node:test";

import { Resampler } from "../../rtwidgets/widgets/static/voice/resampler.js";

const sine = (hz, rate, seconds = 0.25) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));

/** As it comes in a worklet: 128 samples at a time. */
function resampled(from, to, samples) {
  const resampler = new Resampler(from, to);
  const out = [];
  for (let i = 0; i < samples.length; i += 128) out.push(...resampler.take(samples.slice(i, i + 128)));
  return [...out, ...resampler.finish()];
}

/** How loud, against a full sine; without the edges, where a sine begins out of nothing. */
function decibels(samples) {
  const inner = samples.slice(200, -200);
  return 10 * Math.log10((2 * inner.reduce((sum, x) => sum + x * x, 0)) / inner.length);
}

const ROADS = [
  [48000, 24000],
  [44100, 24000],
  [96000, 24000],
  [22050, 24000],
  [16000, 24000],
  [24000, 48000],
  [24000, 44100],
];

for (const [from, to] of ROADS) {
  test(`${from} to ${to}: speech passes, what would fold down does not, nothing is lost`, () => {
    const edge = Math.min(from, to) / 2;
    for (const hz of [100, 1000, 0.5 * edge, 0.83 * edge]) {
      const samples = sine(hz, from);
      const out = resampled(from, to, samples);
      assert.equal(out.length, Math.round((samples.length * to) / from));
      assert.ok(Math.abs(decibels(out)) < 0.1, `${hz} Hz: ${decibels(out)} dB`);
    }
    for (let hz = 1.05 * edge; hz < from / 2; hz += 500) {
      const left = decibels(resampled(from, to, sine(hz, from)));
      assert.ok(left < -75, `${hz} Hz: ${left} dB`);
    }
  });
}

test("nothing is shifted in time", () => {
  for (const [from, to] of ROADS) {
    const [out, wanted] = [resampled(from, to, sine(440, from)), sine(440, to)];
    const off = out.slice(300, -300).map((value, i) => Math.abs(value - wanted[i + 300]));
    assert.ok(Math.max(...off) < 1e-3, `${from} to ${to}: ${Math.max(...off)}`);
  }
});

test("the seams between pieces of any size are not heard", () => {
  const samples = sine(300, 44100);
  const whole = new Resampler(44100, 24000).take(samples);
  const resampler = new Resampler(44100, 24000);
  const parts = [];
  for (let at = 0, size = 1; at < samples.length; at += size, size = (size * 7) % 997 || 1)
    parts.push(...resampler.take(samples.slice(at, at + size)));
  assert.deepEqual(parts, [...whole]);
});

test("an hour later it is still in step: places are counted in whole numbers", () => {
  const resampler = new Resampler(44100, 24000);
  let given = 0;
  const second = new Float32Array(44100);
  for (let i = 0; i < 60; i++) given += resampler.take(second).length;
  assert.equal(given + resampler.finish().length, 60 * 24000);
});

test("the same rate is passed through, and a finished one begins anew", () => {
  const samples = sine(100, 24000);
  assert.equal(new Resampler(24000, 24000).take(samples), samples);
  const resampler = new Resampler(48000, 24000);
  const once = [...resampler.take(samples), ...resampler.finish()];
  assert.deepEqual([...resampler.take(samples), ...resampler.finish()], once);
  assert.equal(resampler.finish().length, 0);
});

test("it works from its source alone, as the worklet has it", () => {
  const Copy = new Function(`return ${Resampler.toString()}`)();
  assert.deepEqual(new Copy(48000, 24000).take(sine(100, 48000)), new Resampler(48000, 24000).take(sine(100, 48000)));
});
