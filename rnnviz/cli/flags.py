"""The flags: made from the fields of Experiment, so that a setting has one name, one help and one range.

    >>> read(["--hidden", "32", "--cell", "rnn,lstm"], command="train").experiments[1].cell
    'lstm'

Free of numpy, numba and textual: help and a wrong flag answer at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from rnnviz.errors import LONGEST_SHOWN, InputError, shown
from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.experiment.setting import Setting
from rnnviz.tasks.catalog import CATALOG
from rnnviz.terminal import columns_of

COMMANDS = {
    "train": "train a network; print its layers, the loss curve and the fit",
    "gradients": "print the gradient of every time step as log bars",
    "lessons": "list the lessons of the course and how far you are; check lesson files",
    "lesson": "open one lesson",
    "play": "perform a lesson by itself, for a talk",
}
APP_NEEDS = 600_000_000  # bytes of address space: 450 MB and some for the numbers
ABOUT_LESSONS = ("lessons", "lesson", "play")

#: The settings' groups under a title each, in the order of the help.
_GROUPS = {"what it learns": ("task",), "the network": ("network", "weights"), "how it learns": ("training",)}

_USAGE = {
    None: "rnnviz [--lessons DIR]\n       rnnviz [FILE.toml] [flags]\n       rnnviz train [FILE.toml] [flags]\n"
    "       rnnviz gradients [FILE.toml] [flags]",
    "train": "rnnviz train [FILE.toml] [flags]",
    "gradients": "rnnviz gradients [FILE.toml] [flags]",
}
_ABOUT = {
    None: "See a recurrent neural network think and learn, one time step at a time, in your terminal.\n"
    "Without a command it opens the app: on the lessons, where you left them; with --free or any other flag\n"
    "on the plain score.",
    "train": "Train a network, without the app. The defaults are the Keras recipe: a noisy sine,\n"
    "SimpleRNN(20), Dense(1), 461 parameters, 20 epochs of SGD.",
    "gradients": "One forward and one backward pass, without the app: how much of the gradient of one\n"
    "step's loss is left at each time step before it.",
}
_JSON = {
    "train": "print one JSON object instead: experiment, parameters, history.loss, history.val_loss, "
    "prediction (the sine fed by itself; other tasks: the answers), targets, reach (how much of "
    "the last gradient arrives at the step its answer hangs on; whether the task is learnt, by its answers), "
    "notes (what of the data is left out). "
    "What is not finite is null. With several cells: a list of such objects",
    "gradients": "print one JSON object instead: experiment, loss_step, grad_norm (index = time step "
    "0..T), gain, slope and factor (per step), half_life, horizon, reach, notes. What is not finite or not defined is "
    "null. With several cells: a list of such objects",
}


@dataclass(frozen=True)
class Asked:
    """What a command line asks for. `experiments` has one entry per cell of `--cell`."""

    experiments: tuple[Experiment, ...]
    json: bool = False
    loss_step: int | str | None = None  # a step, "total", or None: the last that carries loss
    after_epochs: int = 0
    sample: int = 0
    free: bool = False  # the app opens on the plain score, not on the lessons
    lessons: str | None = None  # a folder of lessons to open in place of rnnviz' own


def flag_of(setting: Setting) -> str:
    return setting.flag or "--" + setting.name.replace("_", "-")


def in_flags(message: str) -> str:
    """An error that begins with a setting's name, beginning with its flag."""
    name, colon, rest = message.partition(": ")
    flags = {name: flag_of(setting) for name, setting in SETTINGS.items()}
    flags |= {"sample": "--sample", "loss_step": "--loss-step", "after_epochs": "--after-epochs"}
    return f"{flags[name]}: {rest}" if colon and name in flags else message


def read(argv: list[str], command: str | None = None) -> Asked:
    """The command line after the command's name. Raises InputError for what does not fit; `--help` prints and
    raises SystemExit(0)."""
    given = vars(_parser(command).parse_args(argv))
    word, file = given.pop("file", None), given.pop("experiment", None)
    if word is not None:
        if file is not None:
            raise InputError(f"two experiment files, {word} and {file}; give one")
        file = _file(word)
    if command is None:
        lessons, free = given.pop("lessons", None), given.pop("free", False)
        if lessons is not None and (free or file or given):
            raise InputError("--lessons: lessons bring their own experiment; leave the other flags out")
        return Asked(_experiments(given, file, command), free=bool(free or file or given), lessons=lessons)
    extra = {name: read(given.pop(name)) for name, read in _EXTRA.items() if name in given}
    return Asked(_experiments(given, file, command), **extra)


