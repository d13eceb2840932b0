// The recorder of a page: from a press of the button to numbered chunks on their way to the kernel. It
// belongs to the model, so there is one however often the chat is shown.

import { Capture, devices } from "./capture.js";
import { NO_KERNEL, SILENCED, UNPLUGGED, hindrance, refusal, surroundings } from "./trouble.js";

/** Chunks in a message. Each message makes the kernel say that it is busy, then idle, and the front
    end draws both: at twenty-five a second that alone keeps a page's thread half busy, and everything
    else late, silence at an interruption above all. In twos, chunks come later by 20 ms on average,
    and are late beside a busy cell a tenth as often. */
const TOGETHER = 2;
const CHOSEN = "rtwidgets.microphone"; // where a browser remembers which one was chosen

/**
 * States: `off`, `asking` (the browser asks the person), `ready` (open, and nothing is sent), `live`.
 */
export class Recorder {
  constructor(model, page, { open = Capture.open, around = surroundings } = {}) {
    Object.assign(this, { model, page, open, around });
    this.state = "off";
    this.trouble = ""; // a sentence
    this.level = 0; // root mean square of the last moment
    this.wanted = false; // whether a person wants to be heard now
    this.takes = 0;
    this.take = ""; // the one that is being recorded
    this.held = []; // chunks that wait for another
    this.capture = null;
    this.opening = 0; // counts attempts: an answer to one that was given up is thrown away
    this.devices = [];
    this.device = remembered();
    this.watchers = new Set();
  }

  /** Be heard from now on: opens the microphone where it is not open. */
  async talk() {
    this.wanted = true;
    if (!this.model.get("ready")) {
      this.wanted = false;
      this.say("Nobody would hear you: no conversation is running. Press Start first.");
      return;
    }
    if (this.capture === null && this.state !== "asking") await this.get();
    if (this.wanted) this.begin();
    else this.changed();
  }

  /** Be heard no more; what was said so far is on its way. */
  hush(why = "released") {
    this.wanted = false;
    if (this.take) {
      this.why = why;
      this.take = "";
      this.capture.end();
      this.state = "ready";
    }
    this.changed();
  }

  toggle() {
    return this.wanted ? this.hush() : this.talk();
  }

  /** Let the microphone go. */
  off(why = "off") {
    this.hush(why);
    this.opening++;
    this.capture?.close();
    this.capture = null;
    this.state = "off";
    this.level = 0;
    this.changed();
  }

  async choose(device) {
    this.device = device;
    remember(device);
    if (this.capture === null) return;
    const talking = this.wanted;
    this.off("another microphone");
    if (talking) await this.talk();
    else await this.get();
  }

  async get() {
    const attempt = ++this.opening;
    const mine = (listen) => (given) => attempt === this.opening && listen(given);
    this.say(hindrance(this.around()));
    if (this.trouble) return this.failed();
    this.state = "asking";
    this.changed();
    try {
      const capture = await this.open(this.device, {
        take: (data) => this.recorded(data, attempt),
        lost: mine(() => this.lost()),
        hushed: mine((silent) => this.say(silent ? SILENCED : "")),
      });
      if (attempt !== this.opening) return capture.close();
      this.capture = capture;
      this.state = "ready";
      this.devices = await devices();
    } catch (error) {
      if (attempt !== this.opening) return;
      this.say(refusal(error));
      this.failed();
    }
    this.changed();
  }

  failed() {
    this.state = "off";
    this.wanted = false;
    this.tell({ t: "trouble", words: this.trouble });
    this.changed();
  }

  begin() {
    if (this.capture === null || this.take) return;
    this.take = `${this.page}-${++this.takes}`;
    this.state = "live";
    this.say("");
    if (this.tell({ t: "take", take: this.take, page: this.page })) this.capture.begin(this.take);
    this.changed();
  }

  /** What the worklet posts. */
  recorded({ level, pcm, over, ...chunk }, attempt) {
    if (pcm) this.hold({ ...chunk, pcm });
    else if (over) {
      this.ship();
      this.tell({ t: "over", take: over, count: chunk.count, why: this.why });
    } else if (attempt === this.opening) {
      this.level = level;
      this.changed();
    }
  }

  /** Numbered chunks of one take, each a buffer of its own; `n` is the first one's number. */
  hold(chunk) {
    if (this.held.length && this.held[0].take !== chunk.take) this.ship();
    this.held.push(chunk);
    if (this.held.length === TOGETHER) this.ship();
  }

  ship() {
    const chunks = this.held.splice(0);
    if (!chunks.length) return;
    const [{ take, n }] = chunks;
    const at = chunks.map((one) => one.at);
    this.tell({ t: "chunks", take, n, at }, chunks.map((one) => one.pcm));
  }

  lost() {
    this.off("unplugged");
    this.say(UNPLUGGED);
    this.tell({ t: "trouble", words: UNPLUGGED });
  }

  /** A message of the kernel. */
  receive({ t, page, take }) {
    if (t === "close") this.off("closed");
    if (page !== this.page) return;
    if (t === "talk") this.talk();
    else if (t === "mute") this.hush();
    else if (t === "stop" && (!take || take === this.take)) this.hush("stopped");
  }

  /** Gives whether there is a kernel to tell. */
  tell(message, buffers) {
    try {
      this.model.send(message, undefined, buffers);
      return true;
    } catch (error) {
      console.warn("rtwidgets: the kernel cannot be told.", error);
      this.gone();
      return false;
    }
  }

  gone() {
    this.take = ""; // nobody is left to be told of its end
    if (this.state !== "off") this.off();
    this.say(NO_KERNEL);
  }

  say(sentence) {
    this.trouble = sentence;
    this.changed();
  }

  changed() {
    for (const watch of this.watchers) watch();
  }
}

function remembered() {
  try {
    return localStorage.getItem(CHOSEN) ?? "";
  } catch {
    return ""; // a page without storage
  }
}

function remember(device) {
  try {
    localStorage.setItem(CHOSEN, device);
  } catch {
    // it is chosen for as long as the page stands
  }
}
