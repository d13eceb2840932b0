import assert from "node:assert/strict";
import test from "node:test";

import panels from "../../rtwidgets/widgets/static/panels.js";

/** The little of a page's elements that the buttons need. */
class Element extends EventTarget {
  constructor() {
    super();
    this.dataset = {};
    this.attributes = {};
    this.children = [];
    this.classList = { add: () => {} };
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
    if (name.startsWith("data-")) this.dataset[name.slice(5)] = value;
  }
  append(...children) {
    this.children.push(...children);
  }
}

function page(open) {
  globalThis.document = { createElement: () => new Element() };
  const sent = [];
  const traits = { opened: open, sections: { timeline: "Timeline", events: "Events" } };
  let receive;
  const model = {
    get: (name) => traits[name],
    send: (message) => sent.push(message),
    on: (_event, handler) => (receive = handler),
    off: () => {},
  };
  const widget = panels();
  widget.initialize({ model });
  const views = [new Element(), new Element()];
  for (const el of views) widget.render({ model, el });
  return { views, sent, tell: (message) => receive(message) };
}

test("both views of a chat show the same sections, and the kernel is told", () => {
  const { views, sent } = page(["events"]);
  assert.deepEqual(views.map((el) => el.dataset.open), ["events", "events"]);
  const expanded = (el) => el.children.map((button) => button.attributes["aria-expanded"]);
  assert.deepEqual(expanded(views[1]), ["false", "true"]);
  views[0].children[0].dispatchEvent(new Event("click"));
  assert.deepEqual(views.map((el) => el.dataset.open), ["timeline events", "timeline events"]);
  assert.deepEqual(expanded(views[1]), ["true", "true"]);
  assert.deepEqual(sent, [{ t: "open", open: ["timeline", "events"] }]);
});

test("the kernel may open a section, and closes none", () => {
  const { views, sent, tell } = page(["events"]);
  tell({ t: "reveal", section: "events" });
  assert.deepEqual(sent, []);
  tell({ t: "reveal", section: "timeline" });
  assert.equal(views[0].dataset.open, "timeline events");
});

test("what was open is open in a page that appears later", () => {
  assert.equal(page(["timeline"]).views[0].dataset.open, "timeline");
  assert.equal(page([]).views[0].dataset.open, "");
});
