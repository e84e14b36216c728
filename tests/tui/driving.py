"""The app as a person has it: keys in, rows of the screen out."""

from __future__ import annotations

from textual.pilot import Pilot

from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas


async def press(pilot: Pilot, *names: str) -> None:
    """One key after the other, each waited for."""
    for name in names:
        await pilot.press(name)
        await pilot.app.settled()  # type: ignore[attr-defined]
    await pilot.pause()


def rows(app: RnnvizApp, name: str = "panel") -> list[str]:
    """What one of the canvases shows: score, title, telling, panel, open, keys, …"""
    return app.main.query_one(f"#{name}", Canvas).plain()


def text(app: RnnvizApp, name: str = "score") -> str:
    return "\n".join(rows(app, name))
