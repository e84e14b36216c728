"""Experiment: everything that determines a run. The same Experiment always gives the same numbers.

    >>> Experiment(hidden_size=32, seed=7).to_toml()
    'hidden_size = 32\\nseed = 7\\n'

It is frozen, needs neither numpy nor a terminal, and can be read from and written to TOML. Each field carries its
Setting in its metadata (setting.py): the command line's flags, the TOML reader, the app's knobs, the lessons and
their checker all use this one record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.experiment import applicability, step_lists
from rnnviz.experiment.experiment_file import PATHS, as_toml, found_from, in_folder, no_experiment, parsed, read_text
from rnnviz.experiment.setting import GROUPS, Setting, meant, setting
from rnnviz.experiment.steps import COUNTS, GAINS, LENGTHS, SMALL, per_decade
from rnnviz.glyphs import cut
from rnnviz.nn.cell_table import NAMES
from rnnviz.nn.directions import DIRECTIONS
from rnnviz.nn.spec import ACTIVATIONS, CONVENTIONS, INITIALISERS, OPTIMIZERS, READOUTS
from rnnviz.tasks import catalog
from rnnviz.tasks.own.decisions import MISSING

TASKS = catalog.NAMES


def _decision(help: str, label: str, *, kind: type = str, **facts: Any) -> Any:
    """A setting of a person's own data. Open: what the file shows decides."""
    if kind is str and "choices" not in facts:
        facts["format"] = facts.get("format", "a column")
    return setting(
        None, help, kind=kind, label=label, group="data", open="auto", of_task=True,
        why_not=applicability.own_data, **facts,
    )  # fmt: skip


