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
