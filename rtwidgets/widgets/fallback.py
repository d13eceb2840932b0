"""Plain HTML and text beside a live view, for readers without a kernel (GitHub, nbviewer,
nbconvert).

It stands in an output of its own, with a display id, so that it can be rewritten while the live
view stays as it is. A live view hides it by a style rule for its class, and so it appears exactly
where there is no live view.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from html import escape
from typing import Any

from ..events import whole_characters

VIEW_MIME = "application/vnd.jupyter.widget-view+json"


class Fallback:
    """The plain form of something: `html()` and `text()` say how it looks now.

    Args:
        remark: a sentence that stands above the HTML.

    Attributes:
        name: the class of its outermost element, for the live view to hide.
    """

    def __init__(self, html: Callable[[], str], text: Callable[[], str], remark: str = "") -> None:
        self._remark = f"<p><em>{escape(remark)}</em></p>" if remark else ""
        self._html = html
        self._text = text
        self.name = f"rtw-plain-{uuid.uuid4().hex[:12]}"
        self.shown = False

    def bundle(self) -> dict[str, str]:
        """The plain form as it is now, by MIME type."""
        html = f'<div class="rtw-plain {self.name}">{self._remark}{self._html()}</div>'
        return {"text/html": whole_characters(html), "text/plain": whole_characters(self._text())}

    def display(self, view: Any) -> None:
        """Show `view`, a widget, and under it the plain form."""
        from IPython.display import display

        model = {"version_major": 2, "version_minor": 0, "model_id": view.model_id}
        display({VIEW_MIME: model, "text/plain": "(live view)"}, raw=True)
        display(self.bundle(), raw=True, display_id=self.name)
        self.shown = True

    def update(self) -> None:
        """Rewrite it where it is shown.

        From any thread. A front end takes it with whatever parent header; nbclient only with that
        of the cell that is running, which a call from the cell's own thread carries.
        """
        if self.shown:
            from IPython.display import update_display

            update_display(self.bundle(), raw=True, display_id=self.name)
