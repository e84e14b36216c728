"""An app that ends in order, whatever ends it, with the terminal's driver of our own where there is one (driver.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from rich.console import RenderableType
from textual.app import App
from textual.message import Message
from textual.worker import WorkerFailed

from rnnviz.tui.textual_private import end_with


class OwnDriver(Protocol):
    """What the app knows of that driver."""

    @property
    def has_room(self) -> bool:
        """Whether the next frame may follow now."""

    @property
    def has_job_control(self) -> bool:
        """Whether there is a shell that can continue what was stopped."""

    def write_frame(self, draw: Callable[[], None]) -> None:
        """Draw, which writes a frame."""

    def suspend(self) -> None:
        """Stop, until the shell says otherwise."""

    def end_soon(self, code: int) -> None:
        """The app is to end: from now on it is certain that it will."""

    def finish(self) -> None:
        """The app has ended: the terminal is the shell's."""


class Failed(Message):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class DrivenApp(App[None]):
    def __init__(self, *, ansi_color: bool | None) -> None:
        super().__init__(ansi_color=ansi_color)
        self.own_driver: OwnDriver | None = None  # None on Windows and in tests

    def driven_by(self, driver: OwnDriver) -> None:
        self.own_driver = driver

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        super().exit(result, return_code, message)
        if self.own_driver is not None:
            self.own_driver.end_soon(return_code)

    def _handle_exception(self, error: Exception) -> None:
        """Whatever a widget, a worker or a timer lets through."""
        if self.own_driver is None:
            super()._handle_exception(error)
        else:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """End with this error; `run` raises it."""
        if self.own_driver is not None:
            self.own_driver.end_soon(1)
        cause = error.error if isinstance(error, WorkerFailed) else error
        end_with(self, cause if isinstance(cause, Exception) else error)

    def catch_the_rest(self) -> None:
        """Errors that would only be printed, over the picture: on threads, and in what the event loop calls."""
        import logging
        import threading

        def on_thread(args: threading.ExceptHookArgs) -> None:
            if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
                self.post_message(Failed(args.exc_value))

        def in_loop(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            if isinstance(context.get("exception"), Exception) and self.is_running:
                self.fail(context["exception"])

        threading.excepthook = on_thread
        logging.getLogger("asyncio").addHandler(logging.NullHandler())  # PYTHONDEVMODE: what took longer than 0.1 s
        asyncio.get_running_loop().set_exception_handler(in_loop)
