import assert from "node:assert/strict";
import test from "node:test";

import {
  eventProblem,
  laidOut,
  pieces,
  problem,
} from "../../rtwidgets/widgets/static/table/jsontext.js";

test("what JSON.parse takes is taken, what it refuses is refused", () => {
  const sound = [
    "{}", "[]", " [1, -2.5e+3, 0, true,\nfalse, null] ", '"\\u00e9\\n\\/"', '{"a":{"b":[{}]},"c":""}',
    '{"a":1,"a":2}', "0", "-0", '"\ud83d"', '{"toString": {"constructor": []}}',
  ]; // prettier-ignore
  const broken = [
    "", "{", "}", "[1,]", '{"a":1,}', "{a:1}", "{'a':1}", '{"a" 1}', '{"a":}', "01", "1.", ".5", "+1",
    "1e", "NaN", "Infinity", "tru", "True", "None", "undefined", '"a', '"\\x"', '"\n"', '"\t"', "[1 2]",
    "{} {}", "// hi", "[1] # no", '{"a":[}', '{"a":1', "[", '["a"', "constructor", '"\\u12G4"', "\u00a0{}",
    "-", "1_000", "0x10", ",", "{,}", "[,]",
  ]; // prettier-ignore
  for (const text of sound) {
    assert.doesNotThrow(() => JSON.parse(text), text);
    assert.equal(problem(text), null, text);
  }
  for (const text of broken) {
    assert.throws(() => JSON.parse(text), undefined, text);
    assert.ok(problem(text)?.words, text);
  }
});

test("a sound event with anything changed is judged as JSON.parse judges it", () => {
  const text = '{"type": "x", "n": [-1.5e3, true, null, "a\\n\\u0041"], "o": {"": {}}}';
  for (const mark of ['"', "{", "]", ",", ":", "1", " ", "\\", "t", "\n", ""])
    for (let at = 0; at < text.length; at++) {
      const changed = text.slice(0, at) + mark + text.slice(at + 1);
      let sound = true;
      try {
        JSON.parse(changed);
      } catch {
        sound = false;
      }
      assert.equal(problem(changed) === null, sound, changed);
    }
});

test("a problem is told with its place and in words that help", () => {
  const said = (text) => {
    const { line, column, words } = problem(text);
    return `${line}:${column} ${words}`;
  };
  assert.equal(said('{\n  "a": 1,\n}'), "3:1 There is a comma too many before this.");
  assert.equal(said('{"a": None}'), "1:7 That is Python's None; JSON says null.");
  assert.equal(said("{'a': 1}"), "1:2 JSON has double quotes, not single ones.");
  assert.equal(said("{“a”: 1}"), "1:2 These are typographic quotes; JSON has straight ones.");
  assert.equal(said('{"a": 1\n "b": 2}'), "2:2 A comma is missing before this.");
  assert.equal(said('{"a": 1'), "1:8 The { of line 1 is not closed.");
  assert.equal(said('{"a": [1}'), "1:9 } does not close the [ of line 1.");
  assert.equal(said('{"a" 1}'), "1:6 A colon is missing here, between name and value.");
  assert.equal(said("{} {}"), "1:4 Here stands more, behind the end of the event.");
  assert.equal(said('{"a": hello}'), "1:7 “hello” is no JSON value. Text stands in double quotes.");
  assert.match(said("[".repeat(5000)), /nested more than/);
  assert.equal(problem('{"a": 1,}').at, 8);
});

test("an event is an object with a type", () => {
  assert.equal(eventProblem('{"type": "response.create"}'), null);
  assert.match(eventProblem("[]").words, /is an object/);
  assert.match(eventProblem("null").words, /is an object/);
  assert.match(eventProblem('{"typ": "x"}').words, /needs a "type"/);
  assert.match(eventProblem('{"type": 5}').words, /needs a "type"/);
  assert.equal(eventProblem('{"type": }').column, 10);
});

test("JSON in pieces is the same text, keys told from strings", () => {
  const text = JSON.stringify({ a: 'b\\"c: 1', n: [-1.5e3, true, null], "": {} }, null, 2);
  const found = pieces(text);
  assert.equal(found.map(([, piece]) => piece).join(""), text);
  assert.deepEqual(
    found.filter(([kind]) => kind === "key").map(([, piece]) => piece),
    ['"a"', '"n"', '""'],
  );
  assert.deepEqual(
    found.filter(([kind]) => kind === "word").map(([, piece]) => piece),
    ["true", "null"],
  );
});

test("laid out, JSON looks as JSON.stringify lays it out, its numbers as they were written", () => {
  const value = { a: { b: [], c: {}, d: [1, [2, { e: "x, {y}: \\" }]] }, f: null, "g h": true };
  assert.equal(laidOut(JSON.stringify(value)), JSON.stringify(value, null, 2));
  assert.equal(laidOut(JSON.stringify(value, null, 4)), JSON.stringify(value, null, 2));
  assert.equal(laidOut('{"n":1.0,"big":12345678901234567890}').includes("12345678901234567890"), true);
  assert.equal(laidOut('{"n":1.0}'), '{\n  "n": 1.0\n}');
});
