// The live table of raw events. The model keeps the rows, so that every view of it shows the same and
// a view can be thrown away.

import { insist } from "./page.js";
import { Runs } from "./table/lines.js";
import { Rows } from "./table/rows.js";
import { View } from "./table/view.js";

/** A question that is answered in a message of the same kind about the same place. */
export class Questions {
  constructor(send) {
    this.send = send;
    this.open = new Map();
  }

  ask(kind, table, place) {
    return new Promise((resolve) => {
      this.open.set(`${kind} ${table} ${place}`, resolve);
      this.send({ t: kind, table, place });
    });
  }

  answer(kind, table, place, what) {
    this.open.get(`${kind} ${table} ${place}`)?.(what);
    this.open.delete(`${kind} ${table} ${place}`);
  }
}

/** What the views of one model share. */
class Store {
  constructor(send) {
    this.questions = new Questions(send);
    this.given = [];
    this.begin(0);
  }

  begin(table) {
    this.table = table;
    this.rows = new Rows();
    this.runs = new Runs(this.rows);
    this.turns = [];
    this.total = 0;
    this.waiting = []; // places to select, until they are here
  }
}

const decoder = new TextDecoder();

export default () => {
  const views = new Set();
  let store;
  let frame = 0;

  const redraw = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      store.runs.update();
      for (const view of views) view.update();
      const { waiting, rows } = store;
      if (waiting.length && waiting.at(-1) < rows.length) {
        store.waiting = [];
        for (const view of views) view.select(waiting);
      }
    });
  };

  const takeRows = (model, message, buffers) => {
    const { table, start, count, total, turns, given } = message;
    if (table !== store.table) {
      store.begin(table);
      for (const view of views) view.restart();
    }
    if (total !== undefined) store.total = total;
    if (turns) store.turns = turns;
    if (given) takeGiven(given);
    if (count) {
      const strings = JSON.parse(decoder.decode(buffers[1]));
      if (store.rows.take(start, count, buffers[0], strings) < 0)
        model.send({ t: "more", table, start: store.rows.length });
    }
    redraw();
  };

  const takeGiven = (given) => {
    store.given = given;
    for (const view of views) view.box?.offer(given);
  };

  return {
    initialize({ model }) {
      store = new Store((message) => model.send(message));
      const answered = insist(() =>
        model.send({ t: "more", table: store.table, start: store.rows.length }),
      );
      const kinds = {
        rows: (message, buffers) => {
          answered();
          takeRows(model, message, buffers);
        },
        turns: ({ turns }) => {
          store.turns = turns;
          redraw();
        },
        found: (message, buffers) => {
          for (const view of views) view.found(message, buffers[0]);
        },
        select: ({ places }) => {
          store.waiting = places;
          redraw();
        },
        sent: (message) => {
          takeGiven(message.given);
          for (const view of views) view.box?.sent(message);
        },
        advice: (message) => {
          for (const view of views) view.box?.advise(message);
        },
      };
      for (const kind of ["json", "raw", "cause"])
        kinds[kind] = (message) =>
          store.questions.answer(kind, message.table, message.place, message[kind]);
      const receive = (message, buffers) => {
        const old = message.t !== "rows" && message.table !== undefined;
        if (old && message.table !== store.table) return;
        kinds[message.t]?.(message, buffers);
      };
      model.on("msg:custom", receive);
      return () => {
        answered();
        model.off("msg:custom", receive);
      };
    },

    render({ model, el }) {
      store.runs.update();
      const view = new View(model, el, store);
      views.add(view);
      return () => {
        views.delete(view);
        view.close();
      };
    },
  };
};
