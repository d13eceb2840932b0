"""What a notebook shows: the chat, and the tables and controls it is made of.

Everything here needs ipywidgets and anywidget; `import rtwidgets` does not load it.
"""

from __future__ import annotations
