// The row of buttons that open and close what stands below the conversation. Which are open stands in
// `data-open`, and the style sheet (theme.css) hides the others: nothing is made anew, so a table keeps
// its place, and it works while a cell computes.

import { toggled } from "./chat/sections.js";
import { make } from "./page.js";

export default () => {
  let open = []; // belongs to the page: every view of it shows the same
  const views = new Set();

  const choose = (model, name) => {
    open = toggled(open, name, Object.keys(model.get("sections")));
    for (const show of views) show();
    model.send({ t: "open", open });
  };

  return {
    initialize({ model }) {
      open = model.get("opened");
      const receive = ({ t, section }) => {
        if (t === "reveal" && !open.includes(section)) choose(model, section);
      };
      model.on("msg:custom", receive);
      return () => model.off("msg:custom", receive);
    },

    render({ model, el }) {
      const names = Object.keys(model.get("sections"));
      const buttons = names.map((name) =>
        make(
          "button",
          "rtw-button rtw-section",
          { type: "button", "data-section": name },
          make("span", "rtw-turned", { "aria-hidden": "true" }, "›"),
          model.get("sections")[name],
        ),
      );
      const show = () => {
        el.dataset.open = open.join(" ");
        for (const button of buttons)
          button.setAttribute("aria-expanded", String(open.includes(button.dataset.section)));
      };
      for (const button of buttons)
        button.addEventListener("click", () => choose(model, button.dataset.section));
      el.classList.add("rtw", "rtw-sections");
      el.setAttribute("role", "group");
      el.setAttribute("aria-label", "What stands below");
      el.dataset.lmSuppressShortcuts = "true";
      el.append(...buttons);
      views.add(show);
      show();
      return () => views.delete(show);
    },
  };
};
