// A comparison's table as the kernel wrote it, and one player for all of its greetings.

import { hideFallback, insist, make } from "./page.js";

/** What a button says while its greeting plays, and while it does not. */
export function face(text, playing) {
  const length = text.replace(/^[▶■]\s*/u, "");
  return `${playing ? "■" : "▶"} ${length}`;
}

class Table {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.player = new Audio();
    this.sounds = new Map(); // trial: the address of its sound, fetched once
    this.button = null; // the one that plays
    el.classList.add("rtw");
    this.body = make("div", "rtw-comparison", { "data-lm-suppress-shortcuts": "true" });
    el.append(this.body);
    hideFallback(el, model.get("hides"));
    this.body.addEventListener("click", (event) => this.click(event));
    this.player.addEventListener("ended", () => this.stop());
  }

  take(message, buffers) {
    if (message.t === "table") {
      this.body.innerHTML = message.html; // written by the kernel, all words in it escaped there
    } else if (message.t === "sound") {
      const sound = new Blob([buffers[0]], { type: "audio/wav" });
      this.sounds.set(message.trial, URL.createObjectURL(sound));
      if (this.button && Number(this.button.dataset.trial) === message.trial) this.play();
    }
  }

  click(event) {
    const button = event.target.closest("button[data-trial]");
    if (!button) return;
    const again = button === this.button;
    this.stop();
    if (again) return;
    this.button = button;
    button.textContent = face(button.textContent, true);
    button.setAttribute("aria-pressed", "true");
    const trial = Number(button.dataset.trial);
    if (this.sounds.has(trial)) this.play();
    else this.model.send({ t: "play", trial });
  }

  play() {
    this.player.src = this.sounds.get(Number(this.button.dataset.trial));
    this.player.play().catch(() => this.stop());
  }

  stop() {
    this.player.pause();
    if (!this.button) return;
    this.button.textContent = face(this.button.textContent, false);
    this.button.removeAttribute("aria-pressed");
    this.button = null;
  }

  close() {
    this.stop();
    for (const address of this.sounds.values()) URL.revokeObjectURL(address);
  }
}

export default {
  render({ model, el }) {
    const table = new Table(model, el);
    const answered = insist(() => model.send({ t: "more" }));
    const take = (message, buffers) => {
      if (message.t === "table") answered();
      table.take(message, buffers);
    };
    model.on("msg:custom", take);
    return () => {
      answered();
      model.off("msg:custom", take);
      table.close();
    };
  },
};