@dataclass(frozen=True)
class Experiment:
    """What to run. The defaults are the Keras recipe: a noisy sine, SimpleRNN(20), 461 parameters.

    loss_at and truncate may also be lists of whole numbers, [3, 7] for "3,7". Raises InputError, in one line that
    begins with the field's name, for a wrong value.
    """

    task: str = setting(
        "sine", "what the network learns", kind=str, label="task", group="task",
        choices=(*TASKS, *catalog.OWN), steps=TASKS,
    )  # fmt: skip
    seq_len: int | None = setting(
        None, "time steps in one sequence (the window of the sine)", kind=int, label="sequence length", group="task",
        flag="--steps", low=1, high=10_000, steps=LENGTHS, open="auto", of_task=True,
    )  # fmt: skip
    lag: int | None = setting(
        None, "steps from the farthest input to the answer that needs it", kind=int, label="lag", group="task",
        low=1, high=10_000, steps=LENGTHS, open="auto", of_task=True, why_not=applicability.lag,
    )  # fmt: skip
    loss_at: str | None = setting(
        None,
        "steps that carry loss: every, last, or step numbers such as 3,7",
        kind=str, label="loss position", group="task",
        steps=("every", "last"), open="auto", of_task=True, is_list=True, format="every, last, 3,7",
    )  # fmt: skip
    shortest: int | None = setting(
        None, "steps of the shortest sequences; the longest have the sequence length", kind=int,
        label="shortest", group="task", low=1, high=10_000, steps=LENGTHS, open="all equal", of_task=True,
        why_not=applicability.shortest,
    )  # fmt: skip
    mask: str = setting(
        "packed", "short sequences: packed (unpadded), copy (padding keeps h), none (it is read)",
        kind=str, label="mask", group="task", choices=catalog.MASKS, why_not=applicability.mask,
    )  # fmt: skip
    padding: str = setting(
        "after", "where padded steps are: after the sequence or before it", kind=str, label="padding", group="task",
        choices=catalog.PADDINGS, why_not=applicability.padding,
    )  # fmt: skip
    noise: float = setting(
        0.1, "standard deviation of the noise in the data", kind=float, label="noise", group="task",
        low=0.0, high=100.0, steps=(0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0), why_not=applicability.noise,
    )  # fmt: skip
    points: int = setting(
        50, "points of the sine", kind=int, label="points", group="task",
        low=2, high=1_000_000, steps=(12, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000),
        why_not=applicability.points,
    )  # fmt: skip
    samples: int | None = setting(
        None,
        "sequences in the data set (not for the sine: all its windows are used)",
        kind=int, label="sequences", group="task",
        low=2, high=1_000_000, steps=COUNTS, open="auto", of_task=True, why_not=applicability.samples,
    )  # fmt: skip
    source: str | None = setting(
        None,
        "text file (UTF-8) for 'characters'; in an experiment file, relative to that",
        kind=str, label="text file", group="task",
        open="built in", of_task=True, format="", why_not=applicability.source,
    )  # fmt: skip
    data: str | None = setting(
        None,
        "your data: CSV, .npz, text, lines of text<TAB>label, folder: a file per class",
        kind=str, label="data", group="data", open="none", of_task=True,
        format="a file or folder", metavar="FILE",
        why_not=applicability.own_data,
    )  # fmt: skip
    target: str | None = _decision(
        "column whose next value is predicted (default: every column that is read)", "target", metavar="COLUMN",
    )  # fmt: skip
    columns: str | None = _decision(
        "columns that the network reads, by name or number (default: all with numbers)", "columns", metavar="A,B",
        format="columns, such as 2,3",
    )  # fmt: skip
    label: str | None = _decision(
        "column of classes: each group of rows, or each row, is a sequence", "label", metavar="COLUMN",
    )  # fmt: skip
    group: str | None = _decision(
        "column that is the same in all rows of one sequence", "group", metavar="COLUMN",
    )  # fmt: skip
    standardize: bool | None = _decision(
        "scale each column by the training part's mean and deviation (default: tables)", "standardize",
        kind=bool, steps=(False, True),
    )  # fmt: skip
    missing: str | None = _decision(
        "what a missing value does (default: leave-out, the windows that hold one)", "missing values",
        choices=MISSING,
    )  # fmt: skip
    na: str | None = _decision(
        "cells that also mean a missing value, such as -1,999", "also missing", metavar="TEXT",
        format="cells, such as -1,999",
    )  # fmt: skip
    rows: int | None = _decision(
        "most rows that are read (default 10,000; of lines and groups more)", "rows",
        kind=int, low=2, high=10_000_000, steps=(100, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000),
    )  # fmt: skip
    delimiter: str | None = _decision(
        "character between two cells, or tab, or space", "delimiter", metavar="CHARACTER",
        format="a character, tab, space",
    )  # fmt: skip
    header: bool | None = _decision(
        "whether the first row holds names", "header", kind=bool, steps=(False, True),
    )  # fmt: skip
    decimal: str | None = _decision(
        "decimal point or comma", "decimal", choices=(".", ","),
    )  # fmt: skip
    dates: str | None = _decision(
        "column of dates; none: no column", "dates", metavar="COLUMN", format="a column",
    )  # fmt: skip
    cell: str = setting(
        "rnn", "recurrent unit", kind=str, label="cell", group="network",
        choices=NAMES, redraws=True,
    )  # fmt: skip
    hidden_size: int = setting(
        20, "units in the hidden state", kind=int, label="units", group="network",
        flag="--hidden", low=1, high=2048, steps=SMALL, redraws=True,
    )  # fmt: skip
    num_layers: int = setting(
        1, "stacked recurrent layers", kind=int, label="layers", group="network",
        flag="--layers", low=1, high=8, steps=tuple(range(1, 9)), redraws=True, why_not=applicability.layers,
    )  # fmt: skip
    bidirectional: bool = setting(
        False, "a second set of weights reads each sequence from its end", kind=bool, label="bidirectional",
        group="network", steps=(False, True), redraws=True, why_not=applicability.bidirectional,
    )  # fmt: skip
    view_direction: str = setting(
        "forward", "direction of a bidirectional layer that the score draws", kind=str, label="direction",
        group="network", choices=DIRECTIONS, why_not=applicability.view_direction,
    )  # fmt: skip
    activation: str = setting(
        "tanh", "activation of the simple RNN", kind=str, label="activation", group="network",
        choices=ACTIVATIONS, why_not=applicability.activation,
    )  # fmt: skip
    readout: str = setting(
        "linear", "the output reads h_t; with attention also a weighted sum of all states so far",
        kind=str, label="readout", group="network", choices=READOUTS, redraws=True, why_not=applicability.readout,
    )  # fmt: skip
    loop: bool = setting(
        True,
        "recurrent loop; off: W_hh stays 0, so h is a layer without memory",
        kind=bool, label="loop", group="network",
        steps=(False, True), why_not=applicability.recurrent,
    )  # fmt: skip
    init: str = setting(
        "keras", "initialiser of the weights", kind=str, label="initialiser", group="weights",
        choices=INITIALISERS, redraws=True, why_not=applicability.initialiser,
    )  # fmt: skip
    gain: float = setting(
        1.0, "factor for the initial recurrent weights", kind=float, label="recurrent gain", group="weights",
        low=0.0, high=100.0, steps=GAINS, why_not=applicability.recurrent,
    )  # fmt: skip
    spectral_radius: float | None = setting(
        None,
        "rescale the initial recurrent weights to this spectral radius",
        kind=float, label="spectral radius", group="weights",
        low=0.0, high=100.0, steps=GAINS[1:], open="not rescaled", why_not=applicability.recurrent,
    )  # fmt: skip
    forget_bias: float | None = setting(
        None, "initial forget-gate bias of an LSTM", kind=float, label="forget bias", group="weights",
        low=-100.0, high=100.0, steps=tuple(float(n) for n in range(-5, 11)), open="auto",
        why_not=applicability.forget_bias,
    )  # fmt: skip
    biases: int = setting(
        1,
        "bias vectors per layer: 1 as in Keras, 2 as in PyTorch (a GRU always has 2)",
        kind=int, label="bias vectors", group="weights",
        low=1, high=2, steps=(1, 2), why_not=applicability.biases,
    )  # fmt: skip
    seed: int = setting(
        0, "random seed of weights, data and batch order", kind=int, label="seed", group="weights",
        low=0, high=2**32 - 1, steps=tuple(range(1000)), redraws=True, format="0 and up",
    )  # fmt: skip
    optimizer: str = setting(
        "sgd", "update rule", kind=str, label="optimizer", group="training",
        choices=OPTIMIZERS,
    )  # fmt: skip
    learning_rate: float = setting(
        0.01, "step size of the update", kind=float, label="learning rate", group="training",
        flag="--lr", above=0.0, steps=per_decade(-5, 2),
    )  # fmt: skip
    momentum: float = setting(
        0.0, "momentum of SGD", kind=float, label="momentum", group="training",
        low=0.0, below=1.0, steps=(0.0, 0.5, 0.8, 0.9, 0.95, 0.99), why_not=applicability.momentum,
    )  # fmt: skip
    convention: str = setting(
        "pytorch",
        "PyTorch's or Keras's formulas for adam, rmsprop and the clip norms",
        kind=str, label="convention", group="training",
        choices=CONVENTIONS, why_not=applicability.convention,
    )  # fmt: skip
    epsilon: float | None = setting(
        None,
        "epsilon of adam and rmsprop (default: PyTorch's 1e-8 or Keras' 1e-7)",
        kind=float, label="epsilon", group="training",
        above=0.0, steps=per_decade(-10, -1), open="auto", why_not=applicability.epsilon,
    )  # fmt: skip
    clip_norm: float | None = setting(
        None,
        "clip the norm of the whole gradient (clip_grad_norm_, global_clipnorm)",
        kind=float, label="clip norm", group="training",
        above=0.0, steps=per_decade(-3, 2), open="off",
    )  # fmt: skip
    clip_each: float | None = setting(
        None,
        "clip the norm of each weight array's own gradient (Keras' clipnorm)",
        kind=float, label="clip each", group="training",
        above=0.0, steps=per_decade(-3, 2), open="off",
    )  # fmt: skip
    clip_value: float | None = setting(
        None, "clip each element of the gradient to ± this value", kind=float, label="clip value", group="training",
        above=0.0, steps=per_decade(-3, 2), open="off",
    )  # fmt: skip
    truncate: str | None = setting(
        None,
        "truncated back-propagation through time: k1,k2 (every k1 steps, k2 back)",
        kind=str, label="truncation", group="training",
        steps=("1,1", "1,5", "5,5", "5,10", "10,10", "10,20", "20,20"), open="off", is_list=True, format="k1,k2",
        why_not=applicability.truncate,
    )  # fmt: skip
    batch_size: int = setting(
        8, "sequences per batch", kind=int, label="batch size", group="training",
        flag="--batch", low=1, high=1_000_000, steps=tuple(2**n for n in range(11)),
    )  # fmt: skip
    epochs: int = setting(
        20, "passes over the training data", kind=int, label="epochs", group="training",
        low=0, high=1_000_000, steps=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
    )  # fmt: skip
    validation_split: float = setting(
        0.1,
        "share of the sequences for validation (the last ones)",
        kind=float, label="validation", group="training",
        low=0.0, below=1.0, steps=(0.0, 0.1, 0.2, 0.3, 0.5),
    )  # fmt: skip
    shuffle: bool = setting(
        True, "shuffle the training sequences each epoch", kind=bool, label="shuffle", group="training",
        steps=(False, True), why_not=applicability.shuffle,
    )  # fmt: skip
    carry: bool = setting(
        False, "each batch begins with the last state of the one before, which it continues",
        kind=bool, label="carry state", group="training", steps=(False, True), of_task=True,
        why_not=applicability.carry,
    )  # fmt: skip
    dtype: str = setting(
        "float64", "number format of the weights in training", kind=str, label="precision", group="training",
        choices=("float64", "float32"), why_not=applicability.precision,
    )  # fmt: skip

    def __post_init__(self) -> None:
        for name, one in SETTINGS.items():
            object.__setattr__(self, name, one.checked(getattr(self, name)))
        if self.data is not None and self.task in (TASKS[0], "characters"):
            self._choose_task(self.data)
        self.loss_steps()
        self.truncation()

    def _choose_task(self, data: str) -> None:
        """Set the task for the data: what is in the file decides, unless it is read as a text. A text is a `source`."""
        from rnnviz.tasks.own.kind import task_of

        task = "characters" if self.task == "characters" else task_of(data, self.label is not None)
        object.__setattr__(self, "task", task)
        if task == "characters":
            if self.source not in (None, data):
                raise InputError(f"source: {short_repr(self.source)} and the data {short_repr(data)}: give one of them")
            object.__setattr__(self, "source", data)
            object.__setattr__(self, "data", None)

    # -- fields as numbers ---------------------------------------------------------------------------

    def loss_steps(self) -> str | tuple[int, ...] | None:
        """`loss_at` as "every", "last", a tuple of 1-based steps, or None (the task's own choice)."""
        return step_lists.loss_steps(self.loss_at, self.seq_len)

    def truncation(self) -> tuple[int, int] | None:
        """`truncate` as (k1, k2), or None for full back-propagation through time."""
        return step_lists.truncation(self.truncate)

    # -- TOML ----------------------------------------------------------------------------------------

    def changes(self) -> dict[str, Any]:
        """The fields that differ from the defaults, in order."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}

    def differences(self, other: Experiment) -> tuple[Setting, ...]:
        """The settings whose value differs in `other`, in order."""
        return tuple(one for name, one in SETTINGS.items() if getattr(self, name) != getattr(other, name))

    def named(self, settings: Iterable[Setting]) -> tuple[str, ...]:
        """Labels and values of some settings, as the screen shows them: `recurrent gain 0.7`, `cell lstm`."""
        return tuple(f"{one.label} {one.show(getattr(self, one.name))}" for one in settings)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def to_toml(self) -> str:
        """The settings that differ from the defaults, one `name = value` per line. A path is written in full, so that
        the text works in any folder."""
        return as_toml(self.beside(Path.cwd()).changes())

    def beside(self, folder: str | Path) -> Experiment:
        """The same experiment with a relative path resolved from `folder`."""
        given = {name: getattr(self, name) for name in PATHS}
        paths: dict[str, Any] = {name: found_from(folder, path) for name, path in given.items() if path is not None}
        return replace(self, **paths) if paths else self

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], where: str = "experiment") -> Experiment:
        """Raises InputError, which names the unknown field or the bad value, and `where` it was found."""
        known = SETTINGS
        for name in values:
            if name not in known:
                close = meant(str(name), known)
                hint = f"did you mean {close}?" if close else f"known: {cut(', '.join(sorted(known)), 400)}"
                raise InputError(f"{where}: unknown setting {short_repr(name)}; {hint}")
        try:
            return cls(**values)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None

    @classmethod
    def from_toml(cls, text: str, where: str = "experiment", folder: str | Path | None = None) -> Experiment:
        """Read the text of an experiment file. folder: that of its relative paths, in place of the present one."""
        values = parsed(text, where)
        if folder is not None:
            values = in_folder(folder, values)
        return cls.from_mapping(values, where)

    @classmethod
    def from_file(cls, path: str | Path) -> Experiment:
        """Read an experiment file; a path in it is relative to the file's own folder. Raises InputError for a file that
        cannot be read, is not text, or is too long for an experiment."""
        text = read_text(path).replace("\r\n", "\n")
        try:
            return cls.from_toml(text, str(path), Path(path).parent.resolve())
        except InputError as error:
            reason = str(error).removeprefix(f"{path}: ")
            if Path(path).suffix.lower() == ".toml" or not reason.startswith("not valid TOML"):
                raise
            raise no_experiment(path, reason) from None

    def with_(self, **changes: Any) -> Experiment:
        return replace(self, **changes)


#: Every setting by its name, in the order of the fields.
SETTINGS: dict[str, Setting] = {f.name: replace(f.metadata["setting"], name=f.name) for f in fields(Experiment)}
#: The same in the order in which the knobs show them.
BY_GROUP = tuple(sorted(SETTINGS.values(), key=lambda one: GROUPS.index(one.group)))
#: Settings that belong to the task, with their defaults, which a change of the task restores.
OF_TASK = {name: one.default for name, one in SETTINGS.items() if one.of_task}


def in_labels(message: str) -> str:
    """The error message with the name of a setting at its beginning replaced by the setting's label on the screen."""
    name, colon, rest = message.partition(": ")
    return f"{SETTINGS[name].label}: {rest}" if colon and name in SETTINGS else message
