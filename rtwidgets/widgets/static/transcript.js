// The conversation as people read it. The model keeps the lines, views only draw them. Text enters the
// page as text and in no other way: a model may say anything, HTML too.

import { insist, make, setAttributes, setData, setHidden, setText } from "./page.js";

/** `text` put into `old` at `at`; null when what should stand before it is missing. */
export function spliced(old, at, text) {
  return at > old.length ? null : old.slice(0, at) + text;
}

/** The lines of one conversation, by id, and their order. */
export class Lines {
  constructor() {
    this.part = 0;
    this.order = [];
    this.lines = new Map();
  }

  /** Take what the kernel says has changed. Gives false when something before it is missing. */
  take({ part, order, lines }) {
    if (part !== this.part) {
      this.part = part;
      this.lines.clear();
    }
    let whole = true;
    for (const { at, text, ...line } of lines) {
      const full = spliced(this.lines.get(line.id)?.text ?? "", at, text);
      if (full === null) whole = false;
      else this.lines.set(line.id, { ...line, text: full });
    }
    this.order = order;
    for (const id of this.lines.keys()) if (!order.includes(id)) this.lines.delete(id);
    return whole && order.every((id) => this.lines.has(id));
  }
}

/** The text that was heard, and the rest of it. */
export function halves({ text, heard }) {
  const end = heard < 0 ? text.length : heard;
  return [text.slice(0, end), text.slice(end)];
}

/** Let a text node say `text`; what it says already stays, so that a selection survives streaming. */
function growText(node, text) {
  if (text.startsWith(node.data)) {
    if (text.length > node.data.length) node.appendData(text.slice(node.data.length));
  } else node.data = text;
}

/** A call of a tool unfolds: its words become what is pressed, below it stand headings with their texts. */
export function unfold(parts, details) {
  if (!parts.fold) {
    if (!details.length) return;
    parts.fold = make("details", "rtw-call", {}, make("summary", "rtw-call-name", {}, parts.text));
    parts.said.prepend(parts.fold);
    parts.details = [];
  }
  while (parts.details.length > details.length)
    for (const element of parts.details.pop()) element.remove();
  details.forEach(([name, said], at) => {
    if (!parts.details[at]) {
      // What is longer than its box is scrolled, by the keyboard too.
      const text = make("pre", "rtw-call-text", { tabindex: "0", role: "group" });
      parts.details.push([make("div", "rtw-call-heading"), text]);
      parts.fold.append(...parts.details[at]);
    }
    const [heading, text] = parts.details[at];
    setText(heading, name);
    setText(text, said);
    setAttributes(text, { "aria-label": name });
  });
}

class View {
  constructor(model, el, store) {
    this.model = model;
    this.store = store;
    this.parts = new Map(); // id -> the elements of its line
    this.following = true;
    this.list = make("div", "rtw-lines", {
      role: "log",
      "aria-live": "polite",
      "aria-label": "Transcript",
      tabindex: "0",
      "data-lm-suppress-shortcuts": "true",
    });
    this.list.style.height = model.get("height");
    this.hint = make("p", "rtw-hint");
    this.jump = make(
      "button",
      "rtw-button rtw-jump",
      { type: "button", hidden: "", "aria-label": "Jump to the newest line" },
      "↓ Newest",
    );
    this.jump.addEventListener("click", () => this.follow());
    this.list.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.list.append(this.hint);
    el.classList.add("rtw", "rtw-transcript");
    el.append(this.list, this.jump);
    this.resize = new ResizeObserver(() => this.following && this.follow());
    this.resize.observe(this.list);
    this.draw();
  }

  draw() {
    const { order, lines } = this.store;
    setText(this.hint, this.model.get("hint"));
    setHidden(this.hint, !this.model.get("hint"));
    for (const [id, parts] of this.parts) {
      if (lines.has(id)) continue;
      parts.row.remove();
      this.parts.delete(id);
    }
    let place = this.list.firstChild; // the hint stands behind all lines
    for (const id of order) {
      const line = lines.get(id);
      if (!line) continue;
      const parts = this.parts.get(id) ?? this.blank(id);
      this.fill(parts, line);
      if (parts.row !== place) this.list.insertBefore(parts.row, place);
      place = parts.row.nextSibling;
    }
    if (this.following) this.follow();
  }

  blank(id) {
    const parts = {
      speaker: make("span", "rtw-speaker"),
      words: document.createTextNode(""),
      unheard: make("span", "rtw-unheard"),
      instead: make("span", "rtw-instead"),
      note: make("span", "rtw-note"),
      more: make("span", "rtw-more"),
    };
    parts.text = make("span", "rtw-text", {}, parts.words, parts.unheard, parts.instead);
    parts.said = make("span", "rtw-said", {}, parts.text, parts.more);
    parts.row = make(
      "div",
      "rtw-line",
      { "aria-busy": "true" },
      parts.speaker,
      parts.said,
      parts.note,
    );
    this.parts.set(id, parts);
    return parts;
  }

  fill(parts, line) {
    setText(parts.speaker, line.speaker);
    const [heard, unheard] = halves(line);
    growText(parts.words, heard);
    setText(parts.unheard, unheard);
    setText(parts.instead, line.instead);
    setText(parts.note, line.note);
    setText(parts.more, line.more);
    unfold(parts, line.details);
    setData(parts.row, { state: line.state, speaker: line.speaker });
    setAttributes(parts.row, { "aria-busy": line.state === "streaming" }); // read out when it is whole
  }

  /** Was it a person, or did the lines wrap anew? A person scrolls while the sizes stay. */
  scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.list;
    const size = `${scrollHeight}/${clientHeight}`;
    if (scrollHeight - scrollTop - clientHeight < 12) this.following = true;
    else if (size === this.size) this.following = false;
    else if (this.following) this.follow();
    this.size = size;
    setHidden(this.jump, this.following);
  }

  follow() {
    this.following = true;
    setHidden(this.jump, true);
    this.list.scrollTop = this.list.scrollHeight;
    this.size = `${this.list.scrollHeight}/${this.list.clientHeight}`;
  }
}

export default () => {
  const store = new Lines();
  const views = new Set();
  let frame = 0;

  const redraw = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      for (const view of views) view.draw();
    });
  };

  return {
    initialize({ model }) {
      const answered = insist(() => model.send({ t: "all" }));
      const receive = (message) => {
        if (message.t !== "lines") return;
        answered();
        if (!store.take(message)) model.send({ t: "all" });
        redraw();
      };
      model.on("msg:custom", receive);
      model.on("change:hint", redraw);
      return () => {
        answered();
        model.off("msg:custom", receive);
        model.off("change:hint", redraw);
      };
    },

    render({ model, el }) {
      const view = new View(model, el, store);
      views.add(view);
      return () => {
        view.resize.disconnect();
        views.delete(view);
      };
    },
  };
};
