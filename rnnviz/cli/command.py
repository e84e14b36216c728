"""A command of the command line as one record, its arguments, and the options read from a command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.experiment.experiment import Experiment
from rnnviz.player.kinds.opening import NetworkOpening, Opening


@dataclass(frozen=True)
class Argument:
    """One flag (`--sample`) or positional argument (`slug`) of a command.

    read     converts the text to the value; raises InputError
    default  the value if the argument is missing
    more     more keyword arguments for argparse's add_argument
    """

    name: str
    help: str
    metavar: str | None = None
    read: Callable[[Any], Any] = lambda given: given
    default: Any = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.name.lstrip("-").replace("-", "_")


@dataclass(frozen=True)
class Options:
    """A parsed command line: an experiment for each cell in `--cell`, or a recording, or a file of weights, and the
    command's arguments by their keys."""

    experiments: tuple[Experiment, ...]
    values: Mapping[str, Any]
    recording: Opening | None = None
    network: NetworkOpening | None = None

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


@dataclass(frozen=True)
class Command:
    """One command; its module's `run(options)` returns the exit code.

    about             its line in the list of commands
    description       what its --help begins with
    run               "module:function"; imported when the command is used
    has_experiment    whether it accepts an experiment file and a flag for each setting
    several           whether --cell may name several cells
    opens_recordings  whether it accepts the folder of a recording, or a file of weights, in place of an experiment
    opens_lessons     whether it opens lessons where nothing else is named, or one by its slug or number
    passes_on         whether it starts the app: what it does not know itself is the app's; options["words"], and as
                      the app reads them options["app"]
    actions           first words that are no experiment file; options["action"] is the one that was given, or None
    """

    name: str
    about: str
    usage: str
    description: str
    run: str
    arguments: tuple[Argument, ...] = ()
    examples: tuple[str, ...] = ()
    has_experiment: bool = True
    several: bool = True
    opens_recordings: bool = False
    opens_lessons: bool = False
    passes_on: bool = False
    actions: tuple[str, ...] = ()

    def __call__(self, options: Options) -> int:
        module, _, function = self.run.partition(":")
        return int(getattr(import_module(module), function)(options) or 0)


def whole_number(key: str) -> Callable[[str], int]:
    """A reader for a whole number of at least 0; key: its name in an error."""

    def read(text: str) -> int:
        if number(text) < 0:
            raise InputError(f"{key}: {short_repr(text)} is not a whole number of at least 0")
        return number(text)

    return read


def number(text: str) -> int:
    """The text as a whole number of at least 0; -1 if it is not one. Python itself refuses more than 4,300 digits."""
    return int(text) if text.isdecimal() and len(text) <= 20 else -1


def as_json(help: str) -> Argument:
    """The flag that asks for one JSON object in place of text. help: the names in it."""
    return Argument("--json", f"print one JSON object instead: {help}", default=False, more={"action": "store_true"})
