// JSON as a person writes it: where it goes wrong and why, laid out anew, and in pieces to colour.

const DEEPEST = 200;
const WORDS = ["true", "false", "null"];
const PYTHON = { True: "true", False: "false", None: "null" };

class Wrong extends Error {
  constructor(at, words) {
    super(words);
    this.at = at;
  }
}

/** What is wrong with a JSON text: {at, line, column, words}, the place counted from 0 and the other
    two from 1. null where nothing is. */
export function problem(text) {
  try {
    const end = space(text, value(text, space(text, 0), 0));
    if (end < text.length) throw new Wrong(end, "Here stands more, behind the end of the event.");
    return null;
  } catch (wrong) {
    if (!(wrong instanceof Wrong)) throw wrong;
    const at = Math.min(wrong.at, text.length);
    const before = text.slice(0, at).split("\n");
    return { at, line: before.length, column: before.at(-1).length + 1, words: wrong.message };
  }
}

/** What keeps a text from being a client event, likewise. */
export function eventProblem(text) {
  const wrong = problem(text);
  if (wrong) return wrong;
  const event = JSON.parse(text);
  const first = { at: text.search(/\S/), line: 1, column: 1 };
  if (event === null || typeof event !== "object" || Array.isArray(event))
    return { ...first, words: "An event is an object: { … }." };
  if (typeof event.type !== "string" || !event.type)
    return { ...first, words: 'An event needs a "type", such as "response.create".' };
  return null;
}

function space(text, at) {
  while (" \t\n\r".includes(text[at] || "-")) at++;
  return at;
}

/** Where the value that begins at `at` ends. */
function value(text, at, depth) {
  const mark = text[at];
  if (depth > DEEPEST) throw new Wrong(at, `This is nested more than ${DEEPEST} deep.`);
  if (mark === "{") return object(text, at, depth);
  if (mark === "[") return list(text, at, depth);
  if (mark === '"') return string(text, at);
  if (mark === undefined) throw new Wrong(at, "A value is missing at the end.");
  const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/.exec(text.slice(at, at + 400));
  if (number) {
    const end = at + number[0].length;
    if (/[\w.]/.test(text[end] ?? "")) throw new Wrong(end, "This is not a number JSON has.");
    return end;
  }
  return word(text, at);
}

function word(text, at) {
  const found = /^[\p{L}_][\p{L}\p{N}_]*/u.exec(text.slice(at, at + 100))?.[0];
  if (WORDS.includes(found)) return at + found.length;
  if (found && Object.hasOwn(PYTHON, found))
    throw new Wrong(at, `That is Python's ${found}; JSON says ${PYTHON[found]}.`);
  if (found) throw new Wrong(at, `“${found}” is no JSON value. Text stands in double quotes.`);
  throw new Wrong(at, strange(text[at], "A value is missing here."));
}

function strange(mark, otherwise) {
  if (mark === "'") return "JSON has double quotes, not single ones.";
  if ("“”„«»‘’".includes(mark)) return "These are typographic quotes; JSON has straight ones.";
  if (mark === "/" || mark === "#") return "JSON has no comments.";
  return otherwise;
}

function string(text, start) {
  for (let at = start + 1; at < text.length; at++) {
    const mark = text[at];
    if (mark === '"') return at + 1;
    if (mark === "\n") throw new Wrong(at, "The text breaks off: a line break in it is written \\n.");
    if (mark < " ") throw new Wrong(at, "A control character in a text is written \\u00….");
    if (mark === "\\") {
      const escape = /^\\(["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(text.slice(at, at + 6));
      if (!escape) throw new Wrong(at, "JSON does not know this escape; a backslash is written \\\\.");
      at += escape[0].length - 1;
    }
  }
  throw new Wrong(start, "This text has no closing quote.");
}

function object(text, start, depth) {
  let at = space(text, start + 1);
  if (text[at] === "}") return at + 1;
  for (;;) {
    if (text[at] === "}") throw new Wrong(at, "There is a comma too many before this.");
    if (text[at] === undefined) throw unclosed(start, text);
    if (text[at] !== '"')
      throw new Wrong(at, strange(text[at], "A name in double quotes belongs here."));
    at = space(text, string(text, at));
    if (text[at] !== ":") throw new Wrong(at, "A colon is missing here, between name and value.");
    at = space(text, value(text, space(text, at + 1), depth + 1));
    if (text[at] === "}") return at + 1;
    at = comma(text, at, start);
  }
}

function list(text, start, depth) {
  let at = space(text, start + 1);
  if (text[at] === "]") return at + 1;
  for (;;) {
    if (text[at] === "]") throw new Wrong(at, "There is a comma too many before this.");
    if (text[at] === undefined) throw unclosed(start, text);
    at = space(text, value(text, at, depth + 1));
    if (text[at] === "]") return at + 1;
    at = comma(text, at, start);
  }
}

function comma(text, at, start) {
  const mark = text[at];
  if (mark === ",") return space(text, at + 1);
  if (mark === undefined) throw unclosed(start, text);
  if (mark === "}" || mark === "]")
    throw new Wrong(at, `${mark} does not close the ${text[start]} of ${lineOf(text, start)}.`);
  throw new Wrong(at, strange(mark, "A comma is missing before this."));
}

function unclosed(start, text) {
  return new Wrong(text.length, `The ${text[start]} of ${lineOf(text, start)} is not closed.`);
}

function lineOf(text, at) {
  return `line ${text.slice(0, at).split("\n").length}`;
}

/** JSON text in pieces [kind, text], kind being key, string, number, word or "" for the rest. */
export function pieces(json) {
  const found = [];
  const pattern =
    /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;
  let end = 0;
  for (const match of json.matchAll(pattern)) {
    if (match.index > end) found.push(["", json.slice(end, match.index)]);
    const [all, text, colon, figure] = match;
    if (text) found.push([colon ? "key" : "string", text]);
    else found.push([figure ? "number" : "word", all]);
    if (colon) found.push(["", colon]);
    end = match.index + all.length;
  }
  if (end < json.length) found.push(["", json.slice(end)]);
  return found;
}

/** Sound JSON, indented by two; its numbers and texts stay as they were written. */
export function laidOut(json) {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let [out, depth] = ["", 0];
  const line = () => "\n" + "  ".repeat(depth);
  tokens.forEach((token, at) => {
    const next = tokens[at + 1];
    if (token === "{" || token === "[") {
      depth++;
      out += token + (next === "}" || next === "]" ? "" : line());
    } else if (token === "}" || token === "]") {
      depth--;
      out += (tokens[at - 1] === "{" || tokens[at - 1] === "[" ? "" : line()) + token;
    } else if (token === ",") out += token + line();
    else out += token === ":" ? ": " : token;
  });
  return out;
}
