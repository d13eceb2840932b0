// @livekit/agents-plugin-openai: an AgentSession without a room, with an audio output that counts.

import { initializeLogger, llm, voice } from '@livekit/agents';
import * as openai from '@livekit/agents-plugin-openai';
import { AudioFrame } from '@livekit/rtc-node';
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

/** A microphone that hears what is put into it. */
class Mouth extends voice.AudioInput {
  constructor() {
    super();
    this.multiStream.addInputStream(new ReadableStream({ start: (into) => (this.into = into) }));
  }

  hears(chunk) {
    this.into.enqueue(new AudioFrame(chunk, 24000, 1, chunk.length));
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
const mouth = new Mouth();
session.input.audio = mouth;
session.output.audio = ears;
await session.start({
  agent: new voice.Agent({ instructions: talk.INSTRUCTIONS, tools: [getWeather] }),
  record: false,
});

/** The next speech that the session makes of itself, for a tool's result or a spoken turn. */
const ownSpeech = () =>
  new Promise((resolve) =>
    session.on('speech_created', ({ userInitiated, speechHandle }) => {
      if (!userInitiated) resolve(speechHandle);
    }),
  );

const lastWords = () =>
  session.history.items.findLast((item) => item.type === 'message' && item.role === 'assistant')
    ?.textContent ?? '';

for (const part of [talk.SPOKEN, talk.SECOND, talk.TOOL]) {
  ears.sound = 0;
  const afterTool = part === talk.TOOL ? ownSpeech() : null;
  await session.generateReply({ userInput: talk.SAY[part] }).waitForPlayout();
  await (await afterTool)?.waitForPlayout();
  talk.report(part, lastWords(), ears.sound);
}
ears.sound = 0;
const answer = ownSpeech();
for (const chunk of talk.voice()) mouth.hears(chunk);
await (await answer).waitForPlayout();
talk.report(talk.HEARD, lastWords(), ears.sound);
await session.close();
process.exit(0);
