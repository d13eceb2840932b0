// The browser's microphone, open: one stream, one context, one recording worklet.

import { chunkerNode } from "./chunker.js";
import { RATE } from "./pcm.js";

const PATIENCE = 1000; // ms

/** What is asked of the browser. The page plays the assistant: without echo cancellation it would
    hear itself and answer. */
export function constraints(device) {
  return {
    audio: {
      channelCount: 1,
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
      ...(device ? { deviceId: { exact: device } } : {}),
    },
  };
}

/** The stream of a device; of the browser's own choice where that device is gone. */
async function streamOf(device) {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints(device));
  } catch (error) {
    if (!device || !["OverconstrainedError", "NotFoundError"].includes(error.name)) throw error;
    return navigator.mediaDevices.getUserMedia(constraints(""));
  }
}

/** A context at 24 kHz with the stream in it; at the browser's own rate where it insists (Firefox
    takes a stream only into a context of the device's rate). */
async function listeningContext(stream) {
  for (const options of [{ sampleRate: RATE, latencyHint: "interactive" }, {}]) {
    let context = null;
    try {
      context = new AudioContext(options);
      return { context, source: context.createMediaStreamSource(stream) };
    } catch (error) {
      context?.close();
      if (!options.sampleRate) throw error;
    }
  }
}

/** A context runs at once where a person has clicked; where nobody has, `resume` may never settle. */
async function running(context) {
  if (context.state === "running") return;
  await Promise.race([context.resume(), new Promise((late) => setTimeout(late, PATIENCE))]);
  if (context.state !== "running") throw new DOMException("nobody clicked", "NeedsClick");
}

export class Capture {
  /** Open a microphone. `take({level} | {take, n, at, pcm} | {over, count})`, `lost()` when it ends by
      itself, `hushed(bool)` when the system mutes it. Rejects with the browser's own exception. */
  static async open(device, { take, lost, hushed }) {
    const stream = await streamOf(device);
    let context = null;
    try {
      const listening = await listeningContext(stream);
      context = listening.context;
      const node = await chunkerNode(context);
      await running(context);
      listening.source.connect(node);
      return new Capture(stream, { ...listening, node }, { take, lost, hushed });
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      context?.close();
      throw error;
    }
  }

  constructor(stream, { context, source, node }, { take, lost, hushed }) {
    Object.assign(this, { stream, context, source, node });
    node.port.onmessage = ({ data }) => take(data);
    const [track] = stream.getAudioTracks();
    this.device = track.getSettings?.().deviceId ?? "";
    track.addEventListener("ended", lost);
    track.addEventListener("mute", () => hushed(true));
    track.addEventListener("unmute", () => hushed(false));
  }

  get rate() {
    return this.context.sampleRate;
  }

  begin(take) {
    this.node.port.postMessage({ open: take });
  }

  end() {
    this.node.port.postMessage({ close: true });
  }

  /** Let the microphone go: the browser's sign that it records goes out. */
  close() {
    this.node.port.postMessage({ stop: true });
    this.source.disconnect();
    for (const track of this.stream.getTracks()) track.stop();
    const context = this.context; // a moment later: what was just said is still on its way out of it
    setTimeout(() => context.close(), 200);
  }
}

/** The microphones there are, `{id, name}`; browsers name them only once one was allowed. */
export async function devices() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return all
    .filter(({ kind, deviceId, label }) => kind === "audioinput" && deviceId && label)
    .map(({ deviceId, label }) => ({ id: deviceId, name: label }));
}
