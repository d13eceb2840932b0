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

/** One part is over: what the client heard. `audioBytes` of PCM16 mono at `rate`. */
export function report(part, transcript, audioBytes, rate = 24000) {
  const audio_ms = Math.floor((audioBytes * 1000) / (2 * rate));
  const facts = { part, transcript, audio_ms };
  if (part === TOOL) facts.arguments = calls.at(-1) ?? null;
  console.log(JSON.stringify(facts));
}
