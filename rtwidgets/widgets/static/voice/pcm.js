// PCM16 mono 24 kHz, the format of the Realtime API in both directions.

export const RATE = 24000;

/** PCM16 bytes (a DataView, as the comm hands them over) as samples in [-1, 1). */
export function samplesOf(view) {
  const samples = new Float32Array(view.byteLength >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true) / 32768;
  return samples;
}

/** Samples as PCM16 bytes. What is too loud is cut off, as every sound card does it. */
export function pcmOf(samples) {
  const pcm = new Int16Array(samples.length); // little endian on every machine with a browser
  for (let i = 0; i < samples.length; i++) {
    const sample = Math.max(-1, Math.min(1, samples[i]));
    pcm[i] = Math.round(sample < 0 ? sample * 32768 : sample * 32767);
  }
  return pcm;
}
