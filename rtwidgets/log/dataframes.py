"""A log as a pandas DataFrame, and back. Needs pandas, which is imported here alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import audio
from ..errors import Misuse
from .folding import fold
from .jsonl import Frame, Header, finite
from .rows import DIRECTIONS, Rows

if TYPE_CHECKING:
    import pandas

_FIRST_COLUMNS = ("seq", "t", "direction", "type", "item_id", "response_id")
_RUN_COLUMNS = ("count", "size", "audio_ms", "summary")


def frame_of_rows(rows: Rows, *, summary: bool, raw: bool) -> pandas.DataFrame:
    """One row an event. Names that come again and again are categories: codes and a list."""
    library = _pandas()
    columns = rows.columns()
    data: dict[str, Any] = {
        "seq": columns.seq,
        "t": columns.t,
        "direction": _named(columns.direction, DIRECTIONS),
        "type": _named(columns.type, columns.type_names),
        "item_id": _named(columns.item, columns.item_names),
        "response_id": _named(columns.response, columns.response_names),
        "size": columns.size,
        "audio_ms": columns.audio_bytes // np.uint32(audio.BYTES_PER_MS),
    }
    if summary:
        data["summary"] = [row.summary for row in rows]
    if raw:
        frames = np.empty(len(rows), dtype=object)
        frames[:] = [row.frame for row in rows]
        data["raw"] = frames
    frame: pandas.DataFrame = library.DataFrame(data)
    frame.attrs = {"started": rows.started, "endpoint": rows.endpoint, "model": rows.model}
    return frame


def folded_frame(rows: Rows) -> pandas.DataFrame:
    """One row for the deltas between two other events."""
    runs = list(fold(rows))
    first = {name: [getattr(run.first, name) for run in runs] for name in _FIRST_COLUMNS}
    own = {name: [getattr(run, name) for run in runs] for name in _RUN_COLUMNS}
    frame: pandas.DataFrame = _pandas().DataFrame({**first, **own})
    return frame


def entries_of_frame(frame: pandas.DataFrame) -> Iterator[Header | Frame | str]:
    """What a log is to be made of: a header, then frames, or a sentence for what is none.

    Raises Misuse where the frame has no column of events.
    """
    source = next((name for name in ("raw", "event") if name in frame.columns), None)
    if source is None:
        raise Misuse(
            "A log is made of a DataFrame with a column `raw` or `event` that holds the events; "
            "log.to_dataframe(raw=True) gives one."
        )
    if "seq" in frame.columns:
        frame = frame.sort_values("seq", kind="stable")
    attrs = frame.attrs
    yield Header(
        finite(attrs.get("started")), str(attrs.get("endpoint", "")), str(attrs.get("model", ""))
    )
    missing = [None] * len(frame)
    times = frame["t"].tolist() if "t" in frame.columns else missing
    directions = frame["direction"].tolist() if "direction" in frame.columns else missing
    for label, given, t, direction in zip(
        frame.index, frame[source].tolist(), times, directions, strict=True
    ):
        if isinstance(given, dict):
            given = json.dumps(given, ensure_ascii=False)
        if not isinstance(given, str | bytes):
            yield f"row {label} has no event and was left out"
        else:
            yield Frame(given, direction if direction in DIRECTIONS else None, finite(t))


def _named(codes: NDArray[Any], names: tuple[str, ...]) -> pandas.Categorical:
    """Codes as a column of names; only names that are there are its categories."""
    library = _pandas()
    used = np.flatnonzero(np.bincount(codes, minlength=len(names)))
    places = np.zeros(len(names), dtype=np.int32)
    places[used] = np.arange(len(used), dtype=np.int32)
    categories = library.Index([names[code] for code in used], dtype="str")
    column: pandas.Categorical = library.Categorical.from_codes(
        places[codes], categories, validate=False
    )
    return column


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise Misuse("to_dataframe() needs pandas: pip install pandas") from None
    return pandas
