// What only the page can tell of a setup, and how fast it reaches the kernel. The table itself is the
// kernel's: it writes the rows, so that a plain copy of them stands in the saved notebook.

import { hideFallback, insist, make, setText } from "./page.js";

const PINGS = 7;
const BUSY_PINGS = 6;
const PATIENCE = 3000; // ms to wait for an answer before going on without it

/** The front end's name, from Jupyter's own description of the page and from where the page stands. */
export function frontEndName({ config = {}, protocol = "", host = "", marks = [] }) {
  if (protocol.startsWith("vscode")) return "VS Code";
  if (host.endsWith("googleusercontent.com") || host === "colab.research.google.com") return "Colab";
  const name = config.appName ?? (marks.includes("jp-LabShell") ? "JupyterLab" : "");
  if (!name) return marks.includes("vscode") ? "VS Code" : "not one that is known here";
  return [name, config.appVersion].filter(Boolean).join(" ");
}

const BROWSERS = [
  ["Edge", /\bEdg\/([\d.]+)/],
  ["Opera", /\bOPR\/([\d.]+)/],
  ["Firefox", /\bFirefox\/([\d.]+)/],
  ["Chrome", /\b(?:Headless)?Chrome\/([\d.]+)/],
  ["Safari", /\bVersion\/([\d.]+).*\bSafari\//],
];

/** A browser's name and version from its user agent, "" where it does not tell. */
export function browserName(agent) {
  for (const [name, pattern] of BROWSERS) {
    const found = pattern.exec(agent);
    if (found) return `${name} ${found[1]}`;
  }
  return "";
}

/** How loud a second of sound is: the largest absolute sample of some 0 to 1. */
export function loudest(samples) {
  return samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
}

function jupyterConfig() {
  try {
    return JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}");
  } catch {
    return {};
  }
}

function frontEnd() {
  const marks = [];
  if (document.querySelector(".jp-LabShell")) marks.push("jp-LabShell");
  if (document.querySelector("[data-vscode-context], #_defaultStyles")) marks.push("vscode");
  const { protocol, hostname } = window.location;
  return frontEndName({ config: jupyterConfig(), protocol, host: hostname, marks });
}

/** A context for a moment: what `look` finds in it, and then it is closed. */
async function withContext(options, look) {
  const context = new AudioContext(options);
  try {
    return await look(context);
  } finally {
    await context.close().catch(() => {});
  }
}

async function loadsWorklet(context) {
  const source = "registerProcessor('rtw-nothing', class extends AudioWorkletProcessor {});";
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    await context.audioWorklet.addModule(address);
  } finally {
    URL.revokeObjectURL(address);
  }
}

async function aboutSound() {
  const found = {};
  try {
    await withContext(undefined, async (context) => {
      found.rate = context.sampleRate;
      found.soundState = context.state;
      if (!context.audioWorklet) return;
      await loadsWorklet(context)
        .then(() => (found.worklet = true))
        .catch((error) => (found.workletProblem = `there, and does not load: ${error.message}`));
    });
    found.rateOf24 = await withContext({ sampleRate: 24000 }, (context) => context.sampleRate);
  } catch (error) {
    found.soundProblem = String(error);
  }
  return found;
}

async function aboutMicrophone() {
  const found = { permission: "", microphones: null, microphoneAllowed: null };
  const policy = document.permissionsPolicy ?? document.featurePolicy;
  found.microphoneAllowed = policy?.allowsFeature?.("microphone") ?? null;
  if (!navigator.mediaDevices) return found;
  try {
    const devices = await navigator.mediaDevices.enumerateDevices();
    found.microphones = devices.filter(({ kind }) => kind === "audioinput").length;
    found.permission = (await navigator.permissions.query({ name: "microphone" })).state;
  } catch {
    // Firefox does not tell of this permission before it is asked for
  }
  return found;
}

async function aboutPage() {
  return {
    frontEnd: frontEnd(),
    browser: browserName(navigator.userAgent),
    secure: window.isSecureContext,
    origin: window.location.origin,
    ...(await aboutSound()),
    ...(await aboutMicrophone()),
    now: Date.now() / 1000,
  };
}

