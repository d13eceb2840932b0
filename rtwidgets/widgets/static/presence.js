// Nothing to be seen: it knows whether what it stands in is shown.

import { watched } from "./chat/views.js";
import { setHidden } from "./page.js";

export default () => {
  let views;
  return {
    initialize({ model }) {
      views = watched(model);
      return () => views.close();
    },

    render({ el }) {
      setHidden(el, true);
      return views.add();
    },
  };
};
