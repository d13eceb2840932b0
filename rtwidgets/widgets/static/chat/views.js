// Which views of a model this page shows.

const MOVED = 1000; // ms within which a view that went may come again: its cell was moved, or run again

/** Counts the views of a model. `left()` is called when the last went and none came soon. */
export class Views {
  constructor({ left = () => {}, back = () => {} } = {}) {
    Object.assign(this, { left, back });
    this.count = 0;
    this.gone = false; // whether `left` was called
    this.soon = undefined;
  }

  /** One more view; gives the function that takes it away. */
  add() {
    this.count++;
    clearTimeout(this.soon);
    if (this.gone) this.back();
    this.gone = false;
    return () => {
      if (--this.count === 0) this.soon = setTimeout(() => this.leave(), MOVED);
    };
  }

  leave() {
    this.gone = true;
    this.left();
  }

  /** No more is to be told. */
  close() {
    clearTimeout(this.soon);
  }
}

/** Views of a model of which its kernel is told: when the last went, when one is back, when it asks. */
export function watched(model) {
  const tell = (there) => {
    try {
      model.send({ t: "shown", there });
    } catch (error) {
      console.warn("rtwidgets: the kernel cannot be told.", error);
    }
  };
  const views = new Views({ left: () => tell(false), back: () => tell(true) });
  const receive = ({ t }) => t === "shown?" && views.count && tell(true);
  model.on("msg:custom", receive);
  const close = views.close.bind(views);
  views.close = () => {
    close();
    model.off("msg:custom", receive);
  };
  return views;
}
