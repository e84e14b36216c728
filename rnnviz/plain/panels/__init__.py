"""The panels of the app in sentences and lists of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rnnviz.plain.panels import gradient, knobs, space, sums, training
from rnnviz.plain.panels.base import Open, Panel, Paragraph, Verbatim
from rnnviz.plain.panels.knobs import knob_line, knobs_here
from rnnviz.scene.commands import Alone, Back, Compare, Measure, Pin, Seek, Survey, Train
from rnnviz.tui.keys import BY_ID
from rnnviz.words.no_panel import no_eigenvalues, no_map, no_perturbation, no_self_fed, no_series, no_triangle, no_words

if TYPE_CHECKING:
    from rnnviz.plain.mask import Mask
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame


__all__ = ["PANELS", "Open", "Panel", "Paragraph", "Verbatim", "knob_line", "knobs_here", "readable", "why_not"]


def why_not(name: str, frame: Frame) -> str | None:
    """Why a panel has nothing here: this kind of run has nothing like it, or it has nothing yet."""
    return frame.cannot.get(name) or PANELS[name].why_not(frame)


def readable(frame: Frame, mask: Mask) -> list[str]:
    """The panels that have something to say here, and that a lesson has introduced and does not hide."""
    return [
        name for name, panel in PANELS.items()
        if why_not(name, frame) is None and mask.knows(name) and not mask.hides(*panel.shows)
    ]  # fmt: skip


def _of(action: str) -> Callable[[Frame], Command]:
    """The command of an action of the app."""
    command = BY_ID[action].command
    assert command is not None
    return command


_OF_GRADIENT = frozenset(("gradient", "ledger", "gates"))

PANELS: dict[str, Panel] = {
    "fit": Panel(
        training.fit, "the series, and its prediction one step ahead", frozenset(("fit",)), no_series, training.outcome
    ),
    "self-fed": Panel(
        training.self_fed, "the network reading its own output", frozenset(("self-fed",)), no_self_fed, training.outcome
    ),
    "words": Panel(
        training.words, "sequence and answer, with probabilities", frozenset(("output", "judged", "baseline")),
        no_words, training.outcome,
    ),
    "loss": Panel(training.curve, "training and validation loss per epoch", frozenset(("history", "baseline"))),
    "travel": Panel(
        gradient.travel, "how far back the gradient reached, by epoch", frozenset(("history", "gradient")),
        needs=lambda frame: [Survey()],
        acts={"left": lambda frame: Back("epoch"), "right": lambda frame: Train("epoch"),
              "unit_up": lambda frame: Back("batch"), "unit_down": lambda frame: Train("batch")},
    ),
    "neuron": Panel(
        sums.neuron, "one unit's value as a sum you can check by hand",
        frozenset(("state", "gradient", "ledger", "output", "gates", "weights")), here=sums.neuron_here,
    ),
    "ledger": Panel(
        gradient.ledger, "why the gradient shrinks, step by step", _OF_GRADIENT, needs=gradient.ledger_needs,
        here=gradient.ledger_here,
        acts={"unit_up": lambda frame: Seek(frame.cursor.t + 1), "unit_down": lambda frame: Seek(frame.cursor.t - 1)},
    ),
    "triangle": Panel(
        gradient.triangle, "how far back the error of each step reaches", frozenset(("gradient", "judged")),
        no_triangle, lambda frame: [Measure("triangle")],
        acts={"unit_up": _of("loss_before"), "unit_down": _of("loss_after")},
    ),
    "eigenvalues": Panel(
        sums.eigenvalues, "of W_hh and of the steps", frozenset(("spectrum", "gradient")),
        no_eigenvalues, sums.eigenvalues_needs,
    ),
    "space": Panel(
        space.space, "states in a plane, fixed points", frozenset(("space", "state")), needs=space.needs,
        here=space.here, acts={"find": lambda frame: Measure("fixed_points")},
    ),
    "perturbed": Panel(
        gradient.perturbed, "a small and a large move of the state", frozenset(("perturbed",)), no_perturbation,
        gradient.perturbed_needs,
    ),
    "attention": Panel(
        gradient.attention, "the weight of each state in a sum over all states", frozenset(("attention",)),
        here=gradient.attention_here,
    ),
    "compare": Panel(
        gradient.compare, "other cells, or a pinned run, trained equally long",
        frozenset(("gradient", "loss", "parameters", "others")),
        needs=lambda frame: [] if frame.comparing and frame.beside is not None else [Compare()],
        acts={"next": lambda frame: Pin()}, on_close=Alone(),
    ),
    "knobs": Panel(knobs.knobs, "change the cause, watch the effect"),
    "network": Panel(
        sums.network, "unrolled in time, or folded to its loop",
        frozenset(("gates", "gradient", "output", "parameters", "state")), here=sums.network_here,
    ),
    "summary": Panel(sums.summary, "layers, output shapes, parameters", frozenset(("parameters",))),
    "code": Panel(sums.code, "behind this moment; in PyTorch and Keras"),
    "diagnosis": Panel(
        training.diagnosis, "what is measured to be wrong, and one thing to try",
        frozenset(("gradient", "others", "ledger", "loss", "history", "gates", "state", "weights")),
        needs=training.diagnosis_needs,
    ),
    "weights": Panel(
        sums.weights, "W_ih, W_hh and b of the top layer as a heat map", frozenset(("spectrum", "weights")),
        needs=lambda frame: [Measure("weights")],
    ),
    "map": Panel(
        training.map_lines, "which networks like this one learn, by gain and lag", frozenset(("map",)), no_map,
        training.map_needs,
    ),
}  # fmt: skip
