// The box in which a person writes or pastes a client event and sends it.

import { make, setText } from "../page.js";
import { eventProblem, laidOut } from "./jsontext.js";

const ADVICE_AFTER = 300; // ms without a key before the kernel is asked what it thinks

/** What to begin with: [words in the list, event]. */
export const BEGINNINGS = [
  ["Let the model answer", { type: "response.create" }],
  [
    "Let it answer with instructions of its own",
    { type: "response.create", response: { instructions: "Answer in one short sentence." } },
  ],
  [
    "Say something as the user",
    {
      type: "conversation.item.create",
      item: { type: "message", role: "user", content: [{ type: "input_text", text: "Hello!" }] },
    },
  ],
  [
    "Change the session's instructions",
    { type: "session.update", session: { type: "realtime", instructions: "Be brief." } },
  ],
  ["Stop the answer", { type: "response.cancel" }],
  ["Forget what was heard so far", { type: "input_audio_buffer.clear" }],
  ["Delete an item", { type: "conversation.item.delete", item_id: "item_" }],
];

/** How a sent event is called in the list: its type, and the rest in short. */
export function nameOf(text, limit = 60) {
  let event = {};
  try {
    event = JSON.parse(text);
  } catch {
    return text.slice(0, limit);
  }
  const { type = "", ...rest } = Object(event);
  const more = JSON.stringify(rest);
  const name = more === "{}" ? `${type}` : `${type} ${more}`;
  return name.length <= limit ? name : `${name.slice(0, limit - 1)}…`;
}

/** The box. `hands`: send a message to the kernel, say something to the person. */
export class SendBox {
  constructor(checks, hands) {
    this.checks = checks;
    this.hands = hands;
    this.asked = 0; // messages to the kernel; answers to any but the last are late
    this.name = Math.random().toString(36).slice(2); // tells this box from those of other pages
    this.wrong = null;
    this.text = make("textarea", "rtw-input rtw-event-text", {
      rows: "5",
      spellcheck: "false",
      autocapitalize: "off",
      "aria-label": "Client event to send, as JSON",
      placeholder: '{"type": "response.create"}',
      "data-lm-suppress-shortcuts": "true",
    });
    this.verdict = make("button", "rtw-verdict", { type: "button" });
    this.live = make("div", "rtw-verdicts", { role: "status" }, this.verdict);
    this.says = make("div", "rtw-advice-words");
    this.use = make("button", "rtw-button", { type: "button" }, "Put that into the box");
    this.advice = make("div", "rtw-advice", { role: "status", hidden: "" }, this.says, this.use);
    this.pick = make("select", "rtw-input rtw-pick", { "aria-label": "Events to begin with" });
    this.format = make("button", "rtw-button", { type: "button" }, "Format");
    this.send = make("button", "rtw-button rtw-primary", { type: "button" }, "Send");
    this.send.title = "Ctrl+Enter";
    const bar = [this.pick, this.format, this.send];
    this.element = make(
      "section",
      "rtw-sendbox",
      { hidden: "", "aria-label": "Send an event" },
      this.text,
      make("div", "rtw-send-bar", {}, this.live, ...bar),
      this.advice,
    );
    this.offer([]);
    this.listen();
    this.judge();
  }

  listen() {
    this.text.addEventListener("input", () => this.judge());
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.give();
      }
      if (event.key === "Escape") this.hands.close();
      event.stopPropagation();
    });
    this.verdict.addEventListener("click", () => this.toProblem());
    this.use.addEventListener("click", () => this.put(this.fixed));
    this.format.addEventListener("click", () => this.put(laidOut(this.text.value)));
    this.send.addEventListener("click", () => this.give());
    this.pick.addEventListener("change", () => {
      const text = this.offered[this.pick.value];
      this.pick.value = "";
      if (text !== undefined) this.put(text);
    });
  }

  /** Offer the events that were sent before, the last one first, and some to begin with. */
  offer(given) {
    const sent = given.slice().reverse();
    this.offered = [...sent, ...BEGINNINGS.map(([, event]) => JSON.stringify(event))];
    const option = (words, value) => make("option", "", { value }, words);
    const group = (label, names, from) =>
      make(
        "optgroup",
        "",
        { label },
        ...names.map((name, at) => option(name, String(from + at))),
      );
    this.pick.replaceChildren(
      option("Begin with …", ""),
      ...(sent.length ? [group("Sent before", sent.map((one) => nameOf(one)), 0)] : []),
      group("New", BEGINNINGS.map(([words]) => words), sent.length),
    );
  }

  /** Put an event into the box. */
  put(text) {
    this.text.value = eventProblem(text)?.at === undefined ? laidOut(text) : text;
    this.text.rows = Math.min(16, Math.max(5, this.text.value.split("\n").length));
    this.judge();
    this.text.focus();
  }

  judge() {
    const text = this.text.value;
    this.wrong = text.trim() ? eventProblem(text) : null;
    const { wrong } = this;
    this.send.disabled = this.format.disabled = !text.trim() || Boolean(wrong);
    const place = wrong && `Line ${wrong.line}, column ${wrong.column}: ${wrong.words}`;
    this.tell(place ?? "", wrong ? "wrong" : "");
    this.text.setAttribute("aria-invalid", String(Boolean(wrong)));
    this.advice.hidden = true;
    clearTimeout(this.timer);
    const id = this.nextId();
    if (this.checks && text.trim() && !wrong)
      this.timer = setTimeout(() => this.hands.tell({ t: "check", text, id }), ADVICE_AFTER);
  }

  tell(words, state) {
    setText(this.verdict, words);
    this.verdict.dataset.state = state;
    this.verdict.disabled = state !== "wrong";
    this.verdict.title = state === "wrong" ? "Go there" : "";
  }

  toProblem() {
    if (!this.wrong) return;
    const { at } = this.wrong;
    this.text.focus();
    this.text.setSelectionRange(at, Math.min(at + 1, this.text.value.length));
  }

  give() {
    if (this.send.disabled) {
      this.toProblem();
      return;
    }
    this.send.disabled = true;
    this.tell("Sending …", "");
    this.hands.tell({ t: "send", text: this.text.value, id: this.nextId() });
  }

  /** The kernel took the event, or could not. */
  sent({ id, problem }) {
    if (id !== this.lastId) return;
    this.send.disabled = false;
    if (problem) this.tell(problem, "refused");
    else this.tell("Sent. What the server says to it stands in the table.", "sent");
  }

  advise({ id, advice, fixed }) {
    if (id !== this.lastId) return;
    setText(this.says, advice);
    this.fixed = fixed;
    this.use.hidden = !fixed;
    this.advice.hidden = !advice;
  }

  nextId() {
    return (this.lastId = `${this.name} ${++this.asked}`);
  }

  close() {
    clearTimeout(this.timer);
  }
}
