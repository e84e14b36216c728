"""Prepare: what takes more than a moment to know about a scene, worked out whole, in a new scene.

    >>> scene = read(task, 0, model)                         # forward and back, with its gradient rows
    >>> scene = prepare(scene, Measure("gain"))              # the same, and its gain known

Pure: a scene that is on the screen stays as it is, and who draws it never waits. Run by the player's jobs, or by
anyone who can wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from rnnviz.experiment.build import trace_of
from rnnviz.experiment.evaluate import accuracy, continue_text, error, evaluation_count, fit, self_fed
from rnnviz.experiment.forecast import compare
from rnnviz.nn import Model, Trace
from rnnviz.scene.commands import Measure
from rnnviz.scene.frame import Progress
from rnnviz.scene.scene import Outcome, Scene
from rnnviz.tasks import Task
from rnnviz.views import analysis, inputs, own_step, perturbation
from rnnviz.views.analysis import OnPart
from rnnviz.views.gradient import gradient_of
from rnnviz.views.ledger import make_table
from rnnviz.views.left_out import left_out
from rnnviz.views.weights import weights

Report = Callable[[Progress], None]

#: Multiplications that pass for a moment: a few milliseconds.
AT_ONCE = 1_000_000
#: Those that the first picture may wait for: some tens of milliseconds.
SOON = 30_000_000


class CancelledError(Exception):
    """The result is no longer needed."""


@dataclass(frozen=True)
class Preparation:
    """How one kind of thing is worked out.

    make   (scene, measure, on_part) -> what was found; where it comes in parts, on_part(done, of how many) after each
    cost   (scene, measure) -> multiplications, roughly
    about  what a person reads while it lasts, and what is counted
    """

    make: Callable[[Scene, Measure, OnPart], Any]
    cost: Callable[[Scene, Measure], int]
    about: str = ""
    unit: str = "parts"


def read(task: Task, sample: int, model: Model, trace: Trace | None = None, loss_step: int | None = None) -> Scene:
    """Read and walk back sequence `sample` (or take its trace): a scene that knows the gradient of its last loss step,
    of `loss_step` where it has it, and the total. Raises InputError for a sample the task does not have."""
    scene = Scene(task, sample, model, trace_of(model, task, sample) if trace is None else trace)
    return prepare(scene, *first_rows(scene, loss_step))


def first_rows(scene: Scene, loss_step: int | None) -> list[Measure]:
    """What is drawn at once. Without a loss there is no total, and the row of a large state comes later."""
    if not scene.has_loss:
        states = {Measure("gradient", k) for k in {scene.last_loss_step, *({loss_step} & set(scene.loss_steps))}}
        return [row for row in states if _row_cost(scene, row) <= SOON]
    wanted = {scene.last_loss_step, None, *({loss_step} & set(scene.loss_steps))}
    rows = [Measure("gradient", k) for k in wanted]
    return [*rows, Measure("sent")] if scene.task.lag is not None else rows


def prepare(
    scene: Scene,
    *wanted: Measure,
    report: Report = lambda progress: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Scene:
    """The scene with each of these known; as far as it came if it is cancelled."""
    found: dict[Measure, Any] = {}
    for measure in wanted:
        if measure in scene.known or measure in found:
            continue
        how = preparation(measure.what)

        def on_part(done: int, total: int, how: Preparation = how) -> None:
            if is_cancelled():
                raise CancelledError
            report(Progress(how.about, done, total, unit=how.unit))

        try:
            found[measure] = how.make(with_known(scene, found), measure, on_part)
        except CancelledError:
            break
    return with_known(scene, found)


def with_known(scene: Scene, found: Mapping[Measure, Any]) -> Scene:
    return replace(scene, known={**scene.known, **found}) if found else scene


def is_light(scene: Scene, measure: Measure) -> bool:
    """Whether it takes but a moment."""
    return preparation(measure.what).cost(scene, measure) <= AT_ONCE


def likewise(scene: Scene, known: Iterable[Measure], t: int) -> list[Measure]:
    """What an earlier scene knew that its successor can know in a moment, so that what is open stays drawn: of a moved
    state that of step t alone."""

    def wanted(measure: Measure) -> bool:
        match measure.what:
            case "gradient" | "checked" | "evidence" | "own_step":
                # the rows that are drawn it has; the others are of these weights
                return False
            case "ledger":
                return scene.has_gradient(measure.t)
            case "inputs":
                return scene.has_loss and (measure.t is None or measure.t in scene.loss_steps)
            case "perturbed":
                return measure.t == t <= scene.T
            case "spectrum":
                return measure.t is None or (t in (measure.t, *measure.parts) and measure.t <= scene.T)
        return True

    return [measure for measure in known if wanted(measure) and is_light(scene, measure)]


#: The kinds that rooms above enter into PREPARATIONS, by the module that does; imported where one is first asked for.
ENTERED_BY = {"diagnosis": "rnnviz.diagnosis.of_scene", "map": "rnnviz.maps.of_scene"}


def preparation(what: str) -> Preparation:
    """How this kind of thing is worked out."""
    if what not in PREPARATIONS:
        import_module(ENTERED_BY[what])
    return PREPARATIONS[what]


# -- each kind -----------------------------------------------------------------------------------------


def _check(scene: Scene, on_part: OnPart) -> float:
    on_part(0, 1)
    return scene.trace.check()


def _spectrum() -> Any:
    from rnnviz.views import spectrum  # not above: the first paint does not need it

    return spectrum


def outcome(scene: Scene) -> Outcome:
    """What the network makes of its whole task."""
    model, task = scene.model, scene.task.original or scene.task
    if not (task.has_readout and task.has_targets):
        return Outcome()
    reads_itself = task.continues and not model.spec.bidirectional  # it would need to know its outputs beforehand
    return Outcome(
        fit=None if task.series is None else fit(model, task),
        prediction=None if task.series is None else self_fed(model, task),
        continuation=continue_text(model, task, scene.sample) if reads_itself else None,
        accuracy=accuracy(model, task),
        error=error(model, task),
        baselines=compare(model, task),
    )


def _state_space() -> Any:
    """Imported when it is asked for: the first paint does not need it."""
    from rnnviz.views import state_space

    return state_space


def _passes(scene: Scene, measure: Measure) -> int:
    trace = scene.trace
    return int(trace.T * trace.B * trace.L * trace.H**2 * len(trace.spec.gates))


def _row_cost(scene: Scene, measure: Measure) -> int:
    """Without a loss one gradient for each unit goes back, and each step takes singular values."""
    if scene.has_loss:
        return _passes(scene, measure)
    T, H, blocks = measure.t or scene.T, scene.H, len(scene.trace.spec.gates) or 1
    return int(T * H**2 * (H * blocks + 400))


def _of_the_task(scene: Scene, measure: Measure) -> int:
    task = scene.task
    return int(evaluation_count(task) * task.seq_len * scene.model.parameter_count)


PREPARATIONS: dict[str, Preparation] = {
    "gradient": Preparation(
        lambda scene, of, on_part: gradient_of(scene.trace, of.t, on_part), _row_cost,
        "taking singular values", "steps",
    ),
    "ledger": Preparation(lambda scene, of, on_part: make_table(scene, of.t), _passes),
    "inputs": Preparation(lambda scene, of, on_part: inputs.make(scene, of.t), _passes),
    "sent": Preparation(lambda scene, of, on_part: scene.trace.sent(scene.last_loss_step), _passes),
    "outcome": Preparation(lambda scene, of, on_part: outcome(scene), _of_the_task),
    "triangle": Preparation(
        lambda scene, of, on_part: analysis.make_triangle(scene.trace, on_part),
        lambda scene, of: analysis.cost(scene.trace, "triangle"), "measuring the triangle",
    ),
    "gain": Preparation(
        lambda scene, of, on_part: analysis.make_gain(scene.trace, on_part),
        lambda scene, of: analysis.cost(scene.trace, "gain"), "measuring the gain", "steps",
    ),
    "perturbed": Preparation(
        lambda scene, of, on_part: perturbation.perturb(scene, of.t or 0, of.parts, on_part),
        lambda scene, of: perturbation.cost(scene), "following the moved state",
    ),
    "checked": Preparation(
        lambda scene, of, on_part: _check(scene, on_part), lambda scene, of: 100 * _passes(scene, of),
        "checking against central differences", "",
    ),
    "weights": Preparation(lambda scene, of, on_part: weights(scene.trace), lambda scene, of: 20 * scene.H**3),
    "spectrum": Preparation(
        lambda scene, of, on_part: _spectrum().make(scene, of, on_part), lambda scene, of: _spectrum().cost(scene, of),
        "multiplying Jacobians", "steps",
    ),
    "lyapunov": Preparation(
        lambda scene, of, on_part: _spectrum().make_lyapunov(scene, on_part),
        lambda scene, of: _spectrum().cost_of_lyapunov(scene), "measuring Lyapunov exponents",
    ),
    "evidence": Preparation(
        lambda scene, of, on_part: None if scene.prove is None else scene.prove(), lambda scene, of: 10**9,
        "comparing the weight gradients", "",
    ),
    "own_step": Preparation(
        lambda scene, of, on_part: own_step.make(scene.trace), lambda scene, of: 10**9,
        "checking your backward_step", "",
    ),
    "space": Preparation(
        lambda scene, of, on_part: _state_space().make_space(scene, on_part),
        lambda scene, of: _state_space().space_cost(scene), "reading other sequences", "",
    ),
    "fixed_points": Preparation(
        lambda scene, of, on_part: _state_space().make_points(scene, on_part),
        lambda scene, of: _state_space().points_cost(scene), "searching for fixed points", "steps",
    ),
    "left_out": Preparation(
        lambda scene, of, on_part: None if of.experiment is None else left_out(scene, of.experiment),
        lambda scene, of: 10**9,
    ),
}  # fmt: skip
