"""The notice that the window is too small: it covers every screen until the window is larger."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.widgets import Static

from rnnviz.tui.modal import Modal

SMALLEST = Size(60, 20)
TEXT = f"rnnviz needs {SMALLEST.width} × {SMALLEST.height} cells:\nmake this window larger."


def is_too_small(size: Size) -> bool:
    return size.width < SMALLEST.width or size.height < SMALLEST.height


class TooSmall(Modal):
    """Covers the help screen, the menu or the command palette, which get no keys while they are invisible."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,ctrl+q,ctrl+c", "app.quit", "quit", show=False)]
    DEFAULT_CSS = """
    TooSmall { background: $background; }
    TooSmall Static { width: 100%; height: 100%; content-align: center middle; }
    """

    def compose(self) -> ComposeResult:
        yield Static(TEXT)
