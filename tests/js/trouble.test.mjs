import assert from "node:assert/strict";
import test from "node:test";

import { hindrance, refusal, surroundings } from "../../rtwidgets/widgets/static/voice/trouble.js";

const well = { secure: true, able: true, allowed: true, code: false, host: "box:8888", port: "8888" };

test("where nothing is in the way nothing is said", () => {
  assert.equal(hindrance(well), "");
});

test("each hindrance is named, with what to do instead, the worst first", () => {
  const words = {
    "VS Code": { code: true, able: false },
    "ssh -L 8888": { secure: false, able: false },
    "tab of its own": { allowed: false },
    "current Chrome": { able: false },
  };
  for (const [expected, what] of Object.entries(words)) {
    const said = hindrance({ ...well, ...what });
    assert.ok(said.includes(expected) && said.includes("type, or speak samples"), said);
  }
});

test("what the browser says becomes a sentence to act on; what is not known is quoted", () => {
  for (const name of ["NotAllowedError", "SecurityError"])
    assert.match(refusal({ name }), /allow the microphone/);
  assert.match(refusal({ name: "NotFoundError" }), /Plug one in/);
  assert.match(refusal({ name: "NotReadableError" }), /another program/);
  assert.match(refusal({ name: "NeedsClick" }), /Press the button here/);
  assert.match(refusal({ name: "OddError", message: "because" }), /OddError: because/);
  assert.match(refusal(), /did not start/);
});

test("a page is looked at as it is", () => {
  const scope = {
    isSecureContext: false,
    location: { protocol: "http:", host: "box:9999", port: "9999" },
    navigator: { userAgent: "Firefox" },
    document: {},
  };
  assert.deepEqual(surroundings(scope), {
    secure: false,
    able: false,
    allowed: true,
    code: false,
    host: "box:9999",
    port: "9999",
  });
  assert.ok(surroundings({ location: { protocol: "vscode-webview:" } }).code);
  assert.ok(surroundings({ navigator: { userAgent: "Mozilla Code/1.99 Electron" } }).code);
});
