"""Frames are sent when the line is free. What is drawn before that waits on the glass, and the newest state is sent.

A frame follows what was drawn at once, or 1/60 s after the frame before. While the line is slow, or nothing is known of
it yet, a frame is small and begins with what matters most: the narration can be read while the panels still come.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from textual.screen import Screen

from rnnviz.terminal import erases_in_color
from rnnviz.tui.glass import Glass, cells_in
from rnnviz.tui.rich_private import color_system
from rnnviz.tui.textual_private import ChopsUpdate, CompositorUpdate, LayoutUpdate, is_batching, is_partial, is_whole

if TYPE_CHECKING:
    from rnnviz.tui.driven import DrivenApp

LOOK = 0.01  # seconds between two checks whether the line is free
PAUSE = 1 / 60  # seconds between two frames
SMALL = 900  # characters of a frame on a slow line: an eighth of a second on 64 kbit/s


class Sent(CompositorUpdate):
    """A frame as text, in the form in which Textual writes one."""

    def __init__(self, text: str) -> None:
        self.text = text

    def render_segments(self, console: Console) -> str:
        return self.text


class Frames:
    """What is drawn, on its way from the app to the driver. display: Textual's own way to write an update."""

    def __init__(
        self, app: DrivenApp, display: Callable[[RenderableType | CompositorUpdate], None], *, ascii: bool
    ) -> None:
        self.glass = Glass(ascii=ascii, erases_in_color=erases_in_color())
        self._app, self._display = app, display
        self._is_whole = False  # all that Textual draws is on the glass
        self._is_coming = False  # a frame
        self._sent = 0.0  # when the last frame was

    def show(self, update: RenderableType | None) -> None:
        """Textual draws."""
        if is_partial(update) or is_whole(update):
            self._is_whole = True
            self.glass.resize(*self._app.size)
            if is_partial(update):
                self._put_stretches(update)
            elif is_whole(update):
                self._put_rectangle(update)
            self.send_soon()
        elif update is not None:
            self._is_whole = False
            self.glass.forget()
            self._display(update)

    def accepts(self, screen: Screen[object]) -> bool:
        """Whether cells of this screen can be put on the glass past Textual."""
        app = self._app
        return self._is_whole and app.screen is screen and app.size == self.glass.size and not is_batching(app)

    def forget(self) -> None:
        """The terminal may show anything: all is sent again."""
        self.glass.forget()
        self.send_soon()

    def send_soon(self) -> None:
        if self._is_coming:
            return
        self._is_coming = True
        loop = asyncio.get_running_loop()
        wait = self._sent + PAUSE - time.monotonic()
        if wait > 0:
            loop.call_later(wait, self._send)
        else:
            loop.call_soon(self._send)

    def _send(self) -> None:
        """Send what has changed on the glass, or wait until the line has room."""
        self._is_coming = False
        app, driver = self._app, self._app.own_driver
        if not self._is_whole or not app.is_running or not app.screen_stack or app.size != self.glass.size:
            return  # a resize is on its way, and all is drawn again
        while self.glass.has_changed:
            if is_batching(app) or (driver is not None and not driver.has_room):
                self._is_coming = True
                asyncio.get_running_loop().call_later(LOOK, self._send)
                return
            is_fast = driver is None or driver.is_fast
            order = () if is_fast else app.by_importance()
            text = self.glass.take(order, most=None if is_fast else SMALL)
            if not text:
                continue
            self._sent = time.monotonic()
            if driver is None:
                self._display(Sent(text))
            else:
                driver.write_frame(partial(self._display, Sent(text)))

    def _put_stretches(self, update: ChopsUpdate) -> None:
        system = color_system(self._app.console)
        for y, start, end in update.spans:
            if y >= min(len(update.chops), len(update.chop_ends)):
                continue  # it was to be drawn in a window that was higher
            for stop, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                left, right = max(x, start), min(stop, end)
                if strip is not None and left < right:
                    self.glass.put(y, left, cells_in(strip, system)[left - x : right - x])

    def _put_rectangle(self, update: LayoutUpdate) -> None:
        system = color_system(self._app.console)
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in line:
                row = cells_in(strip, system)
                self.glass.put(y, x, row)
                x += len(row)
