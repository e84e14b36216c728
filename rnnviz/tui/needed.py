"""What the screen needs of the player and does not have yet: commands that compute it in the background."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rnnviz.scene.commands import Measure
from rnnviz.tui import panels

if TYPE_CHECKING:
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame
    from rnnviz.tui.guide import Guide
    from rnnviz.tui.view import View


def by_screen(frame: Frame, view: View, guide: Guide | None, corner: Iterable[panels.Panel]) -> Iterator[Command]:
    """The most urgent first. corner: the panels below a lesson's text."""
    open_panel = panels.BY_ID.get(view.panel or "")
    shown = [] if open_panel is None or panels.why_not(open_panel, frame) is not None else [open_panel]
    found = (
        *_of(shown, frame),
        guide.needs(frame) if guide is not None else None,
        Measure("outcome") if view.plots and frame.scene.outcome is None else None,
        None if frame.scene.has_gradient(frame.loss_step) else Measure("gradient", frame.loss_step),
        _gradient_of_inputs(frame, view),
        Measure("evidence") if frame.scene.prove is not None and frame.scene.evidence is None else None,
        Measure("own_step") if frame.cell.is_own and Measure("own_step") not in frame.scene.known else None,
        *_of(corner, frame),
    )
    return (command for command in found if command is not None)


def _of(shown: Iterable[panels.Panel], frame: Frame) -> list[Command | None]:
    return [panel.needs(frame) for panel in shown if panel.needs is not None]


def _gradient_of_inputs(frame: Frame, view: View) -> Command | None:
    wanted = Measure("inputs", frame.loss_step)
    is_shown = view.input_gradient and "inputs" not in frame.cannot and frame.reached is not None
    return wanted if is_shown and wanted not in frame.scene.known else None
