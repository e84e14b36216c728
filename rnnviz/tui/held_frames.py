"""Frames are sent when the line is free. Updates that come earlier are dropped; their places on the screen are
remembered and drawn in their latest state."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from textual.geometry import Region

from rnnviz.tui.compact_update import tight
from rnnviz.tui.textual_private import ChopsUpdate, LayoutUpdate, draw_again, is_batching, is_partial, is_whole

if TYPE_CHECKING:
    from rnnviz.tui.driven import DrivenApp

LOOK = 0.01  # seconds between two checks whether the line is free


class Frames:
    """Updates on their way from the app to the driver."""

    def __init__(self, app: DrivenApp, *, ascii: bool) -> None:
        self._app, self._ascii = app, ascii
        self._held: set[Region] = set()  # places whose cells have not been sent yet
        self._is_looking = False

    def show(self, update: RenderableType | None, display: Any) -> None:
        """display: Textual's own way to write an update."""
        driver = self._app.own_driver
        if driver is None or not (is_partial(update) or is_whole(update)):
            display(tight(update, self._ascii))
        elif self._held or not driver.has_room:
            self._held.update(_places(update))
            self._look_later()
        else:
            driver.write_frame(partial(display, tight(update, self._ascii)))

    def _look_later(self) -> None:
        if not self._is_looking:
            self._is_looking = True
            asyncio.get_running_loop().call_later(LOOK, self._look)

    def _look(self) -> None:
        """Draw all held places in their present state as soon as the line has room."""
        self._is_looking = False
        app = self._app
        driver = app.own_driver
        if driver is None or not app.is_running or not app.screen_stack:
            return
        if is_batching(app) or not driver.has_room:
            self._look_later()
            return
        held, self._held = self._held, set()
        screen = app.screen
        whole = screen.size.region
        seen = {place.intersection(whole) for place in held}
        draw_again(screen, {place for place in seen if place})


def _places(update: ChopsUpdate | LayoutUpdate) -> list[Region]:
    if isinstance(update, LayoutUpdate):
        return [update.region]
    return [Region(start, y, end - start, 1) for y, start, end in update.spans]
