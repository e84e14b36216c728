"""The map around an experiment: a few networks like it, with smaller gains and shorter lags. Computed on a job's thread
(views/prepare.py); the same experiment's is computed once.

    >>> scene = prepare(scene, wanted(frame))
    >>> of_frame(frame).within              # the share that learnt, of those whose horizon is at least their lag
    1.0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rnnviz.errors import InputError
from rnnviz.experiment.build import resolved
from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.maps.axis import Axis
from rnnviz.maps.chart import Chart
from rnnviz.maps.grid import GridSpec
from rnnviz.maps.make import seconds_in_numpy
from rnnviz.maps.point import FAILED, Point, compute
from rnnviz.maps.tally import Tally
from rnnviz.nn import engine
from rnnviz.scene.commands import Measure
from rnnviz.scene.frame import Frame
from rnnviz.scene.scene import Scene
from rnnviz.views.analysis import OnPart
from rnnviz.views.prepare import PREPARATIONS, Preparation

#: Parts of the experiment's own gain, and of its lag.
GAINS, LAGS = (1 / 3, 5 / 9, 7 / 9, 1.0), (1 / 4, 1 / 2, 1.0)
#: Seconds in NumPy from which on a map is for `rnnviz map`, with its processes.
MOST_SECONDS = 120.0
KEPT = 6  # maps that are kept
NO_LAG = "The map varies the lag; choose a task that has one: recall, copying or adding."
TOO_LONG = "A map of networks like this takes minutes: rnnviz map, on the command line, uses all processors."

_made: dict[tuple[Experiment, str], SceneMap] = {}


@dataclass(frozen=True)
class SceneMap:
    """within, beyond: the share that learnt, of the networks whose horizon before training is at least their lag, and
    of the others; None where there is none. learnt: of all."""

    chart: Chart
    within: float | None
    beyond: float | None
    learnt: float | None


def wanted(frame: Frame) -> Measure:
    return Measure("map", experiment=frame.requested)


def of_frame(frame: Frame) -> SceneMap | None:
    """None while it is not known."""
    found: SceneMap | None = frame.scene.known.get(wanted(frame))
    return found


@lru_cache(maxsize=64)
def why_not(experiment: Experiment | None) -> str | None:
    """Why there is no map around it, in a sentence; None if there is one."""
    if experiment is None or SETTINGS["lag"].why_not(whole := resolved(experiment)) is not None or not whole.lag:
        return NO_LAG
    try:
        spec = spec_of(experiment)
        spec.check()
    except InputError as error:
        return f"There is no map around this network: {error}."
    return TOO_LONG if seconds_in_numpy(spec) > MOST_SECONDS else None


def spec_of(experiment: Experiment) -> GridSpec:
    """The grid: up to the experiment's own gain and lag, which are its last ones. Raises InputError."""
    lag = resolved(experiment).lag or 1
    lags = Axis("lag", tuple(max(1, round(part * lag)) for part in LAGS))
    base = experiment.with_(lag=None, seq_len=None)
    if experiment.gain <= 0:
        return GridSpec(base, lags)
    gains = Axis("gain", tuple(float(f"{part * experiment.gain:.4g}") for part in GAINS))
    return GridSpec(base.with_(gain=SETTINGS["gain"].default), gains, lags)


def _make(scene: Scene, of: Measure, on_part: OnPart) -> SceneMap | None:
    if of.experiment is None or why_not(of.experiment) is not None:
        return None
    key = of.experiment, engine.current().name
    if key not in _made:
        found = _computed(spec_of(of.experiment), on_part)
        while len(_made) >= KEPT:
            _made.pop(next(iter(_made)), None)
        _made[key] = found
    return _made[key]


def _computed(spec: GridSpec, on_part: OnPart) -> SceneMap:
    tally, jobs, points = Tally(spec), list(spec.jobs()), []

    for done, job in enumerate(jobs):

        def is_cancelled(done: int = done) -> bool:
            on_part(done, len(jobs))  # raises CancelledError
            return False

        is_cancelled()
        point = compute(job.experiment, is_cancelled, key=job.key).placed(job.site.x, job.site.y)
        tally.add(point)
        points.append(point)
    ran = [point for point in points if point.status != FAILED]
    within = [point for point in ran if point.horizon_before >= (point.x if spec.y is None else point.y)]
    beyond = [point for point in ran if point.horizon_before < (point.x if spec.y is None else point.y)]
    return SceneMap(tally.chart(), _share(within), _share(beyond), _share(ran))


def _share(points: Sequence[Point]) -> float | None:
    return sum(point.learnt for point in points) / len(points) if points else None


def _cost(scene: Scene, of: Measure) -> int:
    """Multiplications, roughly; next to none where it is known."""
    is_known = of.experiment is None or (of.experiment, engine.current().name) in _made
    return 0 if is_known else 10**9


PREPARATIONS["map"] = Preparation(_make, _cost, "training the networks of the map", "networks")
