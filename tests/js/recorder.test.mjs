import assert from "node:assert/strict";
import test from "node:test";

import { Recorder } from "../../rtwidgets/widgets/static/voice/recorder.js";
import { NO_KERNEL, UNPLUGGED } from "../../rtwidgets/widgets/static/voice/trouble.js";

Object.defineProperty(globalThis, "navigator", { configurable: true, value: {} });
const fine = () => ({ secure: true, able: true, allowed: true, code: false });

/** A recorder with a browser that is told what to answer, and what the kernel was told. */
function scene({ around = fine, ready = true } = {}) {
  const s = { sent: [], captures: [], answers: [], ready };
  const model = {
    get: () => s.ready,
    send(message) {
      if (s.dead) throw new Error("Cannot send");
      s.sent.push(message);
    },
  };
  const open = (device, listeners) =>
    new Promise((allow, refuse) => {
      const capture = {
        device,
        done: [],
        begin: (take) => capture.done.push(take),
        end: () => capture.done.push("end"),
        close: () => capture.done.push("close"),
      };
      s.captures.push(capture);
      s.answers.push({ allow: () => allow(capture), refuse, ...listeners });
    });
  s.recorder = new Recorder(model, "page", { open, around });
  s.kinds = () => s.sent.map(({ t }) => t);
  return s;
}

const settled = () => new Promise((done) => setImmediate(done));

test("pressed, allowed, released, pressed again: two takes of one microphone", async () => {
  const s = scene();
  const talking = s.recorder.talk();
  assert.equal(s.recorder.state, "asking");
  s.answers[0].allow();
  await talking;
  assert.equal(s.recorder.state, "live");
  s.recorder.hush();
  assert.equal(s.recorder.state, "ready");
  s.answers[0].take({ over: "page-1", count: 7 });
  await s.recorder.talk();
  assert.deepEqual(s.captures[0].done, ["page-1", "end", "page-2"]);
  assert.deepEqual(s.sent, [
    { t: "take", take: "page-1", page: "page" },
    { t: "over", take: "page-1", count: 7, why: "released" },
    { t: "take", take: "page-2", page: "page" },
  ]);
});

test("released before the browser has asked: it is open, and nothing is sent", async () => {
  const s = scene();
  const talking = s.recorder.talk();
  s.recorder.hush();
  s.answers[0].allow();
  await talking;
  assert.deepEqual([s.recorder.state, s.sent], ["ready", []]);
});

test("two views that press together open one microphone", async () => {
  const s = scene();
  const both = [s.recorder.talk(), s.recorder.talk()];
  s.answers[0].allow();
  await Promise.all(both);
  await settled();
  assert.deepEqual([s.captures.length, s.kinds()], [1, ["take"]]);
});

test("a refusal is said and told, and the next press asks again", async () => {
  const s = scene();
  const talking = s.recorder.talk();
  s.answers[0].refuse(Object.assign(new Error(), { name: "NotAllowedError" }));
  await talking;
  assert.equal(s.recorder.state, "off");
  assert.match(s.recorder.trouble, /allow the microphone/);
  assert.deepEqual(s.kinds(), ["trouble"]);
  const again = s.recorder.talk();
  s.answers[1].allow();
  await again;
  assert.deepEqual([s.recorder.state, s.recorder.trouble], ["live", ""]);
});

test("where it cannot be, the browser is not even asked", async () => {
  const s = scene({ around: () => ({ ...fine(), secure: false, host: "box", port: "1" }) });
  await s.recorder.talk();
  assert.deepEqual([s.captures.length, s.recorder.wanted], [0, false]);
  assert.match(s.recorder.trouble, /https/);
});

test("with no conversation nobody is asked for a microphone", async () => {
  const s = scene({ ready: false });
  await s.recorder.talk();
  assert.match(s.recorder.trouble, /Press Start/);
  assert.equal(s.captures.length, 0);
});

test("let go while the browser asks: what comes late is closed at once", async () => {
  const s = scene();
  const talking = s.recorder.talk();
  s.recorder.off();
  s.answers[0].allow();
  await talking;
  assert.deepEqual([s.captures[0].done, s.recorder.state, s.recorder.capture], [["close"], "off", null]);
});

test("unplugged in the middle: the take ends, it is said, and a press begins anew", async () => {
  const s = scene();
  const talking = s.recorder.talk();
  s.answers[0].allow();
  await talking;
  s.answers[0].lost();
  assert.deepEqual([s.recorder.state, s.recorder.trouble], ["off", UNPLUGGED]);
  s.answers[0].take({ over: "page-1", count: 3 }); // the worklet's last word comes later
  assert.deepEqual(s.sent.at(-1), { t: "over", take: "page-1", count: 3, why: "unplugged" });
  const again = s.recorder.talk();
  s.answers[1].allow();
  await again;
  assert.equal(s.recorder.state, "live");
});

test("with no kernel to tell the microphone is let go", async () => {
  const s = scene();
  const talking = s.recorder.talk();
  s.answers[0].allow();
  await talking;
  s.dead = true;
  for (const n of [0, 1]) s.answers[0].take({ take: "page-1", n, at: 0, pcm: new ArrayBuffer(2) });
  assert.deepEqual([s.recorder.state, s.recorder.trouble], ["off", NO_KERNEL]);
  assert.ok(s.captures[0].done.includes("close"));
});

test("chunks go in twos, and the last one of a take is not kept back", async () => {
  const s = scene();
  const talking = s.recorder.talk();
  s.answers[0].allow();
  await talking;
  const before = s.sent.length;
  for (const n of [0, 1, 2]) s.answers[0].take({ take: "page-1", n, at: 40 * n, pcm: new ArrayBuffer(2) });
  assert.deepEqual(s.sent.slice(before), [{ t: "chunks", take: "page-1", n: 0, at: [0, 40] }]);
  s.answers[0].take({ over: "page-1", count: 3 });
  assert.deepEqual(s.sent.slice(before + 1).map(({ t, n, count }) => [t, n ?? count]), [["chunks", 2], ["over", 3]]);
});

test("the kernel says when to talk, to this page alone, and when all is over", async () => {
  const s = scene();
  s.recorder.receive({ t: "talk", page: "another" });
  assert.equal(s.captures.length, 0);
  s.recorder.receive({ t: "talk", page: "page" });
  s.answers[0].allow();
  await settled();
  assert.equal(s.recorder.state, "live");
  s.recorder.receive({ t: "stop", page: "page", take: "page-0" });
  assert.equal(s.recorder.state, "live");
  s.recorder.receive({ t: "stop", page: "page", take: "page-1" });
  assert.equal(s.recorder.state, "ready");
  s.recorder.receive({ t: "close" });
  assert.equal(s.recorder.state, "off");
});

test("another microphone is taken in the middle of speaking", async () => {
  const s = scene();
  const talking = s.recorder.talk();
  s.answers[0].allow();
  await talking;
  const choosing = s.recorder.choose("usb");
  s.answers[1].allow();
  await choosing;
  assert.deepEqual([s.captures[1].device, s.captures[0].done.at(-1)], ["usb", "close"]);
  assert.equal(s.recorder.state, "live");
});
