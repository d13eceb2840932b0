// The controls that work while a cell computes: the header (status, Start and Stop) and the composer
// (text box, Send, Interrupt, downloads). What a person does goes to the kernel as a message.

import { openSection } from "./chat/sections.js";
import { NOBODY, hideFallback, kernelOf, make, setText } from "./page.js";

const SAVES = { jsonl: "JSONL", redacted: "Redacted", wav: "WAV", html: "HTML" };
const HINTS = {
  jsonl: "every event, one a line",
  redacted: "every event to share: without keys, addresses and audio",
  wav: "the assistant's audio",
  html: "a page to read without a kernel",
};

/** "00:42" or "1:02:03" */
export function elapsed(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours
    ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${two(minutes)}:${two(whole % 60)}`;
}

/** Whether a conversation goes on; while its line is looked for too. */
function stands(status) {
  return ["open", "reconnecting"].includes(status.state);
}

/** The numbers at the right of the status line. */
export function meter(status, now) {
  if (!status.since) return [];
  const seconds = stands(status) ? (now - status.since) / 1000 : status.seconds;
  return [elapsed(seconds), tokens(status), status.spent].filter(Boolean);
}

/** What was counted; some servers do not say what a reply used, and that is not nothing. */
function tokens(status) {
  const counted = `${status.tokens.toLocaleString("en")} tokens`;
  if (status.all_told !== false) return counted;
  return status.tokens ? `at least ${counted}` : "tokens unknown";
}

/** Whether a session stands or is about to: Stop is offered. */
export function running(status) {
  return status.state === "confirm" || listening(status);
}

/** Whether text can be sent: it is kept until the line stands. */
export function listening(status) {
  return status.state === "connecting" || stands(status);
}

/** What a list or a text field of ipywidgets shows, by its model in the page. */
export function shownBy(field) {
  return field.get("_options_labels")?.[field.get("index")] ?? field.get("value");
}

/** What the status line names: while nothing is connected, what would be. */
export function facts(status, chosen) {
  const before = ["idle", "failed"].includes(status.state) && chosen;
  const { endpoint, model, voice } = before ? { ...before, voice: "" } : status;
  return [endpoint, model, voice].filter(Boolean);
}

/** What stays in the box when the kernel has taken `text`: what was typed behind it since. */
export function withoutTaken(value, text) {
  return value.startsWith(text) ? value.slice(text.length).trimStart() : value;
}

/** The lists and text fields of what is chosen before Start, by name. What they show goes to the
    kernel with Start: their own messages wait for a busy cell, and Start does not. */
async function fieldsOf(model) {
  const ids = Object.entries(model.get("fields"));
  const found = ids.map(async ([name, id]) => [name, await model.widget_manager.get_model(id)]);
  return Object.fromEntries(await Promise.all(found));
}

function header(model, el) {
  let fields = null; // a front end that does not give them: the kernel starts with what it knows
  const chosen = () =>
    fields &&
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, shownBy(field)]));
  const kernel = kernelOf(model, () => show());
  const tell = (what) => kernel.tell({ t: "do", what, chosen: chosen() });
  const words = make("strong", "rtw-words", { role: "status" });
  const about = make("span", "rtw-about");
  const numbers = make("button", "rtw-meter", {
    type: "button",
    title: "Elapsed, tokens, cost. Click for tokens by kind and dollars.",
  });
  const start = make("button", "rtw-button rtw-start", { type: "button" });
  const dot = make("span", "rtw-dot", { "aria-hidden": "true" });
  const line = make(
    "div",
    "rtw-status",
    {},
    make("div", "rtw-facts", {}, dot, words, about, numbers),
    start,
  );
  const question = make("span", "rtw-question");
  const yes = make(
    "button",
    "rtw-button rtw-primary rtw-approve",
    { type: "button" },
    "Agree and start",
  );
  const no = make("button", "rtw-button rtw-decline", { type: "button" }, "Not now");
  const notice = make("div", "rtw-notice", { role: "alert", hidden: "" }, question, yes, no);
  const trouble = make("div", "rtw-trouble", { role: "alert", hidden: "" });
  el.classList.add("rtw", "rtw-header");
  el.dataset.lmSuppressShortcuts = "true";
  el.append(line, notice, trouble);
  hideFallback(el, model.get("hides"));

  start.addEventListener("click", ({ detail }) => {
    if (detail > 1) return; // of a double click on Start the second would be a Stop
    tell(running(model.get("status")) ? "stop" : "start");
  });
  numbers.addEventListener("click", () => openSection(el, "cost"));
  yes.addEventListener("click", () => tell("approve"));
  no.addEventListener("click", () => tell("decline"));

  const tick = () => {
    if (!kernel.there) return; // it stands where it stood
    const said = meter(model.get("status"), Date.now());
    numbers.hidden = !said.length;
    setText(numbers, said.join("  ·  "));
  };
  const show = () => {
    const status = model.get("status");
    el.dataset.state = kernel.there ? status.state : "ended";
    setText(words, kernel.there ? status.words : "No kernel");
    for (const button of [start, yes, no]) button.disabled = !kernel.there;
    about.replaceChildren(
      ...facts(status, chosen()).map((one) => make("span", "rtw-fact", {}, one)),
    );
    setText(start, running(status) ? "Stop" : "Start");
    start.classList.toggle("rtw-primary", !running(status));
    start.hidden = status.state === "confirm"; // the question has buttons of its own
    notice.hidden = !status.notice;
    setText(question, status.notice);
    const wrong = kernel.there ? status.trouble : NOBODY;
    trouble.hidden = !wrong;
    setText(trouble, wrong);
    tick();
  };
  model.on("change:status", show);
  show();
  const timer = setInterval(tick, 1000);
  const eachField = (listen) => Object.values(fields ?? {}).forEach(listen);
  fieldsOf(model)
    .then((found) => {
      fields = found;
      eachField((field) => field.on("change", show));
      show();
    })
    .catch((error) => console.warn("rtwidgets: what is chosen cannot be read here.", error));
  return () => {
    clearInterval(timer);
    kernel.leave();
    model.off("change:status", show);
    eachField((field) => field.off("change", show));
  };
}

function composer(model, el, page) {
  let sent = null; // {id, text}: on its way, and still in the box until the kernel has taken it
  const kernel = kernelOf(model, () => show());
  const input = make("input", "rtw-input rtw-message", {
    type: "text",
    "aria-label": "Message to the assistant",
    autocomplete: "off",
  });
  const send = make("button", "rtw-button rtw-send", { type: "submit" }, "Send");
  const stop = make(
    "button",
    "rtw-button rtw-interrupt",
    { type: "button", title: "Stop the reply that is being spoken" },
    "Interrupt",
  );
  for (const button of [send, stop]) button.dataset.lmSuppressShortcuts = "true";
  const form = make("form", "rtw-form", {}, input, send, stop);
  const saves = Object.entries(SAVES).map(([kind, name]) =>
    make(
      "button",
      "rtw-button rtw-quiet rtw-save",
      { type: "button", "data-kind": kind, title: `Save ${HINTS[kind]}` },
      name,
    ),
  );
  const save = make(
    "div",
    "rtw-saves",
    { role: "group", "aria-label": "Save", "data-lm-suppress-shortcuts": "true" },
    make("span", "rtw-label", {}, "Save"),
    ...saves,
  );
  el.classList.add("rtw", "rtw-composer");
  el.append(form, save);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text || sent || !listening(model.get("status"))) return;
    sent = { id: Math.random().toString(36).slice(2), text: input.value };
    kernel.tell({ t: "say", text, id: sent.id });
    show();
  });
  input.addEventListener("keydown", (event) => event.stopPropagation()); // letters are not shortcuts here
  stop.addEventListener("click", () => kernel.tell({ t: "do", what: "interrupt" }));
  for (const one of saves)
    one.addEventListener("click", () =>
      kernel.tell({ t: "download", kind: one.dataset.kind, for: page }),
    );

  const show = () => {
    const status = model.get("status");
    if (!listening(status) || !kernel.there) sent = null;
    input.placeholder = running(status) ? "Type a message" : "Press Start, then type a message";
    if (!kernel.there) input.placeholder = "No kernel to tell";
    input.setAttribute("aria-busy", String(sent !== null));
    send.disabled = !listening(status) || !kernel.there;
    stop.disabled = !stands(status) || !kernel.there;
    for (const one of saves) one.disabled = !kernel.there;
  };
  const receive = ({ t, id, taken }) => {
    if (t !== "said" || id !== sent?.id) return;
    if (taken) input.value = withoutTaken(input.value, sent.text);
    sent = null;
    show();
  };
  model.on("change:status", show);
  model.on("msg:custom", receive);
  show();
  return () => {
    kernel.leave();
    model.off("change:status", show);
    model.off("msg:custom", receive);
  };
}

function saveFile({ name, mime }, data) {
  const url = URL.createObjectURL(new Blob([data], { type: mime }));
  make("a", "", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export default () => {
  const page = Math.random().toString(36).slice(2); // a file is saved in the page that asked for it
  return {
    initialize({ model }) {
      const receive = (message, buffers) => {
        if (message.t === "file" && message.for === page) saveFile(message, buffers[0]);
      };
      model.on("msg:custom", receive);
      return () => model.off("msg:custom", receive);
    },

    render({ model, el }) {
      return model.get("part") === "header" ? header(model, el) : composer(model, el, page);
    },
  };
};