def _experiments(given: dict[str, Any], file: str | None, command: str | None) -> tuple[Experiment, ...]:
    """The experiment of the flags, over that of the file; one for each cell."""
    settings: dict[str, Any] = {}
    cells = ["rnn"]
    for name, setting in SETTINGS.items():
        if name == "cell" and name in given:
            cells = list(dict.fromkeys(setting.checked(cell.strip()) for cell in given["cell"].split(",")))
            settings["cell"] = cells[0]
        elif name in given:
            settings[name] = setting.checked(_typed(setting, given[name]))
    if len(cells) > 1 and command is None:
        raise InputError("cell: the app shows one cell at a time; rnnviz gradients compares several")
    base = (Experiment.from_file(file) if file else Experiment()).with_(**settings)
    return tuple(base.with_(cell=cell) for cell in cells) if len(cells) > 1 else (base,)


def _typed(setting: Setting, value: Any) -> Any:
    """The text of a flag as the setting's kind, or as it is where it is none (then `checked` says so)."""
    if setting.kind in (int, float):
        try:
            return setting.kind(value)
        except ValueError:
            return value
    return value


def _file(word: str) -> str:
    """A word that is no flag: an experiment file, or a slip."""
    if word in COMMANDS:
        raise InputError(f"the command comes first: rnnviz {word} …")
    with suppress(OSError):  # a name that is too long for a file
        if word.endswith(".toml") or Path(word).is_file():
            return word
    close = get_close_matches(word, COMMANDS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"commands: {', '.join(COMMANDS)}"
    raise InputError(f"{shown(word)} is neither a command nor an experiment file (.toml); {hint}")


def _number(text: str) -> int:
    """A whole number of at least 0, or -1 for what is none. Python itself gives up at 4,300 digits."""
    return int(text) if text.isdecimal() and len(text) <= 20 else -1


def _loss_step(text: str) -> int | str:
    if text == "total":
        return text
    if _number(text) < 1:
        raise InputError(f"loss_step: {shown(text)} is not a step (1 and up) or total")
    return _number(text)


def _whole(name: str) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if _number(text) < 0:
            raise InputError(f"{name}: {shown(text)} is not a whole number of at least 0")
        return _number(text)

    return convert


_EXTRA: dict[str, Callable[[Any], Any]] = {
    "json": bool,
    "loss_step": _loss_step,
    "after_epochs": _whole("after_epochs"),
    "sample": _whole("sample"),
}


class _Parser(argparse.ArgumentParser):
    """One clear line for an error, in place of the whole usage."""

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ").replace("ignored explicit argument", "takes no value, not")
        raise InputError(message)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        known, unknown = self.parse_known_args(args, namespace)
        if unknown:
            raise InputError(self._unknown(unknown[0]))
        return known

    def _unknown(self, word: str) -> str:
        known = [flag for flag in self._option_string_actions if flag.startswith("--")]
        if word in COMMANDS:
            return f"the command comes first: rnnviz {word} …"
        if not word.startswith("-"):
            return f"{shown(word)} is one word too many; --help lists the flags"
        close = get_close_matches(word.partition("=")[0], known, n=1)
        hint = f"did you mean {close[0]}?" if close else "--help lists them"
        return f"{word[:LONGEST_SHOWN]}: no such flag; {hint}"


def _parser(command: str | None) -> _Parser:
    parser = _Parser(
        prog="rnnviz" if command is None else f"rnnviz {command}",
        usage=_USAGE[command],
        description=_ABOUT[command],
        epilog=_epilog(command),
        formatter_class=_Layout,
        add_help=False,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    parser.__dict__["color"] = False  # Python 3.14 would colour the help; plain text reads well everywhere
    parser._positionals.title = "experiment"
    from_file = "start from the settings in this file; flags override them"
    parser.add_argument("file", nargs="?", default=None, metavar="FILE.toml", help=from_file)
    general = parser.add_argument_group("general")
    general.add_argument("--experiment", metavar="FILE", help="the same")
    if command is None:
        general.add_argument("--free", action="store_true", help="open the plain score, without lessons")
        general.add_argument("--lessons", metavar="DIR", help="open the lessons in this folder")
    if command:
        general.add_argument("--json", action="store_true", help=_JSON[command])
    if command == "gradients":
        whose = "whose loss: that of step K, or the total (default: the last step that carries loss)"
        general.add_argument("--loss-step", metavar="K|total", help=whose)
        general.add_argument("--after-epochs", metavar="N", help="train for N epochs first (default 0)")
        general.add_argument("--sample", metavar="I", help="which sequence, counted from 0 (default 0)")
    general.add_argument("--version", "-V", action="version", version=_version(), help="print the version")
    general.add_argument("--help", "-h", action="help", help="print this")
    for title, groups in _GROUPS.items():
        group = parser.add_argument_group(title)
        for setting in SETTINGS.values():
            if setting.group in groups:
                _add(group, setting, several=command is not None)
    return parser


def plain_parser(command: str, usage: str, about: str) -> _Parser:
    """A parser with nothing in it but --help, for commands that take no experiment."""
    parser = _Parser(
        prog=f"rnnviz {command}", usage=usage, description=about, formatter_class=_Layout, add_help=False,
        allow_abbrev=False,
    )  # fmt: skip
    parser.__dict__["color"] = False
    parser.add_argument("--help", "-h", action="help", help="print this")
    return parser


def _add(group: Any, setting: Setting, several: bool) -> None:
    flag, help = flag_of(setting), setting.help
    if not setting.is_optional:
        help += f" (default {_shown(setting.default)})"
    if setting.kind is bool:
        group.add_argument(flag, action=argparse.BooleanOptionalAction, dest=setting.name, help=help)
        return
    if setting.choices:
        help = f"{help}: {', '.join(setting.choices)}"
    if setting.name == "cell" and several:
        help += "; several with commas are compared"
    metavar = {int: "N", float: "X", str: "NAME" if setting.choices else "TEXT"}[setting.kind]
    group.add_argument(flag, dest=setting.name, metavar=metavar, help=help)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _version() -> str:
    from rnnviz import __version__

    return f"rnnviz {__version__}"


class _Layout(argparse.RawDescriptionHelpFormatter):
    """Flags in one column, their help beside them."""

    def __init__(self, prog: str) -> None:
        width = min(columns_of(sys.stdout), 110) - 1
        super().__init__(prog, max_help_position=28, width=max(width, 40))


def _epilog(command: str | None) -> str:
    widest = max(map(len, CATALOG))
    text = "tasks:\n" + "\n".join(f"  {t.name:{widest}}  {t.about}" for t in CATALOG.values())
    if command is None:
        commands = "\n".join(f"  {name:{widest}}  {about}" for name, about in COMMANDS.items())
        text = f"commands:\n{commands}\n  rnnviz COMMAND --help says more\n\n{text}"
    examples = {
        None: ["rnnviz", "rnnviz --steps 40 --loss-at last", "rnnviz --task names --cell lstm"],
        "train": [
            "rnnviz train --cell lstm --hidden 32 --epochs 50",
            "rnnviz train --task recall --optimizer adam --cell rnn,lstm,gru",
        ],
        "gradients": [
            "rnnviz gradients --steps 40 --gain 1.5",
            "rnnviz gradients --task recall --lag 60 --cell rnn,lstm,gru",
            "rnnviz gradients --after-epochs 20 --loss-step 5 --json",
        ],
    }[command]
    return f"{text}\n\nexamples:\n" + "\n".join(f"  {line}" for line in examples)


def terminal_missing(stdin_tty: bool, stdout_tty: bool) -> str | None:
    """Why the app cannot open here, in a few words; None if it can."""
    if not (stdin_tty and stdout_tty):
        return "the app needs a terminal"
    if os.environ.get("TERM", "") in ("", "dumb"):
        return f"the app needs a full-screen terminal, and TERM is {os.environ.get('TERM') or 'not set'}"
    return None


def archive_around() -> str | None:
    """The archive that this is run from (a wheel or a zip on PYTHONPATH): lessons, styles and the kernels' sources are
    read as files, which it has none of. None in a folder."""
    here = os.path.dirname(os.path.abspath(__file__))
    if os.path.isdir(here):
        return None
    while not os.path.isfile(here) and here != os.path.dirname(here):
        here = os.path.dirname(here)
    return here


def memory_missing() -> str | None:
    """Why the app cannot open under this limit of memory (ulimit -v), in a few words; None if it can. NumPy's library
    ends the process where it gets none, whatever the screen looks like by then."""
    try:
        import resource

        allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    except (ImportError, AttributeError, OSError, ValueError):  # Windows; a system without this limit
        return None
    if allowed == resource.RLIM_INFINITY or allowed >= APP_NEEDS:
        return None
    return f"the app needs {APP_NEEDS // 10**6} MB of memory, and the limit here (ulimit -v) is {allowed // 10**6} MB"
