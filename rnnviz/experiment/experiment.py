"""Experiment: everything that determines a run. The same Experiment always gives the same numbers.

    >>> Experiment(hidden_size=32, seed=7).to_toml()
    'hidden_size = 32\\nseed = 7\\n'

It is frozen, knows nothing of numpy or a terminal, and is read from and written to TOML. Each field
carries its own help, choices and limits in its metadata; the command line's flags, the TOML reader and the
app's knobs are all made from that one description.
"""

from __future__ import annotations

import errno
import math
import sys
from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from numbers import Number
from pathlib import Path
from typing import Any

from rnnviz import files
from rnnviz.errors import InputError, shown

CELLS = ("rnn", "lstm", "gru")
ACTIVATIONS = ("tanh", "relu", "identity", "sigmoid")
INITIALISERS = ("keras", "pytorch", "identity", "orthogonal", "chrono")
OPTIMIZERS = ("sgd", "adam", "rmsprop")
CONVENTIONS = ("pytorch", "keras")
STEP_LISTS = ("loss_at", "truncate")  # a list of whole numbers is kept as the text "3,7"
TASKS = ("sine", "recall", "adding", "copying", "names", "characters", "captions")


LARGEST_FILE = 100_000  # bytes of an experiment file; all settings with their comments take a few thousand


