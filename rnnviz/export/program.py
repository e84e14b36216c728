"""What a program in either framework has: the model's sizes, the data, the losses, and notes on differences."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rnnviz.experiment.cost import spec_of
from rnnviz.experiment.experiment import Experiment
from rnnviz.glyphs import one_line
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.optimizer import CONVENTIONS
from rnnviz.tasks import Task
from rnnviz.tasks.own.decisions import NAMES as DECISIONS

_OTHER = {"PyTorch": "Keras", "Keras": "PyTorch"}


class Program:
    """The parts that both programs share. `experiment` is a resolved one, without open settings."""

    framework = ""

    def __init__(self, experiment: Experiment, task: Task) -> None:
        self.e, self.task = experiment, task
        self.cell = CELLS[experiment.cell]
        self.gates = len(self.cell.blocks)
        self.T = int(task.seq_len)
        self.spec = spec_of(experiment, task.input_size, task.output_size)
        self.steps = self._loss_steps()

    @property
    def dimensions(self) -> str:
        return f"{self.T}, {self.task.input_size}, {self.e.hidden_size}, {self.task.output_size}"

    @property
    def loops(self) -> bool:
        """Whether the loop is closed; always true for a cell whose loop cannot be cut."""
        return self.e.loop or bool(self.cell.fixed_loop)

    def diagonal_start(self, start: Mapping[str, str]) -> str:
        """The statement that draws weight_hh of a diagonal recurrence; "" where the initialiser draws it as any other
        weight, and for other cells."""
        return start.get(self.e.init, start.get("", ""))

    def _loss_steps(self) -> tuple[int, ...] | str:
        """ "every", "last" (of each sequence's own length), or steps counted from 0."""
        mask = self.task.loss_mask
        if (mask.sum(axis=1) == 1).all() and mask[np.arange(len(mask)), self.task.lengths - 1].all():
            return "last"
        chosen = np.flatnonzero(mask.any(axis=0))
        return "every" if len(chosen) == self.T else tuple(int(k) for k in chosen)

    def program(self) -> str:
        parts = [self.heading(), self.sizes(), self.data(), self.model(), self.start(), self.training()]
        return "\n".join(line.rstrip() for part in parts if part for line in [*part.splitlines(), ""])

    def heading(self) -> str:
        e, layers = self.e, f", {self.e.num_layers} layers" if self.e.num_layers > 1 else ""
        what = f"{self.cell.described(e.activation)}, {e.hidden_size} units{layers}, {one_line(self.task.title)}"
        return f"# {what}: the model that rnnviz shows, in {self.framework}.{self.about_truncation()}"

    def about_truncation(self) -> str:
        """A second line for the heading: whether the program truncates back-propagation as the experiment does."""
        return ""

    def sizes(self) -> str:
        raise NotImplementedError

    def model(self) -> str:
        raise NotImplementedError

    def start(self) -> str:
        raise NotImplementedError

    def training(self) -> str:
        raise NotImplementedError

    # -- the data, in NumPy, sample-major -------------------------------------------------------------

    def data(self) -> str:
        """x (N, T, I) and targets y for the steps that carry loss."""
        e, task = self.e, self.task
        if task.has_own_data:
            lines = self._own_data()
        elif task.series is not None:
            windows = "starts" if e.carry else f"range({e.points} - T)"
            lines = [
                f"rng = np.random.default_rng([{e.seed}, {zlib.crc32(b'sine')}])  # the same points as in rnnviz",
                f"series = np.sin(np.linspace(-2 * np.pi, 2 * np.pi, {e.points}))",
                f"series += {e.noise!r} * rng.standard_normal({e.points})",
                *self._starts(),
                f"x = np.stack([series[i : i + T] for i in {windows}])[..., None]",
                f"y = np.stack([series[i + 1 : i + T + 1] for i in {windows}])[..., None]",
            ]
        else:
            N = len(task)
            target = (
                f"y = rng.standard_normal(({N}, T, O))" if task.loss == "mse" else f"y = rng.integers(0, O, ({N}, T))"
            )
            lines = [
                f"# {one_line(task.title)}: replace this random data of the same shape by your sequences",
                *(["# in the order of time: each continues the one before it"] if e.carry else []),
                f"rng = np.random.default_rng({e.seed})",
                f"x = rng.standard_normal(({N}, T, I))",
                target,
            ]
        if self.steps == "last":
            lines.append("y = y[:, -1]  # only the last step carries loss")
        elif self.steps != "every":
            lines += [f"steps = {list(self.steps)}  # the steps that carry loss, from 0", "y = y[:, steps]"]
        return "\n".join(lines)

    @property
    def rows(self) -> int:
        """Rows of a batch, with carried state; the sequences to train on fill them."""
        return min(self.e.batch_size, self.task.n_train)

    def _starts(self) -> list[str]:
        """With carried state: where the windows of the series begin, end to end; those to validate with last."""
        task, n = self.task, self.task.n_train
        if not self.e.carry or task.ends is None:
            return []
        later = f", *range({int(task.ends[n]) - self.T}, {self.e.points} - T, T)" if n < len(task) else ""
        return [f"starts = [*range(0, {n} * T, T){later}]  # each window continues the one before it"]

    def _own_data(self) -> list[str]:
        """The same file, read by rnnviz itself with the same decisions."""
        e = self.e
        chosen = ", ".join(f"{name}={value!r}" for name in DECISIONS if (value := getattr(e, name)) is not None)
        data = str(Path(e.data or "").expanduser().absolute())
        rows = f" rows={e.batch_size}," if e.carry else ""
        amount = "" if e.samples is None else f" samples={e.samples},"
        return [
            "from rnnviz import tasks  # reads the file in the same way: the same sequences, in the same order",
            "from rnnviz.tasks.own import Decisions",
            "",
            "task = tasks.build(",
            f"    {e.task!r}, data={data!r}, decisions=Decisions({chosen}), seq_len=T,{amount}",
            f"    seed={e.seed}, validation_split={e.validation_split!r}, loss_at={e.loss_steps()!r},{rows}",
            ")",
            "x, y = task.x, task.targets",
        ]

    def notes(self) -> list[str]:
        """Comments on the differences between this program and the training in rnnviz."""
        notes = []
        if self.e.convention != self.framework.lower() and self.e.optimizer != "sgd":
            notes.append(f"# rnnviz adds epsilon where {_OTHER[self.framework]} does (--convention)")
        if self.task.series is None and len(set(self.task.lengths.tolist())) > 1:
            notes.append("# in rnnviz the sequences differ in length; here each has T steps")
        return notes

    def constants(self, alpha: str, epsilon: str) -> str:
        """The arguments that give the framework's Adam or RMSprop the alpha and epsilon of rnnviz."""
        usual, ours = CONVENTIONS[self.framework.lower()], CONVENTIONS[self.e.convention]
        arguments = f", {alpha}={ours.alpha!r}" if self.e.optimizer == "rmsprop" and ours.alpha != usual.alpha else ""
        value = ours.epsilon if self.e.epsilon is None else self.e.epsilon
        return arguments + (f", {epsilon}={value!r}" if value != usual.epsilon else "")


def gate_biases(e: Experiment, task: Task, drawn: str) -> dict[str, str]:
    """gate -> the program's expression for its initial bias; `log_tau` -> the expression that draws it, for chrono."""
    chosen: dict[str, str] = {}
    cell = CELLS[e.cell]
    if e.init == "chrono" and cell.chrono:
        chosen["log_tau"] = drawn.format(most=max(2, task.lag or task.seq_len) - 1)
        chosen |= {gate: "log_tau" if sign > 0 else "-log_tau" for gate, sign in cell.chrono.items()}
    elif cell.remembers and e.init in ("keras", "orthogonal"):
        chosen[cell.remembers] = "1.0"
    if cell.remembers and e.forget_bias is not None:
        chosen[cell.remembers] = repr(e.forget_bias)
    return chosen
