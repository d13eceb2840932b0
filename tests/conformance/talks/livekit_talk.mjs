// @livekit/agents-plugin-openai: an AgentSession without a room, with an audio output that counts.

import { initializeLogger, llm, voice } from '@livekit/agents';
import * as openai from '@livekit/agents-plugin-openai';
import { z } from 'zod';
import * as talk from './talk.mjs';

/** A loudspeaker that is through with everything at once. */
class Ears extends voice.AudioOutput {
  sound = 0;
  segment = 0;

  async captureFrame(frame) {
    await super.captureFrame(frame);
    this.sound += frame.data.byteLength;
    this.segment += frame.samplesPerChannel / frame.sampleRate;
  }

  flush() {
    super.flush();
    if (this.segment) this.onPlaybackFinished({ playbackPosition: this.segment, interrupted: false });
    this.segment = 0;
  }

  clearBuffer() {
    this.segment = 0;
  }
}

initializeLogger({ pretty: false, level: 'warn' });
const model = new openai.realtime.RealtimeModel({
  model: talk.MODEL,
  baseURL: talk.HTTP_BASE,
  apiKey: talk.KEY,
});
const getWeather = llm.tool({
  name: talk.TOOL_NAME,
  description: talk.TOOL_DESCRIPTION,
  parameters: z.object({ city: z.string() }),
  execute: async (given) => talk.weather(given),
});
const session = new voice.AgentSession({ llm: model });
const ears = new Ears(24000);
session.output.audio = ears;
await session.start({
  agent: new voice.Agent({ instructions: talk.INSTRUCTIONS, tools: [getWeather] }),
  record: false,
});

/** The reply to a tool's result is a speech of its own, made by the session. */
const toolReply = () =>
  new Promise((resolve) =>
    session.on('speech_created', ({ source, speechHandle }) => {
      if (source === 'tool_response') resolve(speechHandle);
    }),
  );

const lastWords = () =>
  session.history.items.findLast((item) => item.type === 'message' && item.role === 'assistant')
    ?.textContent ?? '';

for (const part of [talk.SPOKEN, talk.SECOND, talk.TOOL]) {
  ears.sound = 0;
  const afterTool = part === talk.TOOL ? toolReply() : null;
  await session.generateReply({ userInput: talk.SAY[part] }).waitForPlayout();
  await (await afterTool)?.waitForPlayout();
  talk.report(part, lastWords(), ears.sound);
}
await session.close();
process.exit(0);