def setting(
    default: Any,
    help: str,
    *,
    kind: type,
    flag: str | None = None,
    choices: tuple[str, ...] | None = None,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> Any:
    """A field of Experiment. `low` and `high` are allowed; `above` and `below` are not. A default of
    None makes the field optional: it is then left to the task or the initialiser."""
    meta = dict(help=help, kind=kind, flag=flag, choices=choices, low=low, high=high, above=above, below=below)
    return field(default=default, metadata=meta)


@dataclass(frozen=True)
class Experiment:
    """What to run. The defaults are the Keras recipe: a noisy sine, SimpleRNN(20), 461 parameters.

    loss_at and truncate may be given as lists of whole numbers too, [3, 7] for "3,7". Raises InputError, in one
    line that begins with the field's name, for a value that is not one.
    """

    task: str = setting("sine", "what the network is asked to learn", kind=str, choices=TASKS)
    cell: str = setting("rnn", "recurrent unit", kind=str, choices=CELLS)
    hidden_size: int = setting(20, "units in the hidden state", kind=int, flag="--hidden", low=1, high=2048)
    num_layers: int = setting(1, "recurrent layers on top of each other", kind=int, flag="--layers", low=1, high=8)
    activation: str = setting("tanh", "activation of the simple RNN", kind=str, choices=ACTIVATIONS)
    init: str = setting("keras", "initialiser of the weights", kind=str, choices=INITIALISERS)
    gain: float = setting(1.0, "multiplies the initial recurrent weights", kind=float, low=0.0, high=100.0)
    spectral_radius: float | None = setting(
        None, "rescale the initial recurrent weights to this spectral radius", kind=float, low=0.0, high=100.0
    )
    forget_bias: float | None = setting(None, "initial forget-gate bias of an LSTM", kind=float, low=-100.0, high=100.0)
    loop: bool = setting(
        True, "the loop; off: W_hh is 0 and training leaves it 0, so h is a layer without a past", kind=bool
    )
    biases: int = setting(
        1, "bias vectors per layer: 1 as Keras, 2 as PyTorch (a GRU always has 2)", kind=int, low=1, high=2
    )
    seq_len: int | None = setting(
        None, "time steps in one sequence (the window of the sine)", kind=int, flag="--steps", low=1, high=10_000
    )
    lag: int | None = setting(None, "how many steps the task must remember", kind=int, low=1, high=10_000)
    points: int = setting(50, "points of the sine", kind=int, low=2, high=1_000_000)
    noise: float = setting(0.1, "standard deviation of the noise on the sine", kind=float, low=0.0, high=100.0)
    samples: int | None = setting(
        None, "sequences in the data set (not for the sine, whose windows are counted)", kind=int, low=2, high=1_000_000
    )
    source: str | None = setting(
        None, "text file (UTF-8) for the task 'characters'; in an experiment file, relative to that file", kind=str
    )
    loss_at: str | None = setting(None, "which steps carry loss: every, last, or step numbers like 3,7", kind=str)
    batch_size: int = setting(8, "sequences per batch", kind=int, flag="--batch", low=1, high=1_000_000)
    epochs: int = setting(20, "passes over the training data", kind=int, low=0, high=1_000_000)
    optimizer: str = setting("sgd", "update rule", kind=str, choices=OPTIMIZERS)
    learning_rate: float = setting(0.01, "step size of the update", kind=float, flag="--lr", above=0.0)
    convention: str = setting(
        "pytorch", "whose formulas for adam, rmsprop and the clip norms", kind=str, choices=CONVENTIONS
    )
    epsilon: float | None = setting(
        None, "of adam and rmsprop (default: the convention's, 1e-8 in PyTorch, 1e-7 in Keras)", kind=float, above=0.0
    )
    momentum: float = setting(0.0, "momentum of SGD", kind=float, low=0.0, below=1.0)
    clip_norm: float | None = setting(
        None,
        "clip the norm of all weights' gradient (PyTorch's clip_grad_norm_, Keras' global_clipnorm)",
        kind=float, above=0.0,
    )  # fmt: skip
    clip_each: float | None = setting(
        None, "clip the gradient of each weight array to this norm, its own (Keras' clipnorm)", kind=float, above=0.0
    )
    clip_value: float | None = setting(None, "clip each element of the gradient to ± this", kind=float, above=0.0)
    truncate: str | None = setting(None, "truncated back-propagation: k1,k2 (every k1 steps, k2 steps back)", kind=str)
    validation_split: float = setting(
        0.1, "share of the sequences kept for validation (the last ones)", kind=float, low=0.0, below=1.0
    )
    shuffle: bool = setting(True, "shuffle the training sequences each epoch", kind=bool)
    dtype: str = setting("float64", "precision", kind=str, choices=("float64", "float32"))
    seed: int = setting(0, "seed of weights, data and batch order", kind=int, low=0, high=2**32 - 1)

    def __post_init__(self) -> None:
        for f in fields(self):
            object.__setattr__(self, f.name, checked(f, getattr(self, f.name)))
        self.loss_steps()
        self.truncation()

    # -- what a few fields mean, spelled out ---------------------------------------------------------

    def loss_steps(self) -> str | tuple[int, ...] | None:
        """`loss_at` as "every", "last", a tuple of 1-based steps, or None (the task's own choice)."""
        text = self.loss_at
        if text is None or text in ("every", "last"):
            return text
        steps = _whole_numbers(text)
        if not steps or min(steps) < 1 or (self.seq_len and max(steps) > self.seq_len):
            limit = f"1..{self.seq_len}" if self.seq_len else "1 and up"
            raise InputError(f"loss_at: {shown(text)} is not every, last, or step numbers {limit} like 3,7")
        return tuple(sorted(set(steps)))

    def truncation(self) -> tuple[int, int] | None:
        """`truncate` as (k1, k2), or None for full back-propagation through time."""
        if self.truncate is None:
            return None
        numbers = _whole_numbers(self.truncate)
        if len(numbers) != 2 or min(numbers) < 1 or numbers[1] < numbers[0]:
            raise InputError(f"truncate: {shown(self.truncate)} is not k1,k2 with 1 ≤ k1 ≤ k2, like 5,10")
        return numbers[0], numbers[1]

    # -- TOML ----------------------------------------------------------------------------------------

    def changes(self) -> dict[str, Any]:
        """The fields that differ from the defaults, in their order."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def to_toml(self) -> str:
        """Only what differs from the defaults, one `name = value` a line. A path is written in full, so that it is
        found from whatever folder the text is kept in."""
        changes = self.beside(Path.cwd()).changes()
        return "".join(f"{name} = {_toml_value(value)}\n" for name, value in changes.items())

    def beside(self, folder: str | Path) -> Experiment:
        """The same with its path, if that is relative, taken from `folder`."""
        if self.source is None:
            return self
        return replace(self, source=found_from(folder, self.source))

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], where: str = "experiment") -> Experiment:
        """Raises InputError naming the unknown field or the bad value, and `where` it stood."""
        known = {f.name for f in fields(cls)}
        for name in values:
            if name not in known:
                from difflib import get_close_matches

                close = get_close_matches(str(name), known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(known))}"
                raise InputError(f"{where}: unknown setting {shown(name)}; {hint}")
        try:
            return cls(**values)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None

    @classmethod
    def from_toml(cls, text: str, where: str = "experiment") -> Experiment:
        import tomllib

        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{where}: not valid TOML: {error}") from None
        except RecursionError:
            raise InputError(f"{where}: not an experiment: lists in lists without end") from None
        except ValueError:  # Python reads whole numbers of up to 4,300 digits
            raise InputError(f"{where}: not an experiment: it has a number of thousands of digits") from None
        return cls.from_mapping(values, where)

    @classmethod
    def from_file(cls, path: str | Path) -> Experiment:
        """A path in it is relative to the file's own folder. Raises InputError for what cannot be read, is no text, or
        is too long to be an experiment."""
        try:
            content = files.read(path, LARGEST_FILE)
        except OSError as error:
            if error.errno == errno.EFBIG:
                too_long = f"is too long for an experiment; it has at most {LARGEST_FILE:,} bytes"
                raise _no_experiment(path, too_long) from None
            raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
        try:
            text = content.decode("utf-8-sig")  # some editors begin a file with a mark
        except UnicodeDecodeError:
            raise _no_experiment(path, "is not UTF-8 text; an experiment is a TOML file") from None
        try:
            return cls.from_toml(text.replace("\r\n", "\n"), str(path)).beside(Path(path).parent.resolve())
        except InputError as error:
            reason = str(error).removeprefix(f"{path}: ")
            if Path(path).suffix.lower() == ".toml" or not reason.startswith("not valid TOML"):
                raise
            raise _no_experiment(path, reason) from None

    def with_(self, **changes: Any) -> Experiment:
        return replace(self, **changes)


def _no_experiment(path: str | Path, reason: str) -> InputError:
    from rnnviz.tasks.own_files import no_experiment

    return InputError(no_experiment(path, reason))


def found_from(folder: str | Path, path: str) -> str:
    """A path that is written in a file of `folder`, in full. `~` is the home of whoever reads it, and stays."""
    return path if path.startswith("~") else str(Path(folder).absolute() / path)


def checked(f: Field[Any], value: Any) -> Any:
    """`value` as field `f` keeps it; raises InputError if it is not one."""
    m = f.metadata
    kind: Any = m["kind"]
    if value is None:
        if f.default is None:
            return None
        raise InputError(f"{f.name}: needs a value")
    if f.name in STEP_LISTS and isinstance(value, list | tuple):
        value = ",".join(map(shown, value))
    if isinstance(value, Number) and hasattr(value, "item"):  # NumPy's numbers as Python's
        value = value.item()
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) <= sys.float_info.max else math.inf
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError(f"{f.name}: {shown(value)} is not {_KIND_NAMES[kind]}")
    if m["choices"] and value not in m["choices"]:
        raise InputError(f"{f.name}: {shown(value)} is unknown; choose from {', '.join(m['choices'])}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{f.name}: {value} is not a finite number")
        wrong = (
            (m["low"] is not None and value < m["low"])
            or (m["high"] is not None and value > m["high"])
            or (m["above"] is not None and value <= m["above"])
            or (m["below"] is not None and value >= m["below"])
        )
        if wrong:
            told = f"{value:g}" if isinstance(value, float) else shown(value)
            raise InputError(f"{f.name}: {told} is out of range; it must be {limits(f)}")
    return value


def limits(f: Field[Any]) -> str:
    """The range of a numeric field in words: `at least 1 and at most 2048`."""
    m = f.metadata
    words = {"low": "at least", "above": "more than", "high": "at most", "below": "less than"}
    return " and ".join(f"{word} {_number(m[key])}" for key, word in words.items() if m[key] is not None)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


_KIND_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def _whole_numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        return []


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        escaped = "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped)
        return f'"{escaped}"'
    return repr(value)
