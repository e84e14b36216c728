"""The voice of the app: its keys by the actions and panels that sentences name, and the room of a line."""

from __future__ import annotations

from rnnviz.lessons.measure import Measure
from rnnviz.tui import panels
from rnnviz.tui.keys import ACTION_KEYS
from rnnviz.words.voice import Voice

#: The room of a lesson's step on the smallest screen it is written for, 80 × 24.
MEASURE = Measure(width=78, lines=6, lines_with_panel=4, heading=66)

KEYS = ACTION_KEYS | {panel.id: panel.key for panel in panels.ALL if panel.key}
#: Keys that the user has rebound, by the face that lessons print.
PRINTED: dict[str, str] = {}
VOICE = Voice(MEASURE.width, KEYS, PRINTED)
