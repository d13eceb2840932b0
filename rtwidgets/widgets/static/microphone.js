// The microphone's strip: the button that is held or clicked, how loud it is, who decides on turns, and
// what may be changed while talking. What records belongs to the model (voice/recorder.js).

import { Views } from "./chat/views.js";
import { insist, kernelOf, make, setAttributes, setData, setHidden, setProperties, setText } from "./page.js";
import { holdable } from "./voice/hold.js";
import { Recorder } from "./voice/recorder.js";

const TURNS = {
  push_to_talk: "Push to talk",
  server_vad: "Hands-free: server_vad",
  semantic_vad: "Hands-free: semantic_vad",
};
const EAGERNESS = ["auto", "low", "medium", "high"];
const ANSWERS = 3000; // ms that the kernel has to say what became of a choice
const NOISE = { "": "off", near_field: "near field (headset)", far_field: "far field (laptop, room)" };

/** Whether a press is held, not toggled. */
export function isHeld(settings) {
  return settings.turns === "push_to_talk";
}

/** What the button says, by the recorder's state. */
export function buttonWords(state, held) {
  if (state === "asking") return "Allow the microphone …";
  if (state === "live") return held ? "Listening: release to send" : "Mute";
  return held ? "Hold to talk" : "Talk";
}

/** What is said beside the button: what went wrong first, then what a person may not know. */
export function sentence({ trouble, note, warning, state, held, lost }) {
  const gaps = lost ? `${lost} piece${lost === 1 ? "" : "s"} of 40 ms were lost on the way. ` : "";
  if (trouble || note) return gaps + (trouble || note);
  if (state === "asking") return "The browser asks whether this page may listen.";
  if (state === "ready" && held) return gaps + "The microphone is open; nothing is sent until you hold.";
  return gaps + warning;
}

/** A level (root mean square) as a share of the bar: -60 dB is empty, 0 dB is full. */
export function share(level) {
  return level > 0 ? Math.max(0, Math.min(1, 1 + Math.log10(level) / 3)) : 0;
}

/** Which fields there are for a kind of turn detection. */
export function fieldsFor(turns) {
  return { server_vad: ["threshold", "silence_ms"], semantic_vad: ["eagerness"] }[turns] ?? [];
}

/** What a person has just chosen: it stands there until the kernel says the same, or has had its
    time. The strip is drawn again with every reading of the level, and would take it back. */
export class Chosen {
  constructor(clock = Date.now) {
    this.clock = clock;
    this.values = new Map();
  }

  add(settings) {
    for (const [name, value] of Object.entries(settings))
      this.values.set(name, { value, until: this.clock() + ANSWERS });
  }

  /** These settings of the kernel's, with what was chosen since. */
  over(settings) {
    const now = { ...settings };
    for (const [name, { value, until }] of this.values) {
      if (settings[name] === value || this.clock() >= until) this.values.delete(name);
      else now[name] = value;
    }
    return now;
  }
}

function choice(name, label, options) {
  const list = make("select", "rtw-choice", { name, "aria-label": label });
  for (const [value, words] of options) list.append(make("option", "", { value }, words));
  return list;
}

function slider(name, label, { min, max, step }) {
  return make("input", "rtw-slider", { type: "range", name, min, max, step, "aria-label": label });
}

/** What a field stands at: text, a number or a yes. */
export function valueOf({ type, value, checked }) {
  return { range: () => Number(value), checkbox: () => checked }[type]?.() ?? value;
}

/** The settings behind "Turns and sound". Gives the element and `show(settings, voices, devices)`. */
function panel(set, choose) {
  const fields = {
    threshold: slider("threshold", "Threshold", { min: 0, max: 1, step: 0.05 }),
    silence_ms: slider("silence_ms", "Silence", { min: 100, max: 2000, step: 50 }),
    eagerness: choice("eagerness", "Eagerness", EAGERNESS.map((one) => [one, one])),
    noise_reduction: choice("noise_reduction", "Noise reduction", Object.entries(NOISE)),
    captions: make("input", "", { type: "checkbox", name: "captions", "aria-label": "Captions" }),
    voice: choice("voice", "Voice", []),
    speed: slider("speed", "Speed", { min: 0.25, max: 1.5, step: 0.05 }),
  };
  const device = choice("device", "Microphone", []);
  const values = { threshold: String, silence_ms: (ms) => `${ms} ms`, speed: (x) => `${x}×` };
  const labels = {};
  const row = (name, field) => {
    const value = make("output", "rtw-value");
    labels[name] = make("label", "rtw-field", {}, make("span", "rtw-label", {}, field.getAttribute("aria-label")), field, value);
    if (values[name]) field.addEventListener("input", () => setText(value, values[name](field.value)));
    return labels[name];
  };
  const el = make("div", "rtw-microphone-panel", { hidden: "" });
  for (const [name, field] of Object.entries(fields)) {
    el.append(row(name, field));
    field.addEventListener("change", () => set({ [name]: valueOf(field) }));
  }
  el.append(row("device", device));
  device.addEventListener("change", () => choose(device.value));

  const show = (settings, voices, recorder) => {
    fill(fields.voice, [["", "as it began"], ...voices.map((one) => [one, one])]);
    for (const [name, field] of Object.entries(fields)) {
      if (field.type === "checkbox") field.checked = settings[name];
      else if (document.activeElement !== field || field.type !== "range") field.value = settings[name];
      if (values[name]) setText(labels[name].lastChild, values[name](field.value));
    }
    const kind = fieldsFor(settings.turns);
    for (const name of ["threshold", "silence_ms", "eagerness"]) setHidden(labels[name], !kind.includes(name));
    fill(device, [["", "the browser's choice"], ...recorder.devices.map(({ id, name }) => [id, name])]);
    device.value = recorder.devices.some(({ id }) => id === recorder.device) ? recorder.device : "";
    setHidden(labels.device, !recorder.devices.length);
  };
  return { el, show };
}

