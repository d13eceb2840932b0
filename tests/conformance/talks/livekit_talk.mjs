// @livekit/agents-plugin-openai: an AgentSession without a room, with an audio output that counts.

import { setTimeout } from 'node:timers/promises';
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
    this.emit('heard');
    this.segment += frame.samplesPerChannel / frame.sampleRate;
  }

  flush() {
    super.flush();
    if (this.segment) this.onPlaybackFinished({ playbackPosition: this.segment, interrupted: false });
    this.segment = 0;
  }

  clearBuffer() {
    if (this.segment) this.onPlaybackFinished({ playbackPosition: this.segment, interrupted: true });
    this.segment = 0;
  }
}

/**
 * A microphone that hears what is put into it, at the pace of speech: LiveKit's cancel names no
 * response, so a turn spoken faster than that would lose its own answer to it.
 */
class Mouth extends voice.AudioInput {
  constructor() {
    super();
    this.multiStream.addInputStream(new ReadableStream({ start: (into) => (this.into = into) }));
  }

  async hears(chunks) {
    for (const chunk of chunks) {
      await setTimeout(chunk.length / 24);
      this.into.enqueue(new AudioFrame(chunk, 24000, 1, chunk.length));
    }
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
    session.on('speech_created', function hear({ userInitiated, speechHandle }) {
      if (userInitiated) return;
      session.off('speech_created', hear);
      resolve(speechHandle);
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
const speak = () => void mouth.hears(talk.voice());
ears.sound = 0;
let answer = ownSpeech();
speak();
await (await answer).waitForPlayout();
talk.report(talk.HEARD, lastWords(), ears.sound);

// The answer to one spoken turn is interrupted by another at its first sound.
ears.sound = 0;
answer = ownSpeech();
ears.once('heard', speak);
speak();
const first = await answer;
answer = ownSpeech();
await first.waitForPlayout();
await (await answer).waitForPlayout();
talk.report(talk.INTERRUPTED, lastWords(), ears.sound);
await session.close();
process.exit(0);
