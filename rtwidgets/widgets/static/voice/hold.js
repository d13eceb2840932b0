// A button that is held: with a pointer, a finger or the space bar. Whoever cannot hold one presses
// Enter, or clicks with a screen reader: that begins, and the next one ends.

/** Have `press()` and `release()` called as a person holds `button`, where `held()`; where not, each
    click is `toggle()`. Gives the function that lets go and stops listening. */
export function holdable(button, { held, press, release, toggle }) {
  let by = ""; // what holds it down: "pointer", "key", "click"
  let ignore = false; // the click that follows a pointer's release

  const down = (what) => {
    by = what; // also where a release was never told: a button that was disabled meanwhile
    press();
  };
  const up = (what) => {
    if (!by || by !== what) return;
    by = "";
    release();
  };
  const listeners = {
    pointerdown(event) {
      ignore = held();
      if (!held() || event.button !== 0) return;
      button.setPointerCapture?.(event.pointerId);
      if (by === "click") up("click");
      else down("pointer");
    },
    pointerup: () => up("pointer"),
    pointercancel: () => up("pointer"),
    lostpointercapture: () => up("pointer"),
    contextmenu: (event) => held() && event.preventDefault(), // a long touch asks for a menu
    keydown(event) {
      if (!isSpace(event) || !held()) return;
      event.preventDefault(); // no click at the release
      event.stopPropagation();
      if (!event.repeat) down("key");
    },
    keyup(event) {
      if (event.key !== " " || by !== "key") return;
      event.preventDefault();
      up("key");
    },
    blur: () => by !== "click" && up(by),
    click() {
      if (!held()) return toggle();
      if (ignore) ignore = false;
      else if (by === "click") up("click");
      else down("click");
    },
  };
  for (const [name, listen] of Object.entries(listeners)) button.addEventListener(name, listen);
  return () => {
    up(by);
    for (const [name, listen] of Object.entries(listeners)) button.removeEventListener(name, listen);
  };
}

/** Whether a key event is the bare space bar. */
export function isSpace({ key, ctrlKey, altKey, metaKey, shiftKey }) {
  return key === " " && !(ctrlKey || altKey || metaKey || shiftKey);
}
