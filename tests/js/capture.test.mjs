import assert from "node:assert/strict";
import test from "node:test";

import { Capture, constraints, devices } from "../../rtwidgets/widgets/static/voice/capture.js";

const track = (id) => ({
  getSettings: () => ({ deviceId: id }),
  addEventListener(name, listen) {
    this[name] = listen;
  },
  stop() {
    this.stopped = true;
  },
});

/** The parts of a browser that a capture needs; the rates that createMediaStreamSource takes. */
function browser({ rates = [24000, 48000], refuse = {} } = {}) {
  const asked = [];
  const made = { asked, tracks: [], contexts: [], nodes: [] };
  const getUserMedia = async ({ audio }) => {
    asked.push(audio.deviceId?.exact ?? "");
    const name = refuse[audio.deviceId?.exact ?? ""];
    if (name) throw Object.assign(new Error("no"), { name });
    const one = track(audio.deviceId?.exact ?? "default");
    made.tracks.push(one);
    return { getTracks: () => [one], getAudioTracks: () => [one] };
  };
  Object.defineProperty(globalThis, "navigator", {
    configurable: true,
    value: { mediaDevices: { getUserMedia } },
  });
  globalThis.AudioContext = class {
    state = "running";
    audioWorklet = { addModule: async () => {} };
    constructor({ sampleRate = 48000 }) {
      this.sampleRate = sampleRate;
      made.contexts.push(this);
    }
    createMediaStreamSource() {
      if (!rates.includes(this.sampleRate)) throw new Error("another rate");
      return { connect() {}, disconnect() {} };
    }
    close() {
      this.closed = true;
    }
  };
  globalThis.AudioWorkletNode = class {
    port = { posted: [], postMessage: (message) => this.port.posted.push(message) };
    constructor(_, name, options) {
      Object.assign(this, { name, options });
      made.nodes.push(this);
    }
  };
  return made;
}

test("echo cancellation is asked for, and a device only where one was chosen", () => {
  const { audio } = constraints("");
  assert.deepEqual([audio.echoCancellation, audio.deviceId], [true, undefined]);
  assert.deepEqual(constraints("usb").audio.deviceId, { exact: "usb" });
});

test("it opens at 24 kHz, records takes, and lets the microphone go", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const made = browser();
  const taken = [];
  const capture = await Capture.open("", { take: (one) => taken.push(one) });
  assert.equal(capture.rate, 24000);
  capture.begin("a");
  made.nodes[0].port.onmessage({ data: { level: 0.1 } });
  capture.end();
  capture.close();
  assert.deepEqual(made.nodes[0].port.posted, [{ open: "a" }, { close: true }, { stop: true }]);
  assert.deepEqual([taken, made.tracks[0].stopped], [[{ level: 0.1 }], true]);
  t.mock.timers.tick(1000);
  assert.ok(made.contexts[0].closed);
});

test("a browser that insists on its own rate gets it, and the worklet resamples", async () => {
  const made = browser({ rates: [48000] });
  const capture = await Capture.open("", {});
  assert.equal(capture.rate, 48000);
  assert.ok(made.contexts[0].closed);
});

test("a device that is gone is replaced by the browser's own choice", async () => {
  const made = browser({ refuse: { usb: "OverconstrainedError" } });
  const capture = await Capture.open("usb", {});
  assert.deepEqual([made.asked, capture.device], [["usb", ""], "default"]);
});

test("a refusal is passed on, and a microphone that cannot be used is let go", async () => {
  browser({ refuse: { "": "NotAllowedError" } });
  await assert.rejects(Capture.open("", {}), { name: "NotAllowedError" });
  const made = browser({ rates: [] });
  await assert.rejects(Capture.open("", {}), /another rate/);
  assert.ok(made.tracks[0].stopped && made.contexts.every(({ closed }) => closed));
});

test("where nobody has clicked yet it says so, and holds no microphone meanwhile", async (t) => {
  const made = browser();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const Running = globalThis.AudioContext;
  globalThis.AudioContext = class extends Running {
    state = "suspended";
    resume() {
      setImmediate(() => t.mock.timers.tick(1000));
      return new Promise(() => {});
    }
  };
  await assert.rejects(Capture.open("", {}), { name: "NeedsClick" });
  assert.ok(made.tracks[0].stopped);
});

test("it tells when it ends by itself and when the system mutes it", async () => {
  const made = browser();
  const told = [];
  await Capture.open("", { lost: () => told.push("lost"), hushed: (so) => told.push(so) });
  made.tracks[0].mute();
  made.tracks[0].unmute();
  made.tracks[0].ended();
  assert.deepEqual(told, [true, false, "lost"]);
});

test("only microphones with a name are offered", async () => {
  const all = [
    { kind: "audioinput", deviceId: "usb", label: "USB" },
    { kind: "audioinput", deviceId: "", label: "" },
    { kind: "videoinput", deviceId: "cam", label: "Camera" },
  ];
  const mediaDevices = { enumerateDevices: async () => all };
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { mediaDevices } });
  assert.deepEqual(await devices(), [{ id: "usb", name: "USB" }]);
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: {} });
  assert.deepEqual(await devices(), []);
});
