"""Masking: while a question is open, the screen hides the figures that would give its answer away.

A question knows the metrics that its answer and its choices compare. READOUTS has the names under which the screen
shows them, and code that draws such a figure or mark checks whether its name is masked:

    >>> masked(run, frame).names
    frozenset({'gradient', 'others'})

The steps before a question in the same picture do not give it away, either.

Known figures are not masked: those that the step's own text quotes, and, if the answer is about another network
(trained further, or with other settings), all of the present one. If the learner changes the network himself, the
new one is masked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.lessons.lesson import Exercise, Prediction
from rnnviz.lessons.prose import quotes
from rnnviz.lessons.run import LessonRun, setup_of
from rnnviz.scene.cursor import Phase
from rnnviz.views.metrics import AXES, METRICS, Reference, resolve

if TYPE_CHECKING:
    from rnnviz.lessons.lesson import Step
    from rnnviz.scene.frame import Frame

_GRADIENT = ("gradient", "others")
#: The names under which the screen shows a metric: `others` are networks beside the present one (the ghost, compared
#: runs), `history` is the whole training, undone epochs included. Settings and places have none.
READOUTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("grad_norm", "total_norm", "shown_norm", "kept", "grad_ratio", "half_life", "horizon", "reach", "factor",
         "direct_norm", "mean_factor", "log_mean_factor", "underflows", "reach_arrives", "reach_share", "reach_near",
         "cell_factor", "forget_share", "loop_kept", "loop_horizon", "by_loop", "by_value", "by_score"),
        _GRADIENT,
    ),
    **dict.fromkeys(("state_gain", "gain_max", "gain_mean"), ("ledger",)),
    **dict.fromkeys(("slope", "slope_mean", "slope_share", "weight_share"), ("ledger",)),
    **dict.fromkeys(
        ("loss", "is_finite", "train_loss", "val_loss", "first_loss", "best_val_loss", "best_epoch"),
        ("loss", "history", "others"),
    ),
    **dict.fromkeys(("accuracy", "accuracy_error", "learnt"), ("accuracy", "history", "others")),
    **dict.fromkeys(("perturb_left", "perturb_way", "perturb_flips", "perturb_answer"), ("perturbed",)),
    **dict.fromkeys(("fixed_points", "attractors", "unstable_points", "slow_points", "attractor_radius",
                     "attractor_size", "plane_share"), ("space",)),
    **dict.fromkeys(("map_within", "map_beyond", "map_learnt"), ("map",)),
    "baseline": ("baseline",),
    "agreement": ("evidence",),
    "fit_error": ("fit",),
    "self_fed_error": ("self-fed",),
    **dict.fromkeys(("h", "c", "pre", "h_size", "start_size"), ("state",)),
    **dict.fromkeys(("y", "error", "answer", "confidence"), ("output",)),
    **dict.fromkeys((f"{gate}_{of}" for gate in ("input", "forget", "output", "reset", "update")
                     for of in ("gate", "mean")), ("gates",)),
    **dict.fromkeys(("w_in", "w_rec", "bias", "w_out"), ("weights",)),
    **dict.fromkeys(
        ("sigma_max", "spectral_radius", "spectral_radius_of_step", "departure", "departure_of_step", "growth",
         "growth_at", "product_radius", "product_sigma", "lyapunov", "lyapunov_factor"),
        ("spectrum",),
    ),
    "attention": ("attention",),
    **dict.fromkeys(("parameters", "parameter_sum"), ("parameters", "others")),
    **dict.fromkeys(("loss_steps", "K"), ("judged",)),
}  # fmt: skip
#: Metrics that the screen does not show, or that give nothing away: places, inputs, norms of weights.
SHOWN_NOWHERE = frozenset(
    ("t", "unit", "phase", "read", "reached", "epoch", "batch", "batches", "record", "records", "training_step",
     "sample", "sequences", "T", "own_steps", "loss_step",
     "step_loss", "x", "target", "token", "right_answer", "needed_lag", "reach_lag", "first_used", "weights_norm",
     "weight_grad", "clipped", "clip_turn", "judged", "tested", "test_accuracy", "test_accuracy_percent", "test_error",
     "gate_steps", "gate_half_life", "border_lost", "scan_rounds", "scan_difference")
)  # fmt: skip
NAMES = frozenset(name for names in READOUTS.values() for name in names)
_ELSEWHERE = frozenset(("others", "history"))  # the figures of networks other than the present one


@dataclass(frozen=True)
class Masked:
    """names: the masked figures. since: the first time step whose states and outputs are masked. until: the number of
    the step with the question, if it comes later; 0 for an open question."""

    names: frozenset[str] = frozenset()
    since: int = 0
    until: int = 0


NOTHING = Masked()


def masked(run: LessonRun, frame: Frame) -> Masked:
    """What the screen masks in this frame."""
    question = run.open_question
    if question is None:
        return _ahead(run, frame)
    here = run.target
    then = setup_of(run.lesson, run.at, revealed=True)
    same_network = then.weights == here.weights
    given = set(_quoted(run.step)) if same_network else set()
    wanted = [reference for reference in references(question) if reference not in given]
    names = _names(wanted)
    if not same_network and here.has_weights_of(frame):
        names &= _ELSEWHERE
    return Masked(names | frozenset(question.hides), _since(wanted, frame))


def _ahead(run: LessonRun, frame: Frame) -> Masked:
    """The figures of the present network that the next question asks for, except those this step is about."""
    lesson, here = run.lesson, run.target
    if not run.is_done or run.pending is not None or not here.has_weights_of(frame):
        return NOTHING
    given = set(_quoted(run.step))
    for at in range(run.at + 1, len(lesson.steps)):
        step, there = lesson.steps[at], setup_of(lesson, at, revealed=False)
        given |= set(_quoted(step))
        if there.weights != here.weights or there.sample != here.sample or isinstance(step.task, Exercise):
            break
        if isinstance(step.task, Prediction) and step.id not in run.answers:
            if setup_of(lesson, at, revealed=True).weights != here.weights:
                break
            wanted = [reference for reference in references(step.task) if reference not in given]
            names = _names(wanted) | frozenset(step.task.hides)
            return Masked(names - _spoken_of(run), _since(wanted, frame), at + 1)
    return NOTHING


def _spoken_of(run: LessonRun) -> frozenset[str]:
    """The figures that the present step shows on purpose: the row it points at, the subject of its own question (for
    states and outputs some steps), and everything beside an open panel."""
    if run.target.panel:
        return NAMES
    answered = _names(list(references(run.task))) if isinstance(run.task, Prediction) else frozenset()
    point = run.step.point_after or run.step.point if run.answer is not None else run.step.point
    names = {"hidden": ("state",), "cell": ("state",), "output": ("output", "loss"), "gates": ("gates",),
             "reach": ("gradient", "others", "accuracy")}  # fmt: skip
    if run.target.phase in (Phase.BACKWARD, Phase.UPDATE):  # else the row is still empty
        names["gradient"] = ("gradient", "others")
    pointed = names.get(point.at, ()) if point is not None and not answered else ()
    return answered - {"state", "output"} | frozenset(pointed)


def _names(wanted: list[Reference]) -> frozenset[str]:
    return frozenset(name for reference in wanted for name in READOUTS.get(reference.name, ()))


def references(question: Prediction) -> Iterator[Reference]:
    """The metrics that answer a question, without `start.`."""
    if question.answer is not None:
        yield question.answer.now
    for choice in question.choices:
        for condition in choice.holds:
            yield from (reference.now for reference in condition.references())


def _quoted(step: Step) -> Iterator[Reference]:
    """The metrics that a step quotes while its question is open."""
    for text in (*step.before, *([step.task.question] if isinstance(step.task, Prediction) else [])):
        yield from (reference for reference, _ in quotes(text))


def _since(wanted: list[Reference], frame: Frame) -> int:
    """The earliest time step that a metric names; 0 if a metric covers all steps."""
    steps = []
    for reference in wanted:
        axes = METRICS[reference.name].axes
        if not {"state", "output"} & set(READOUTS.get(reference.name, ())):
            continue
        if not axes or axes[0] not in ("state", "step"):
            return 0
        at = resolve(frame, reference)
        steps.append(at[0] if at is not None else AXES[axes[0]](frame)[0])
    return min(steps, default=0)
