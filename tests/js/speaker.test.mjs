import assert from "node:assert/strict";
import test from "node:test";

import { Speaker, news } from "../../rtwidgets/widgets/static/voice/speaker.js";

test("the kernel is told of a start, now and then on the way, and of the end once", () => {
  const told = new Map();
  const ended = new Set();
  const tell = (samples, item, now) =>
    news({ heard: { a: samples }, item }, told, now, ended).map(({ samples, done }) => [
      samples,
      done,
    ]);
  assert.deepEqual(tell(100, "a", 0), [[100, false]]);
  assert.deepEqual(tell(200, "a", 500), []);
  assert.deepEqual(tell(300, "a", 1000), [[300, false]]);
  assert.deepEqual(tell(400, "", 1100), []);
  ended.add("a");
  assert.deepEqual(tell(400, "", 1200), [[400, true]]);
  assert.deepEqual(tell(400, "", 9000), []);
});

test("of two pages one plays, and the other says nothing to the kernel", () => {
  const sent = [];
  const page = new Speaker({ send: (message) => sent.push(message.t) }, "one");
  page.enqueue = (work) => page.queue.push(work);
  const audio = () => page.take({ t: "audio", item_id: "a" }, [new DataView(new ArrayBuffer(4))]);
  audio(); // meant for a page that was there before
  assert.deepEqual([page.queue.length, page.elsewhere], [0, false]);
  page.take({ t: "welcome", page: "one" });
  audio();
  assert.deepEqual([page.queue.length, page.here], [1, true]);
  page.take({ t: "welcome", page: "another" });
  audio();
  page.take({ t: "flush", id: 1 });
  assert.deepEqual([page.queue.length, page.elsewhere, sent], [0, true, []]);
  page.ask();
  page.take({ t: "welcome", page: "one" });
  page.take({ t: "flush", id: 2 });
  assert.deepEqual(sent, ["hello", "flushed"]);
});

test("a page that plays and shows the chat no more is mute, and one that shows it takes over", () => {
  const sent = [];
  const [plays, shows, mute] = ["plays", "shows", "mute"].map(
    (name) => new Speaker({ send: ({ t }) => sent.push([name, t]) }, name),
  );
  const all = [plays, shows, mute];
  for (const one of all) one.take({ t: "welcome", page: "plays" });
  mute.hide(true); // it does not play: nothing changes
  assert.deepEqual(sent, []);
  plays.hide(true);
  assert.deepEqual(sent.splice(0), [["plays", "left"]]);
  for (const one of all) one.take({ t: "free", page: "plays" });
  assert.deepEqual(sent, [["shows", "hello"]]);
});

test("while no view stands the sound stands still, and goes on from there", async () => {
  const done = [];
  const speaker = new Speaker({ send: () => {} }, "one");
  speaker.context = { state: "running", suspend: () => done.push("suspend"), resume: async () => done.push("resume") };
  speaker.making = Promise.resolve();
  speaker.hand = () => done.push("hand");
  speaker.hide(true);
  await speaker.making;
  speaker.context.state = "suspended";
  await speaker.release(); // more sound comes meanwhile
  speaker.hide(false);
  await speaker.making;
  speaker.context.state = "running";
  await speaker.release();
  assert.deepEqual(done, ["suspend", "suspend", "resume", "hand"]);
});

test("what is told of an item that the player has let go is forgotten", () => {
  const told = new Map([["old", { samples: 9, at: 0, done: true }]]);
  news({ heard: { a: 1 }, item: "a" }, told, 0, new Set());
  assert.deepEqual([...told.keys()], ["a"]);
});
