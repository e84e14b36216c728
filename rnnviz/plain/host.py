"""What the lessons and the actions need of the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rnnviz.plain.mask import Mask
    from rnnviz.plain.panels import Open
    from rnnviz.player.player import Player
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame


class Host(Protocol):
    player: Player
    open: Open

    @property
    def frame(self) -> Frame: ...

    @property
    def mask(self) -> Mask: ...

    @property
    def locked(self) -> tuple[str, ...]:
        """Settings that an open exercise locks."""

    def say(self, *texts: str, whole: bool = False) -> None:
        """Say these sentences, one a line."""

    def carry_out(self, command: Command) -> bool:
        """Carry a command out to its end; whether it was, and was not stopped."""

    def send(self, *commands: Command) -> None:
        """Carry out what a person asked for, and say what it did."""

    def say_rest(self, *, whole: bool) -> None:
        """Say the lines that were left out."""

    def say_panel(self, name: str) -> None:
        """Open a panel and say it."""

    def say_help(self, about: str) -> None:
        """What can be done here, or what a word does."""

    def open_panel(self, name: str) -> None:
        """Open a panel, or none with ""."""

    def panel_lines(self, name: str) -> list[str]:
        """What a panel says, or why it has nothing to say here."""
