// @openai/agents: RealtimeSession over WebSocket. With the argument "browser" (and node's
// conditions to match) as a page does it: with a client secret, shown as a subprotocol.

import { RealtimeAgent, RealtimeSession, tool } from '@openai/agents/realtime';
import { z } from 'zod';
import * as talk from './talk.mjs';

const getWeather = tool({
  name: talk.TOOL_NAME,
  description: talk.TOOL_DESCRIPTION,
  parameters: z.object({ city: z.string() }),
  execute: talk.weather,
});
const agent = new RealtimeAgent({
  name: 'guide',
  instructions: talk.INSTRUCTIONS,
  tools: [getWeather],
});
const session = new RealtimeSession(agent, {
  transport: 'websocket',
  model: talk.MODEL,
  tracingDisabled: true,
});

let sound = 0;
session.on('audio', (event) => (sound += event.data.byteLength));
session.on('error', (problem) => {
  console.error(problem);
  process.exit(1);
});

/** The next end of the agent's turn, with its words. */
const turnEnds = () =>
  new Promise((resolve) => session.once('agent_end', (_context, _agent, words) => resolve(words)));

/** What a page's server does for it: a client secret that opens a session of this model. */
async function clientSecret() {
  const answer = await fetch(`${talk.HTTP_BASE}/realtime/client_secrets`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${talk.KEY}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ session: { type: 'realtime', model: talk.MODEL } }),
  });
  return (await answer.json()).value;
}

const apiKey = process.argv[2] === 'browser' ? await clientSecret() : talk.KEY;
await session.connect({ apiKey, url: `${talk.WS_URL}?model=${talk.MODEL}` });
for (const part of [talk.SPOKEN, talk.SECOND, talk.TOOL]) {
  sound = 0;
  let ended = turnEnds();
  session.sendMessage(talk.SAY[part]);
  // A turn with a tool call ends twice: with the call, and with the answer.
  if (part === talk.TOOL) {
    await ended;
    ended = turnEnds();
  }
  talk.report(part, await ended, sound);
}
const speak = () => talk.voice().forEach((chunk) => session.sendAudio(chunk.buffer));

sound = 0;
let ended = turnEnds();
speak();
talk.report(talk.HEARD, await ended, sound);

// The answer to one spoken turn is interrupted by another at its first sound.
sound = 0;
ended = turnEnds();
session.once('audio', speak);
speak();
await ended;
talk.report(talk.INTERRUPTED, await turnEnds(), sound);
session.close();
