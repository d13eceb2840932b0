// The pane beside the list: one event in full.

import { make, setText } from "../page.js";
import { pieces } from "./jsontext.js";

const PATIENCE = 3000; // ms
const NO_ANSWER = "… The kernel has not answered yet. Is it running?";

/** Copy text that is known, or a promise of it; gives whether the browser took it. */
export async function copyText(text) {
  try {
    const { clipboard } = navigator;
    if (typeof text === "string") await clipboard.writeText(text);
    else if (typeof ClipboardItem === "undefined") await clipboard.writeText(await text);
    else {
      // Some browsers let a page write only within the click: the promise counts as that.
      const blob = text.then((words) => new Blob([words], { type: "text/plain" }));
      await clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    }
    return true;
  } catch {
    return false; // no clipboard in an insecure page, or not allowed
  }
}

/** "3 of 40" for an event in a run, else nothing. */
export function placeInRun(run, member) {
  return run.places.length > 1 ? `${Math.max(0, member) + 1} of ${run.places.length}` : "";
}

/** The pane. `hands`: ask for JSON or a raw frame, go to the cause, put it into the box. */
export class Detail {
  constructor(hands) {
    this.hands = hands;
    this.place = -1; // whose JSON is open
    const button = (words, does, attributes = {}) => {
      const made = make("button", "rtw-button rtw-quiet", { type: "button", ...attributes }, words);
      made.addEventListener("click", () => does.call(this, made));
      return made;
    };
    this.type = make("strong", "rtw-detail-type");
    this.note = make("span", "rtw-note");
    this.cause = button("↖ Cause", () => hands.cause(this.place), {
      title: "Go to the client event that caused this one (c)",
    });
    this.edit = button("Edit and send", () => hands.edit(this.json.textContent), {
      title: "Put this event into the box below",
    });
    this.copy = button("Copy", this.copyJson, { title: "Copy the event as it is shown" });
    this.raw = button("Copy raw", this.copyRaw, { title: "Copy the frame exactly as it was sent" });
    const close = button("✕", () => hands.close(), { "aria-label": "Close", title: "Close (Esc)" });
    this.json = make("pre", "rtw-json", { tabindex: "0" });
    const bar = [this.note, this.cause, this.edit, this.copy, this.raw];
    this.element = make(
      "section",
      "rtw-detail",
      { hidden: "", "aria-label": "Event in full", "data-lm-suppress-shortcuts": "true" },
      make("div", "rtw-detail-head", {}, this.type, close),
      make("div", "rtw-detail-bar", {}, ...bar),
      this.json,
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      hands.close();
      event.stopPropagation();
    });
  }

  get isOpen() {
    return this.place >= 0;
  }

  show(row, where, canSend) {
    this.place = row.place;
    setText(this.type, row.type || "not JSON");
    this.type.title = row.type;
    setText(this.note, where);
    this.cause.hidden = row.direction !== "server";
    this.edit.hidden = !canSend || row.direction !== "client" || row.audio > 0;
    setText(this.copy, "Copy");
    setText(this.raw, "Copy raw");
    this.json.replaceChildren("…");
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => setText(this.json, NO_ANSWER), PATIENCE);
    this.element.hidden = false;
    this.hands.ask("json", row.place);
  }

  answer(place, json) {
    if (place !== this.place) return;
    clearTimeout(this.waiting);
    this.json.replaceChildren(
      ...pieces(json).map(([kind, text]) =>
        kind ? make("span", `rtw-json-${kind}`, {}, text) : text,
      ),
    );
    this.json.scrollTop = 0;
  }

  close() {
    clearTimeout(this.waiting);
    this.place = -1;
    this.element.hidden = true;
  }

  async copyJson(button) {
    if (await copyText(this.json.textContent)) this.say(button, "Copied");
    else this.select(button);
  }

  async copyRaw(button) {
    const { place } = this;
    const frame = this.hands.raw(place);
    if (await copyText(frame)) this.say(button, "Copied");
    else {
      const text = await frame;
      if (place !== this.place) return;
      this.json.replaceChildren(text);
      this.select(button);
    }
  }

  select(button) {
    getSelection().selectAllChildren(this.json);
    this.say(button, "Selected: press Ctrl+C");
  }

  say(button, words) {
    setText(button, words);
    this.hands.say(words);
  }
}
