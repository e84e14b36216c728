"""The app in a terminal."""

from __future__ import annotations

import os

#: Switches for who develops with Textual, which reads them when it is imported: they write files, press keys or leave.
_FOR_DEVELOPERS = (
    "TEXTUAL",
    "TEXTUAL_DEBUG",
    "TEXTUAL_LOG",
    "TEXTUAL_PRESS",
    "TEXTUAL_SCREENSHOT",
    "TEXTUAL_SCREENSHOT_FILENAME",
    "TEXTUAL_SCREENSHOT_LOCATION",
    "TEXTUAL_SHOW_RETURN",
)
_COLOR_SYSTEMS = ("auto", "standard", "256", "truecolor", "windows")

for _name in _FOR_DEVELOPERS:
    os.environ.pop(_name, None)
if os.environ.get("TEXTUAL_COLOR_SYSTEM", "auto") not in _COLOR_SYSTEMS:
    del os.environ["TEXTUAL_COLOR_SYSTEM"]  # Textual fails for what it does not know
