// What every widget's page code needs. A front end loads each widget's code as one text and can import
// nothing beside it: page.py (`page_code`) puts this file in the place of the line that imports it.

/** An element with its class, attributes and children. Text given as a child stays text. */
export function make(tag, className, attributes = {}, ...children) {
  const element = document.createElement(tag);
  element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// What stands in the page already is not written again: to a browser a value that is written is a
// change, after which it looks at the styles around it, and draws. Views write many times a second.

/** Let an element say `text`. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Give an element properties: `{disabled: true}`. */
export function setProperties(element, values) {
  for (const [name, value] of Object.entries(values))
    if (element[name] !== value) element[name] = value;
}

/** Hide an element, or show it. */
export function setHidden(element, hidden) {
  setProperties(element, { hidden });
}

/** Give an element attributes: `{"aria-pressed": true}`. */
export function setAttributes(element, values) {
  for (const [name, value] of Object.entries(values))
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** Give an element data: `{state: "live"}`. */
export function setData(element, values) {
  for (const [name, value] of Object.entries(values))
    if (element.dataset[name] !== String(value)) element.dataset[name] = value;
}

/** A rule that hides the plain HTML of the same thing; it lives as long as the view it stands in. */
export function hideFallback(el, name) {
  if (!name) return;
  const rule = `.${name}, .jp-OutputArea-child:has(.${name}) { display: none !important; }`;
  el.append(make("style", "", {}, rule));
}

/** Ask the kernel, again and again until something comes: what a page sends before its subshell
    exists waits for the main shell, and that may be busy, and a line that does not stand yet throws.
    Gives the function that ends the asking. */
export function insist(ask, wait = 1000, times = 60) {
  let timer;
  const again = () => {
    try {
      ask();
    } catch (error) {
      console.warn("rtwidgets: the kernel could not be asked yet.", error);
    }
    if (--times > 0) timer = setTimeout(again, wait);
  };
  again();
  return () => clearTimeout(timer);
}

export const NOBODY =
  "The kernel is gone: it was restarted, or has ended. Run the notebook's cells again; what stands here can still be read.";

/** The kernel behind a widget: `tell(message)` gives whether it is there, `there` what is known of it;
    `changed()` is called when that changes, and `leave` ends the watching. A front end lets widgets
    stand when their kernel was restarted, and then its `send` throws. */
export function kernelOf(model, changed) {
  const kernel = { there: true };
  kernel.tell = (message) => {
    const before = kernel.there;
    try {
      model.send(message);
      kernel.there = true;
    } catch (error) {
      console.warn("rtwidgets: the kernel cannot be told.", error);
      kernel.there = false;
    }
    if (kernel.there !== before) changed();
    return kernel.there;
  };
  let soon;
  const look = () => (soon = setTimeout(() => kernel.tell({ t: "look" }), 0)); // its line closes first
  model.on("comm_live_update", look);
  kernel.leave = () => {
    clearTimeout(soon);
    model.off("comm_live_update", look);
  };
  return kernel;
}
