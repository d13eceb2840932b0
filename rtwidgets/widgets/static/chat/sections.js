// The sections below a conversation: which are open, and how another part of the chat opens one.

/** `open` with `name` taken out or put in, in the order of `all`. */
export function toggled(open, name, all) {
  const now = new Set(open);
  if (!now.delete(name)) now.add(name);
  return all.filter((one) => now.has(one));
}

/** Open a section of the chat that `el` stands in, and bring it into sight. */
export function openSection(el, name) {
  const chat = el.closest(".rtw-chat");
  const button = chat?.querySelector(`.rtw-section[data-section="${name}"]`);
  if (!button) return;
  if (button.getAttribute("aria-expanded") === "false") button.click();
  const section = chat.querySelector(`:scope > .rtw-${name}`);
  requestAnimationFrame(() => section?.scrollIntoView({ block: "nearest" }));
}
