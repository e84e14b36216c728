"""The presenter's layout, for a projector: more space where there is room, no keys in the last row; and a black screen
until the next key, while people look at the speaker."""

from __future__ import annotations

from textual import events
from textual.geometry import Size, Spacing

from rnnviz.tui.modal import Modal

ROOMY = Size(100, 30)  # from here on there is room for margins
MARGINS = Spacing(1, 4, 1, 4)  # top, right, bottom, left
BEGINS = "Presenter's layout: [present] ends it, [blank] blanks the screen until the next key."
ENDS = "The usual layout."


def room(screen: Size, presenting: bool) -> tuple[Size, Spacing]:
    """The size that the rest is laid out for, and the margins around it. The row of keys, which a presenter does not
    see, is counted as if it were there."""
    if not presenting:
        return screen, Spacing()
    is_roomy = screen.width >= ROOMY.width and screen.height >= ROOMY.height
    margins = MARGINS if is_roomy else Spacing()
    return Size(screen.width - margins.width, screen.height - margins.height + 1), margins


class Blank(Modal):
    """Black; any key or click shows the screen again."""

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.dismiss()

    def on_click(self) -> None:
        self.dismiss()
