// The conversation that every client has, for JavaScript; see talk.py.

export const KEY = process.env.OPENAI_API_KEY;
export const WS_URL = process.env.REALTIME_URL; // ws://127.0.0.1:…/v1/realtime
export const WS_BASE = WS_URL.slice(0, -'/realtime'.length);
export const HTTP_BASE = WS_BASE.replace('ws://', 'http://');
export const MODEL = 'gpt-realtime-2.1';
export const INSTRUCTIONS = 'You are a friendly guide. Answer in one sentence.';

export const SPOKEN = 'spoken reply';
export const SECOND = 'second turn';
export const TOOL = 'tool call';
export const HEARD = 'spoken turn';
export const INTERRUPTED = 'interruption';
export const SAY = {
  [SPOKEN]: 'My name is Ada.',
  [SECOND]: 'What is my name?',
  [TOOL]: 'What is the weather in Rome?',
};
export const TOOL_NAME = 'get_weather';
export const TOOL_DESCRIPTION = 'Look up the weather for a city.';

const calls = [];

/** What the function of every client does: remember the call, and say one thing. */
export function weather({ city }) {
  calls.push({ city });
  return `It is sunny in ${city}, with 21 degrees.`;
}

/** A hum that swells like syllables, then silence: PCM16 mono 24 kHz in chunks of 40 ms. */
export function voice() {
  const [chunk, loud, quiet] = [960, 36000, 24000];
  const pcm = new Int16Array(loud + quiet);
  for (let n = 0; n < loud; n++) {
    const swell = Math.sin((Math.PI * (n % 6000)) / 6000);
    pcm[n] = Math.round(9000 * swell * Math.sin((2 * Math.PI * 180 * n) / 24000));
  }
  const count = Math.floor(pcm.length / chunk);
  return Array.from({ length: count }, (_, i) => pcm.slice(i * chunk, (i + 1) * chunk));
}

/** One part is over: what the client heard. `audioBytes` of PCM16 mono at `rate`. */
export function report(part, transcript, audioBytes, rate = 24000) {
  const audio_ms = Math.floor((audioBytes * 1000) / (2 * rate));
  const facts = { part, transcript, audio_ms };
  if (part === TOOL) facts.arguments = calls.at(-1) ?? null;
  console.log(JSON.stringify(facts));
}
