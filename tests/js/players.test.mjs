import assert from "node:assert/strict";
import test from "node:test";

import { ScheduledPlayer } from "../../rtwidgets/widgets/static/voice/players.js";

const ones = (n) => new Float32Array(n).fill(1);

/** What ScheduledPlayer needs of an AudioContext, with a clock that is moved by hand. */
class FakeContext {
  currentTime = 0;
  sampleRate = 1000;
  sources = [];
  createBuffer = (_, length, rate) => ({ duration: length / rate, copyToChannel() {} });
  createBufferSource = () => {
    const source = {
      connect() {},
      start: (at) => (source.at = at),
      stop: () => (source.stopped = true),
    };
    this.sources.push(source);
    return source;
  };
}

test("without a worklet buffers follow one another, and are counted by the clock", () => {
  const context = new FakeContext();
  const reports = [];
  const player = new ScheduledPlayer(context, null, (report) => reports.push(report));
  player.push("a", ones(100));
  player.push("a", ones(100));
  assert.deepEqual(
    context.sources.map(({ at }) => Math.round(at * 1000)),
    [150, 250],
  );
  context.currentTime = 0.3;
  player.tick();
  assert.deepEqual(
    [reports[0].heard, reports[0].playing, reports[0].nonzero],
    [{ a: 150 }, true, 150],
  );
  player.flush(7);
  assert.deepEqual(
    [reports[1].flushed, reports[1].heard, reports[1].playing],
    [7, { a: 150 }, false],
  );
  assert.ok(context.sources.every(({ stopped }) => stopped));
  player.close();
});
