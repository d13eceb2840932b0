// The speaker's knobs. What plays belongs to the model (voice/speaker.js): a view only makes these.

import { Views } from "./chat/views.js";
import { insist, make, setAttributes, setData, setHidden, setProperties, setText } from "./page.js";
import { Speaker } from "./voice/speaker.js";

function knobs(model, el, speaker) {
  const hear = make("button", "rtw-button rtw-primary rtw-hear", { type: "button", hidden: "" });
  const away = make("span", "rtw-label rtw-away", { hidden: "" }, "Sound plays in another tab");
  const gaps = make("span", "rtw-label rtw-gaps", { hidden: "" });
  gaps.title = "The sound came too late and paused: the kernel, the network or the browser was busy";
  const mute = make("button", "rtw-button rtw-quiet rtw-mute", { type: "button" });
  const volume = make("input", "rtw-volume", {
    type: "range",
    min: "0",
    max: "1",
    step: "0.05",
    "aria-label": "Volume",
  });
  const box = make(
    "div",
    "rtw-voice",
    { role: "group", "aria-label": "Sound", "data-lm-suppress-shortcuts": "true" },
    away,
    gaps,
    hear,
    mute,
    volume,
  );
  const set = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  };
  hear.addEventListener("click", () => speaker.allow());
  mute.addEventListener("click", () => set({ muted: !model.get("muted") }));
  volume.addEventListener("input", () => set({ volume: Number(volume.value), muted: false }));

  const show = () => {
    const muted = model.get("muted");
    setText(mute, muted ? "Sound off" : "Sound on");
    const title = muted ? "Turn the sound on" : "Turn the sound off";
    setAttributes(mute, { "aria-pressed": muted, title });
    setProperties(volume, { value: String(muted ? 0 : model.get("volume")) });
    setHidden(hear, !speaker.held && !speaker.elsewhere);
    setText(
      hear,
      speaker.elsewhere ? "▶ Hear it here" : `▶ Hear it (${speaker.held.toFixed(1)} s)`,
    );
    setAttributes(hear, {
      title: speaker.elsewhere
        ? "The sound plays in another tab"
        : "The browser plays sound only after a click",
    });
    hear.classList.toggle("rtw-primary", !speaker.elsewhere);
    setHidden(away, !speaker.elsewhere);
    const { underruns } = speaker.counts();
    setHidden(gaps, !underruns);
    setText(gaps, `${underruns} gap${underruns === 1 ? "" : "s"}`);
    setData(box, {
      ...speaker.counts(),
      playing: speaker.stats.playing,
      kind: speaker.player?.kind ?? "",
    });
  };
  el.classList.add("rtw", "rtw-voice-view");
  el.append(box);
  show();
  return show;
}

export default () => {
  let speaker, views;
  return {
    initialize({ model }) {
      speaker = new Speaker(model, Math.random().toString(36).slice(2));
      views = new Views({ left: () => speaker.hide(true), back: () => speaker.hide(false) });
      const answered = insist(() => speaker.ask());
      const receive = (message, buffers) => {
        if (message.t === "welcome") answered();
        speaker.take(message, buffers);
      };
      const setVolume = () => speaker.setVolume();
      model.on("msg:custom", receive);
      model.on("change:volume", setVolume);
      model.on("change:muted", setVolume);
      return () => {
        answered();
        views.close();
        model.off("msg:custom", receive);
        speaker.close();
      };
    },

    render({ model, el }) {
      const remove = views.add();
      const show = knobs(model, el, speaker);
      speaker.watchers.add(show);
      model.on("change:volume", show);
      model.on("change:muted", show);
      return () => {
        speaker.watchers.delete(show);
        remove();
      };
    },
  };
};
