"""Waiting for an app in a test until nothing is left to do, in place of Textual's waiting for a time.

Textual's pilot sleeps 20 ms at least twice for a key, and longer while the processor is busy, with whatever it may be.
Here the event loop runs until no callback is ready and no part of the screen waits for its next drawing. What is still
to come then depends on a timer, a thread or another program; a test waits for that by its own name.
"""

from __future__ import annotations

import asyncio

import pytest
from textual import app as textual_app
from textual import pilot
from textual._context import active_app

from rnnviz.tui.app import RnnvizApp


async def quiet(min_sleep: float = 0, max_sleep: float = 0) -> None:
    """In the place of textual._wait.wait_for_idle, whose arguments it ignores."""
    app = active_app.get()
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(0)
        if loop._ready:  # type: ignore[attr-defined]
            continue
        if app._resize_timer is not None:  # several resizes in a row become one
            app._check_resize()
        elif app._screen_stack and app.screen._update_timer._active.is_set():
            app.screen._on_timer_update()
        else:
            return


def install(patch: pytest.MonkeyPatch) -> None:
    """Until the end of a test, whatever waits for an app waits like this. Raises AttributeError where Textual's own
    waiting is no longer found."""
    for module in (textual_app, pilot):
        patch.setattr(module, "wait_for_idle", quiet)
    settled = RnnvizApp.settled

    async def settled_and_drawn(app: RnnvizApp) -> None:
        async with asyncio.timeout(120):  # what never settles fails, and holds nothing up
            await settled(app)
        await quiet()

    patch.setattr(RnnvizApp, "settled", settled_and_drawn)
    patch.setattr("rnnviz.tui.app.SETTLE", 0.001)  # nobody watches the first frame
