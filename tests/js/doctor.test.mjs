import assert from "node:assert/strict";
import test from "node:test";

import {
  browserName,
  frontEndName,
  loudest,
} from "../../rtwidgets/widgets/static/doctor.js";

const AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)";

test("a browser is named, the one that hides behind another's name first", () => {
  const chrome = `${AGENT} Chrome/142.0.0.0 Safari/537.36`;
  assert.equal(browserName(chrome), "Chrome 142.0.0.0");
  assert.equal(browserName(`${chrome} Edg/142.0.1`), "Edge 142.0.1");
  assert.equal(browserName(`${chrome} OPR/120.0`), "Opera 120.0");
  assert.equal(browserName(chrome.replace("Chrome", "HeadlessChrome")), "Chrome 142.0.0.0");
  assert.equal(browserName("Mozilla/5.0 (X11; rv:144.0) Gecko/20100101 Firefox/144.0"), "Firefox 144.0");
  assert.equal(browserName("AppleWebKit/605.1 (KHTML, like Gecko) Version/19.1 Safari/605.1"), "Safari 19.1");
  assert.equal(browserName("curl/8"), "");
});

test("a front end is named by what Jupyter says of its page, or by where the page stands", () => {
  const lab = { appName: "JupyterLab", appVersion: "4.6.6" };
  assert.equal(frontEndName({ config: lab, protocol: "http:", host: "localhost" }), "JupyterLab 4.6.6");
  assert.equal(frontEndName({ config: { appName: "Jupyter Notebook" } }), "Jupyter Notebook");
  assert.equal(frontEndName({ marks: ["jp-LabShell"] }), "JupyterLab");
  assert.equal(frontEndName({ protocol: "vscode-webview:", config: lab }), "VS Code");
  assert.equal(frontEndName({ host: "x-colab.googleusercontent.com" }), "Colab");
  assert.equal(frontEndName({}), "not one that is known here");
});

test("a sound is as loud as its loudest sample, either way", () => {
  assert.equal(loudest(new Float32Array([0.25, -0.5, 0])), 0.5);
  assert.equal(loudest(new Float32Array(4)), 0);
});
