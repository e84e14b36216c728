"""A film for asciinema: asciicast v2 or v3 (docs.asciinema.org/manual/asciicast). No time of day and nothing of this
machine is in it."""

from __future__ import annotations

import json
from typing import Any

from rnnviz.tui.films.film import Film
from rnnviz.tui.pictures.text import difference, whole

_TERM = {"truecolor": "xterm-direct", "256": "xterm-256color", "standard": "xterm", "none": "xterm"}
AFTER = "\x1b[?7h\x1b[?25h"  # the line wrap and the cursor are as before


def cast(film: Film, version: int = 2) -> str:
    """version 2: times since the beginning; 3: since the event before."""
    columns, rows = film.scenes[0][1].size
    term = _TERM[film.scenes[0][1].colors]
    head: dict[str, Any] = {"version": version}
    if version == 2:
        head |= {"width": columns, "height": rows, "duration": film.seconds, "title": film.title, "env": {"TERM": term}}
    else:
        head |= {"term": {"cols": columns, "rows": rows, "type": term}, "title": film.title}
    events: list[tuple[float, str]] = []
    before = None
    for start, (_, picture) in zip(film.starts, film.scenes, strict=True):
        events.append((start, whole(picture) if before is None else difference(before, picture)))
        before = picture
    events.append((film.seconds, AFTER))
    lines, last = [json.dumps(head)], 0.0
    for start, data in events:
        lines.append(json.dumps([start if version == 2 else round(start - last, 3), "o", data]))
        last = start
    return "\n".join(lines) + "\n"