/** Give a list its options; one that has them already is left alone, for it may be open. */
function fill(list, options) {
  const now = [...list.options].map(({ value, text }) => [value, text]);
  if (JSON.stringify(now) === JSON.stringify(options)) return;
  list.replaceChildren(...options.map(([value, words]) => make("option", "", { value }, words)));
}

function strip(model, el, recorder) {
  const bar = make("span", "rtw-level-bar");
  const level = make("span", "rtw-level", { "aria-hidden": "true" }, bar);
  const talk = make("button", "rtw-button rtw-talk", { type: "button" });
  const turns = choice("turns", "Who decides when a turn ends", Object.entries(TURNS));
  const off = make(
    "button",
    "rtw-button rtw-quiet rtw-off",
    { type: "button", hidden: "", title: "Let the microphone go; the next press opens it again" },
    "Microphone off",
  );
  const more = make("button", "rtw-button rtw-quiet rtw-more-settings", { type: "button", "aria-expanded": "false" }, "Turns and sound");
  const said = make("p", "rtw-microphone-said", { role: "status" });
  const chosen = new Chosen();
  const now = () => chosen.over(model.get("settings"));
  let late;
  const set = (settings) => {
    model.send({ t: "set", settings });
    chosen.add(settings);
    clearTimeout(late);
    late = setTimeout(() => show(), ANSWERS);
  };
  const settings = panel(set, (device) => recorder.choose(device));
  const fit = () => settings.el.hidden || settings.show(now(), model.get("voices"), recorder);
  const box = make(
    "div",
    "rtw-microphone",
    { role: "group", "aria-label": "Microphone", "data-lm-suppress-shortcuts": "true" },
    talk,
    level,
    turns,
    more,
    off,
  );
  el.classList.add("rtw", "rtw-microphone-view");
  el.append(box, said, settings.el);

  const held = () => isHeld(model.get("settings"));
  const letGo = holdable(talk, {
    held,
    press: () => recorder.talk(),
    release: () => recorder.hush(),
    toggle: () => recorder.toggle(),
  });
  turns.addEventListener("change", () => {
    const kind = turns.value; // what follows shows again what the kernel knows
    recorder.hush("other turns");
    set({ turns: kind });
  });
  off.addEventListener("click", () => recorder.off());
  more.addEventListener("click", () => {
    settings.el.hidden = !settings.el.hidden;
    more.setAttribute("aria-expanded", String(!settings.el.hidden));
    fit();
  });
  for (const one of settings.el.querySelectorAll("input, select"))
    one.addEventListener("keydown", (event) => event.stopPropagation()); // letters are no shortcuts here

  const show = () => {
    const { state } = recorder;
    setText(talk, buttonWords(state, held()));
    const title = held() ? "Hold it, or the space bar, while you speak" : "";
    setProperties(talk, { disabled: !model.get("ready") });
    setAttributes(talk, { title, "aria-pressed": state === "live" });
    setData(box, { state });
    bar.style.transform = `scaleX(${share(recorder.level).toFixed(3)})`;
    for (const one of [level, off]) setHidden(one, recorder.capture === null);
    setProperties(turns, { value: now().turns });
    const [note, warning, lost] = ["note", "warning", "lost"].map((name) => model.get(name));
    setText(said, sentence({ trouble: recorder.trouble, note, warning, state, held: held(), lost }));
    setHidden(said, !said.textContent);
    fit();
  };
  show();
  const close = () => (clearTimeout(late), letGo());
  return { show, close };
}

const TRAITS = ["ready", "settings", "note", "warning", "lost", "voices"];

export default () => {
  let recorder, views;
  return {
    initialize({ model }) {
      const page = Math.random().toString(36).slice(2);
      recorder = new Recorder(model, page);
      views = new Views({ left: () => recorder.off("not shown") }); // nobody could switch it off
      const answered = insist(() => recorder.tell({ t: "hello", page }));
      const receive = (message) => {
        if (message.t === "welcome") answered();
        recorder.receive(message);
      };
      const ready = () => model.get("ready") || recorder.off("over");
      const leave = () => recorder.off("page left");
      // Also while nothing is recorded: a press would find out, and the button is off by then.
      const kernel = kernelOf(model, () => kernel.there || recorder.gone());
      model.on("msg:custom", receive);
      model.on("change:ready", ready);
      window.addEventListener("pagehide", leave);
      return () => {
        answered();
        views.close();
        kernel.leave();
        model.off("msg:custom", receive);
        model.off("change:ready", ready);
        window.removeEventListener("pagehide", leave);
        recorder.off("closed");
      };
    },

    render({ model, el }) {
      const remove = views.add();
      const { show, close } = strip(model, el, recorder);
      recorder.watchers.add(show);
      for (const name of TRAITS) model.on(`change:${name}`, show);
      return () => {
        close();
        recorder.watchers.delete(show);
        for (const name of TRAITS) model.off(`change:${name}`, show);
        remove();
      };
    },
  };
};
