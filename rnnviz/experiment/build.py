"""Build the parts of an Experiment: task, model, training, and the trace of one sequence."""

from __future__ import annotations

from rnnviz import tasks
from rnnviz.errors import InputError
from rnnviz.experiment import applicability, cost, own_data
from rnnviz.experiment.ablation import without_loop
from rnnviz.experiment.applicability import ATTENTION, BOTH_WAYS
from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.nn import Data, Model, Optimizer, Trace, Training, engine
from rnnviz.nn.carry import Carried, chain, in_order, of_part
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.directions import BACKWARD, FORWARD
from rnnviz.tasks import Task, catalog
from rnnviz.tasks.own.decisions import NAMES as DECISIONS
from rnnviz.tasks.padding import packed_data, packed_steps
from rnnviz.tasks.reversed import FromTheEnd, from_the_end


def resolved(experiment: Experiment) -> Experiment:
    """The experiment with its open settings taken from the task: seq_len, lag, samples and loss_at."""
    info = catalog.info(experiment.task)
    for setting, why in BOTH_WAYS.items() if experiment.bidirectional else ():
        if getattr(experiment, setting) != SETTINGS[setting].default:
            raise InputError(f"{setting}: {why}; switch one of the two off")
    if experiment.readout != "linear" and experiment.truncate is not None:
        raise InputError(f"truncate: {ATTENTION['truncate']}; switch one of the two off")
    if experiment.bidirectional and experiment.mask == "copy":  # at step T the backward direction has read nothing yet
        raise InputError("mask: the backward direction begins at a sequence's own end; choose mask packed")
    if experiment.bidirectional and CELLS[experiment.cell].is_own:
        raise InputError(f"bidirectional: {CELLS[experiment.cell].noun} reads forward only; switch it off")
    for setting in ("samples", "source", "data", "shortest", *DECISIONS):
        catalog.accepts(experiment.task, setting, getattr(experiment, setting))
    if experiment.truncate is not None and experiment.mask == "copy":
        raise InputError("truncate: masked sequences are trained packed, from their own first step; choose mask packed")
    if experiment.carry and (reason := applicability.carry(experiment)) is not None:
        raise InputError(f"carry: {reason}; leave it out")
    seq_len, lag = catalog.dimensions(experiment.task, experiment.seq_len, experiment.lag)
    loss_at = info.loss_at
    if experiment.task in catalog.OWN:
        seq_len, loss_at = own_data.steps(experiment), own_data.loss_at(experiment)
    return experiment.with_(
        seq_len=seq_len,
        lag=lag if "lag" in info.uses else None,
        samples=info.samples if experiment.samples is None else experiment.samples,
        loss_at=loss_at if experiment.loss_at is None else experiment.loss_at,
    )


def build_task(experiment: Experiment) -> Task:
    """Build the sequences. Raises InputError, with a remedy, for settings that conflict, or that need too much memory
    together with their network; nothing is built then."""
    cost.fit(experiment, trains=False)
    return tasks.build(
        experiment.task,
        seq_len=experiment.seq_len,
        points=experiment.points,
        noise=experiment.noise,
        lag=experiment.lag,
        samples=experiment.samples,
        seed=experiment.seed,
        validation_split=experiment.validation_split,
        source=experiment.source,
        data=experiment.data,
        decisions=own_data.decisions(experiment),
        loss_at=experiment.loss_steps() or "auto",
        shortest=experiment.shortest,
        padding=experiment.padding,
        mask=experiment.mask,
        rows=experiment.batch_size if experiment.carry else None,
    )


def build_model(experiment: Experiment, task: Task) -> Model:
    """The untrained network, with the task's input and output sizes."""
    model = Model.create(
        cell=experiment.cell,
        input_size=task.input_size,
        hidden_size=experiment.hidden_size,
        output_size=task.output_size,
        num_layers=experiment.num_layers,
        activation=experiment.activation,
        init=experiment.init,
        gain=experiment.gain,
        spectral_radius=experiment.spectral_radius,
        forget_bias=experiment.forget_bias,
        max_lag=max(2, task.lag or task.seq_len),
        biases=experiment.biases,
        dtype=experiment.dtype,
        seed=experiment.seed,
        bidirectional=experiment.bidirectional,
        readout=experiment.readout,
    )
    return model if experiment.loop else without_loop(model)


def build_optimizer(experiment: Experiment) -> Optimizer:
    return Optimizer(
        name=experiment.optimizer,
        learning_rate=experiment.learning_rate,
        momentum=experiment.momentum,
        clip_norm=experiment.clip_norm,
        clip_each=experiment.clip_each,
        clip_value=experiment.clip_value,
        convention=experiment.convention,
        epsilon=experiment.epsilon,
    )


def build_training(experiment: Experiment, model: Model, task: Task) -> Training:
    """The training run: the first `task.n_train` sequences are for training, the rest for validation."""
    read = packed_steps(task) if experiment.bidirectional else None
    data = Data(*packed_data(task), task.loss, task.previous, read)
    validation = data.select(slice(task.n_train, None)) if task.n_train < len(task) else None
    return Training(
        model,
        data.select(slice(task.n_train)),
        validation,
        build_optimizer(experiment),
        batch_size=experiment.batch_size,
        shuffle=experiment.shuffle,
        seed=experiment.seed,
        truncate=experiment.truncation(),
        loop=experiment.loop or bool(model.spec.about_cell.fixed_loop),
    )


def task_in_view(experiment: Experiment, task: Task) -> Task:
    """The sequences in the order in which the direction reads them that is shown."""
    is_backward = experiment.bidirectional and experiment.view_direction == BACKWARD
    return from_the_end(task) if is_backward else task


def trace_of(model: Model, task: Task, sample: int = 0, start: Carried | None = None) -> Trace:
    """The trace of one sequence, with the padding that the network goes through. start: the states that it begins from,
    where they are known; else those after the sequences that it continues, read by this model. Of a bidirectional
    model it is that of one direction: the backward one, if the task is read from the end (tasks/reversed.py)."""
    direction = FORWARD
    if isinstance(task, FromTheEnd):
        task, direction = task.of, BACKWARD
    if not 0 <= sample < len(task):
        raise InputError(f"sample: {sample} is not one of the {len(task)} sequences; choose 0 to {len(task) - 1}")
    steps, read = int(task.lengths[sample]), task.read_steps(sample)
    start = start_of(model, task, sample) if start is None else start
    return model.trace(
        task.x[sample, :steps, None],
        task.targets[sample, :steps, None],
        loss=task.loss,
        loss_at=task.loss_mask[sample, :steps, None],
        mask=None if read is None else read[0, :steps, None],
        h0=None if start is None else start.h,
        c0=None if start is None else start.c,
        direction=direction,
    )


def start_of(model: Model, task: Task, sample: int) -> Carried | None:
    """The states (L, 1, H) in float64 that a sequence begins from with this model: those after what it continues. None:
    zeros."""
    if task.previous is None or task.previous[sample] < 0:
        return None
    exact, whole = model.in_float64, task.original or task
    before = chain(task.previous, task.previous[sample])
    links = of_part(task.previous, before)
    for _, run in in_order(exact.spec, exact.params, whole.x[before], links, engine.current()):
        last = run
    return Carried.after(last)
