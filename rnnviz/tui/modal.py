"""A screen over the score, which closes once."""

from __future__ import annotations

from textual import on
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList


class Modal(ModalScreen[None]):
    """A key typed ahead arrives after the screen was closed: it closes nothing else."""

    def dismiss(self, result: None = None) -> AwaitComplete:
        return super().dismiss(result) if self.is_current else AwaitComplete()


class Commands(CommandPalette, Modal):
    """The command palette. A second enter, typed ahead, does not run the command again."""

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def run_once(self, event: Message) -> None:
        if not self.is_current:
            event.stop()
            event.prevent_default()
