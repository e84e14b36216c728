"""An app that shuts down cleanly whatever ends it, with our own terminal driver where there is one (driver.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from rich.console import RenderableType
from textual.app import App
from textual.geometry import Region
from textual.message import Message
from textual.worker import WorkerFailed

from rnnviz.tui.textual_private import end_with, error_of


class OwnDriver(Protocol):
    """The part of that driver that the app uses."""

    @property
    def has_room(self) -> bool:
        """Whether the next frame may be sent now."""

    @property
    def is_fast(self) -> bool:
        """Whether the line to the terminal is known to take a large frame at once."""

    @property
    def has_job_control(self) -> bool:
        """Whether a shell can resume a stopped app."""

    def write_frame(self, draw: Callable[[], None]) -> None:
        """Call draw, which writes a frame."""

    def suspend(self) -> None:
        """Stop until the shell resumes the process."""

    def end_soon(self, code: int) -> None:
        """Begin to end: from now on the process ends in any case."""

    def finish(self) -> None:
        """Give the terminal back to the shell, after the app has ended."""


class Failed(Message):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class DrivenApp(App[None]):
    def __init__(self, *, ansi_color: bool | None) -> None:
        super().__init__(ansi_color=ansi_color)
        self.own_driver: OwnDriver | None = None  # None on Windows and in tests
        self.failure: BaseException | None = None  # on a thread or in a job
        self.wants_background = False  # whether the driver asks the terminal for the colour of its background

    def driven_by(self, driver: OwnDriver) -> None:
        self.own_driver = driver

    def by_importance(self) -> Iterable[Region]:
        """The places of the screen that a frame begins with on a slow line."""
        return ()

    def screen_lost(self) -> None:
        """The terminal may show something else than what it was sent."""

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        super().exit(result, return_code, message)
        if self.own_driver is not None:
            self.own_driver.end_soon(return_code)

    def _handle_exception(self, error: Exception) -> None:
        """Handle an exception of a widget, a worker or a timer."""
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

    def check(self) -> None:
        """Raise the error that ended the app, if one has."""
        failure: BaseException | None = error_of(self) or self.failure
        if failure is not None:
            raise failure

    def catch_the_rest(self) -> None:
        """Handle errors that would be printed over the picture: on threads and in callbacks of the event loop."""
        import logging
        import threading

        def on_thread(args: threading.ExceptHookArgs) -> None:
            if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
                self.post_message(Failed(args.exc_value))

        def in_loop(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            if isinstance(context.get("exception"), Exception) and self.is_running:
                self.fail(context["exception"])

        threading.excepthook = on_thread
        logging.getLogger("asyncio").addHandler(logging.NullHandler())  # PYTHONDEVMODE: slow callbacks
        asyncio.get_running_loop().set_exception_handler(in_loop)
