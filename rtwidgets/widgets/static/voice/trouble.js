// Why there is no microphone, in words, and what to do instead.

const TYPE = "Until then type, or speak samples from a cell: chat.session.hear(samples).";

/** What stands around the page, as far as it decides on the microphone. */
export function surroundings(scope = globalThis) {
  const { navigator, location, document, isSecureContext } = scope;
  return {
    secure: isSecureContext !== false,
    able: Boolean(navigator?.mediaDevices?.getUserMedia && scope.AudioWorkletNode),
    allowed: document?.featurePolicy?.allowsFeature?.("microphone") !== false,
    code: location?.protocol === "vscode-webview:" || /\bCode\//.test(navigator?.userAgent ?? ""),
    host: location?.host ?? "",
    port: location?.port || "8888",
  };
}

/** Why it cannot even be tried, empty where it can. */
export function hindrance({ secure, able, allowed, code, host, port }) {
  if (code)
    return `VS Code gives its notebooks no microphone. Open this notebook in a browser (rtwidgets lab, or jupyter lab). ${TYPE}`;
  if (!secure)
    return `Browsers give a microphone only to https:// and localhost, and this page is at http://${host}. Open it through https, or through a tunnel: ssh -L ${port}:localhost:${port} <that machine>, then http://localhost:${port}. ${TYPE}`;
  if (!allowed)
    return `The page around this notebook does not let it use the microphone (its iframe lacks allow="microphone"). Open the notebook in a tab of its own. ${TYPE}`;
  if (!able)
    return `This browser cannot record sound in a page (it has no AudioWorklet or no getUserMedia). A current Chrome, Edge, Firefox or Safari can. ${TYPE}`;
  return "";
}

/** What a refusal of getUserMedia means, by the name of its exception. */
export function refusal({ name = "", message = "" } = {}) {
  const known = {
    NotAllowedError:
      "The microphone was refused. Click the icon beside the page's address, allow the microphone, and press again.",
    NotFoundError: "This computer has no microphone that the browser can see. Plug one in, and press again.",
    NotReadableError:
      "The microphone could not be opened: another program may hold it, or the system's settings keep the browser from it. Free it there, and press again.",
  };
  known.NeedsClick = "A browser records only after a click in the page. Press the button here.";
  known.SecurityError = known.NotAllowedError;
  const other = `The microphone did not start: ${[name, message].filter(Boolean).join(": ")}. Press again, or reload the page.`;
  return `${known[name] ?? other} ${TYPE}`;
}

export const UNPLUGGED =
  "The microphone is gone: unplugged, or taken back by the browser. Plug it in or choose another, and press again.";
export const SILENCED = "The system has muted this microphone. Unmute it there.";
export const NO_KERNEL = "The kernel is gone, so nobody hears you. Run the notebook's cells again.";
