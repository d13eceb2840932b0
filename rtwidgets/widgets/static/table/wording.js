// How the table says numbers and events.

export const SIGNS = {
  client: { sign: "→", words: "sent" },
  server: { sign: "←", words: "received" },
  local: { sign: "◦", words: "here" },
};

/** "12.034" or "1:02:03.456": seconds since the session began; "−5.000" before that. */
export function clock(seconds) {
  if (seconds < 0) return `−${clock(-seconds)}`;
  const whole = Math.round(seconds * 1000); // first, so that no minute has sixty seconds
  const minutes = Math.floor(whole / 60_000);
  const rest = ((whole % 60_000) / 1000).toFixed(3);
  if (!minutes) return rest;
  const hours = Math.floor(minutes / 60);
  return hours
    ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${rest.padStart(6, "0")}`
    : `${minutes}:${rest.padStart(6, "0")}`;
}

/** "+0.012" or "+1:02.500": the time since the line above. Logs that were put together go back. */
export function since(seconds) {
  return `${seconds < 0 ? "−" : "+"}${clock(Math.abs(seconds))}`;
}

/** "512 B", "6.4 kB", "1.2 MB". */
export function bytes(size) {
  if (size < 1000) return `${size} B`;
  return size < 999_950 ? `${(size / 1000).toFixed(1)} kB` : `${(size / 1e6).toFixed(1)} MB`;
}

export function audioWords(milliseconds) {
  return `${(milliseconds / 1000).toFixed(2)} s of audio`;
}

/** What a single row says in one line. */
export function summary(row) {
  if (row.audio) return audioWords(row.audio);
  if (!row.type.endsWith(".delta")) return whole(row.words);
  return row.words ? `“${whole(row.words)}”` : row.item;
}

/** Text whose half characters (lone surrogates, as a cut emoji leaves them) are marked. */
export function whole(text) {
  return text.toWellFormed ? text.toWellFormed() : text;
}

/** What a turn begins with, in a word, by its first event; empty where that tells nothing. */
export function turnKind(type) {
  if (type === "conversation.item.create") return "typed";
  if (type.startsWith("input_audio_buffer.")) return "spoken";
  return type.startsWith("session.") ? "opening" : "";
}

/** Thousands apart: "100 000". */
export function number(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}