/** Listen for a second; nothing of it leaves the page but how loud it was. */
async function listenForASecond() {
  let stream = null;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    return await withContext(undefined, async (context) => {
      await context.resume();
      const look = new AnalyserNode(context, { fftSize: 8192 });
      context.createMediaStreamSource(stream).connect(look);
      const samples = new Float32Array(look.fftSize);
      let level = 0;
      for (let at = 0; at < 10; at++) {
        await pause(100);
        look.getFloatTimeDomainData(samples);
        level = Math.max(level, loudest(samples));
      }
      return { rate: context.sampleRate, level };
    });
  } catch (error) {
    return { problem: navigator.mediaDevices ? error.message || error.name : "not on this page" };
  } finally {
    for (const track of stream?.getTracks() ?? []) track.stop();
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Messages to the kernel and their answers. */
class Line {
  constructor(model) {
    this.model = model;
    this.waiting = new Map(); // what is waited for: who waits
    this.name = Math.random().toString(36).slice(2); // another page may ask the same kernel
    this.count = 0;
    this.arrived = 0;
  }

  take(message) {
    if (message.t === "drop") this.arrived += 1;
    const key = message.t === "pong" ? `pong ${message.n}` : message.t;
    this.waiting.get(key)?.(message);
    this.waiting.delete(key);
  }

  /** The answer that `key` names, null when it does not come in time. */
  answer(key, patience = PATIENCE) {
    return new Promise((done) => {
      this.waiting.set(key, done);
      setTimeout(() => done(null), patience);
    });
  }

  /** How many ms a message there and back takes, null when it got lost. */
  async ping() {
    const n = `${this.name} ${++this.count}`;
    const begun = performance.now();
    const answered = this.answer(`pong ${n}`);
    this.model.send({ t: "ping", n });
    return (await answered) === null ? null : performance.now() - begun;
  }

  async measure() {
    const idle = [];
    for (let at = 0; at < PINGS; at++) {
      idle.push(await this.ping());
      await pause(60); // so that it is not the sender's own rhythm that is measured
    }
    const told = this.answer("occupied");
    this.model.send({ t: "occupy" });
    const busy = [];
    for (let at = 0; at < BUSY_PINGS; at++) {
      await pause(70);
      busy.push(this.ping());
    }
    await told;
    const times = await Promise.all(busy);
    const ended = this.answer("drops");
    this.arrived = 0;
    this.model.send({ t: "burst" });
    const drops = await ended;
    return {
      idle: idle.filter((one) => one !== null),
      busy: times.filter((one) => one !== null),
      asked: BUSY_PINGS,
      sent: drops?.sent ?? 200,
      arrived: this.arrived,
    };
  }
}

export default () => {
  const views = new Set();
  let latest = null; // the table, for views that appear later
  let working = null; // the promise of the examination that is under way
  let line = null;

  const say = (words) => {
    for (const view of views) view.say(words);
  };

  const examine = async (model, listens) => {
    say("Looking at this page …");
    const report = await aboutPage();
    if (listens) {
      say("Listening for a second …");
      report.listened = await listenForASecond();
    }
    model.send({ t: "report", report });
    say("Measuring the way to the kernel …");
    model.send({ t: "measured", report: await line.measure() });
  };

  const begin = (model, listens) => {
    working ??= examine(model, listens).finally(() => {
      working = null;
      say(latest?.summary ?? "");
    });
  };

  return {
    initialize({ model }) {
      line = new Line(model);
      const answered = insist(() => model.send({ t: "hello" }));
      const receive = (message) => {
        if (message.t === "table") {
          const first = latest === null;
          answered();
          latest = message;
          for (const view of views) view.draw(message);
          if (first) begin(model, model.get("listen"));
          else if (!working) say(message.summary);
        }
        line.take(message);
      };
      model.on("msg:custom", receive);
      return () => {
        answered();
        model.off("msg:custom", receive);
      };
    },

    render({ model, el }) {
      const body = make("div", "rtw-doctor-table");
      const words = make("span", "rtw-doctor-words", { role: "status", "aria-live": "polite" });
      const again = make("button", "rtw-button rtw-again", { type: "button" }, "Look again");
      const listen = make(
        "button",
        "rtw-button rtw-listen",
        { type: "button", title: "Opens the microphone for a second; nothing is kept or sent" },
        "Test the microphone",
      );
      const view = {
        say: (text) => setText(words, text),
        draw: ({ html }) => {
          body.innerHTML = html; // written by the kernel, all words in it escaped there
        },
      };
      again.addEventListener("click", () => begin(model, false));
      listen.addEventListener("click", () => begin(model, true));
      el.classList.add("rtw", "rtw-doctor");
      el.dataset.lmSuppressShortcuts = "true";
      el.append(make("div", "rtw-doctor-bar", {}, again, listen, words), body);
      hideFallback(el, model.get("hides"));
      views.add(view);
      if (latest) view.draw(latest);
      return () => views.delete(view);
    },
  };
};
