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

/** Let an element say `text`; what it says already is not written again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A rule that hides the plain HTML of the same thing; it lives as long as the view it stands in. */
export function hideFallback(el, name) {
  if (!name) return;
  const rule = `.${name}, .jp-OutputArea-child:has(.${name}) { display: none !important; }`;
  el.append(make("style", "", {}, rule));
}

/** Ask the kernel, again and again until something comes: what a page sends before its subshell
    exists waits for the main shell, and that may be busy. Gives the function that ends the asking. */
export function insist(ask, wait = 1000, times = 60) {
  let timer;
  const again = () => {
    ask();
    if (--times > 0) timer = setTimeout(again, wait);
  };
  again();
  return () => clearTimeout(timer);
}
