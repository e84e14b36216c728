"""The flags, made from the Settings of the Experiment and the Arguments of a Command, so that each has one name, one
help text and one range.

    >>> read(["--hidden", "32", "--cell", "rnn,lstm"], COMMANDS["train"]).experiments[1].cell
    'lstm'

Imports neither numpy, numba nor textual: --help and the message about a wrong flag appear at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from rnnviz.cli import kiosk
from rnnviz.cli.command import Argument, Command, Options
from rnnviz.cli.commands import APP, COMMANDS
from rnnviz.cli.opening_arguments import OF_NETWORK, OF_RECORDING, OF_WEIGHTS, WHOSE, named_cells
from rnnviz.errors import LONGEST_REPR, InputError, short_repr
from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.experiment.setting import Setting
from rnnviz.nn.spec import READOUTS
from rnnviz.player.kinds.opening import CANNOT, NETWORK_CANNOT, NetworkOpening, Opening
from rnnviz.tasks.catalog import CATALOG
from rnnviz.terminal import columns_of

#: The settings' groups under a title each, in the order of the help.
_GROUPS = {
    "what it learns": ("task",),
    "your own data": ("data",),
    "the network": ("network", "weights"),
    "how it learns": ("training",),
}


BY_ITSELF = "lessons bring their own experiment; leave the other flags out"
#: Settings of the data beside those of its groups.
OF_DATA = ("seed", "validation_split")


#: What an argument names, by its metavar.
_NAMED = {"FILE": "a file", "DIR": "a folder", "PATH": "a path", "SLUG": "a lesson"}


def in_flags(message: str, argv: Sequence[str] = ()) -> str:
    """The error message with the name of a setting or an argument at its beginning replaced by the flag. A word of
    the command line is none: it is a file that happens to have the name of a setting."""
    name, colon, rest = message.partition(": ")
    if name in {word.partition("=")[2] if word.startswith("--") else word for word in argv}:
        return message
    flags = {
        one.key: one.name for command in (APP, *COMMANDS.values()) for one in command.arguments if one.name[0] == "-"
    }
    flags |= {name: setting.option for name, setting in SETTINGS.items()}
    return f"{flags[name]}: {rest}" if colon and name in flags else message


def read(argv: list[str], command: Command = APP) -> Options:
    """Parse the command line after the command's name. Raises InputError for wrong or conflicting arguments; `--help`
    prints and raises SystemExit(0)."""
    parser = _parser(command)
    parsed, rest = parser.parse_known_args(argv) if command.passes_on else (parser.parse_args(argv), [])
    given = vars(parsed)
    _check_names(given, command)
    named = None
    if command.opens_lessons and given.get("file") is not None and _is_lesson(given["file"], given.get("lessons")):
        named = given.pop("file")
    kiosk.check(command.name, given)
    values = {one.key: one.read(given.pop(one.key)) if one.key in given else one.default for one in command.arguments}
    if command.passes_on:
        return Options((), {**values, "app": read(rest), "words": rest})
    if not command.has_experiment:
        return Options((), values)
    word, file = given.pop("file", None), given.pop("experiment", None)
    if command.actions:
        values["action"] = word if word in command.actions else None
        if values["action"] is not None:
            if file is not None or given:
                name = next(iter(given), "experiment")
                raise InputError(f"{name}: {word} reads what is there; leave the settings out")
            return Options((), values)
    slug = values.get("lesson") or named
    if slug is not None and (word is not None or (named is not None and slug != named)):
        raise InputError(BY_ITSELF)
    folder = word if word is not None and _is_folder(word) else None
    if folder is not None:
        return _recording(folder, given, file, values, command)
    if word is not None and _is_weights(word):
        return _network(word, given, file, values, command)
    if values.get("readout") in READOUTS:  # an experiment's setting has the same flag
        given["readout"], values["readout"] = values["readout"], None
    of_files = (*(one.key for one in (*OF_RECORDING, *OF_WEIGHTS)), "beside")
    if misplaced := [key for key in of_files if values.get(key) is not None]:
        raise InputError(f"{misplaced[0]}: only {WHOSE.get(misplaced[0], WHOSE[''])} first")
    if word is not None:
        if file is not None:
            raise InputError(f"two experiment files, {word} and {file}; give one")
        file = _file(word, command, values.get("lessons"))
    if command is APP:
        asks = bool(
            values["free"] or file or given or any(values[name] is not None for name in ("input", "at", "panel"))
        )
        if values["lessons"] is not None and asks:
            raise InputError(f"--lessons: {BY_ITSELF}")
        values["free"] = asks
    elif command.opens_lessons:
        is_free = bool(values.get("free") or file or given or values["input"] is not None)
        if is_free and (slug is not None or values["lessons"] is not None):
            raise InputError(BY_ITSELF)
        values |= {"slug": slug, "free": is_free}
    return Options(_experiments(given, file, command), values)


def _recording(
    folder: str, given: dict[str, Any], file: str | None, values: dict[str, Any], command: Command
) -> Options:
    """The options of a command with a recording. Raises InputError for what a recording cannot do."""
    if not command.opens_recordings:
        from rnnviz.recordings import marker

        if not (Path(folder) / marker.NAME).exists():
            other = "rnnviz map show DIR shows a map" if command is COMMANDS["map"] else "name a file of settings"
            raise InputError(f"{folder}: is a folder, and no experiment (.toml); {other}")
        raise InputError(f"{folder}: {CANNOT['train'].removesuffix('.')}; rnnviz gradients shows it")
    if file is not None:
        raise InputError(f"experiment: {CANNOT['knobs'].removesuffix('.')}")
    if values.get("lessons") is not None:
        raise InputError("--lessons: lessons bring their own experiment; leave the recording out")
    if given:
        raise InputError(f"{next(iter(given))}: {CANNOT['knobs'].removesuffix('.')}")
    if values.get("after_epochs"):
        raise InputError(f"after_epochs: {CANNOT['train'].removesuffix('.')}")
    of_weights = [one.key for one in OF_WEIGHTS if values.get(one.key) is not None]
    if of_weights:
        raise InputError(f"{of_weights[0]}: a recording has none; the gradient of its loss is recorded")
    if values.get("beside") is not None:
        raise InputError("beside: a recording is compared with its own layers and records")
    if values.get("input") is not None:
        raise InputError(f"input: {CANNOT['type'].removesuffix('.')}")
    chosen = {one.key: values[one.key] for one in OF_RECORDING if values.get(one.key) is not None}
    return Options((), {**values, "free": True}, Opening(folder, **chosen))


def _network(path: str, given: dict[str, Any], file: str | None, values: dict[str, Any], command: Command) -> Options:
    """The options of a command with a file of weights. Raises InputError for what such a network cannot do."""
    if not command.opens_recordings:
        raise InputError(f"{path}: {NETWORK_CANNOT['train'].removesuffix('.')}; rnnviz gradients shows it")
    if file is not None:
        raise InputError(f"experiment: {NETWORK_CANNOT['knobs'].removesuffix('.')}")
    if values.get("lessons") is not None:
        raise InputError("--lessons: lessons bring their own experiment; leave the file of weights out")
    activation = given.pop("activation", None)
    wrong = [name for name in given if SETTINGS[name].group not in ("task", "data") and name not in OF_DATA]
    if wrong:
        raise InputError(f"{wrong[0]}: {NETWORK_CANNOT['knobs'].removesuffix('.')}")
    steps = None
    if set(given) == {"seq_len"}:  # of generated sequences
        steps = SETTINGS["seq_len"].checked(_converted(SETTINGS["seq_len"], given.pop("seq_len")))
    data = _experiments(given, None, command)[0] if given else None
    if data is not None and "task" not in given and data.data is None and data.source is None:
        raise InputError(f"{next(iter(given))}: name the data with --data FILE, or one of our tasks with --task")
    if values.get("after_epochs"):
        raise InputError(f"after_epochs: {NETWORK_CANNOT['train'].removesuffix('.')}")
    if values.get("record") is not None:
        raise InputError("record: a file of weights has no records")
    chosen = {one.key: values[one.key] for one in OF_NETWORK if values.get(one.key) is not None}
    opening = NetworkOpening(path, activation=activation, data=data, steps=steps,
                             beside=values.get("beside"), **chosen)  # fmt: skip
    return Options((), {**values, "free": True}, network=opening)


def _is_weights(word: str) -> bool:
    """Whether the word names a file of weights, which need not exist."""
    if word in COMMANDS or word.endswith(".toml") or "." not in word:
        return False
    from rnnviz.weights.reading import is_weight_file  # it needs NumPy

    return is_weight_file(word)


def _is_folder(word: str) -> bool:
    try:
        return word not in COMMANDS and Path(word).is_dir()
    except (OSError, ValueError):  # a name that is too long for a file, or holds a zero byte
        return False


def _is_lesson(word: str, folder: str | None) -> bool:
    """Whether the word names no file, but a lesson by its slug or number."""
    from rnnviz.lessons.course import find

    if os.path.lexists(word) or word.endswith(".toml"):
        return False
    try:
        find(folder).file(word)
    except InputError:
        return False
    return True


def _experiments(given: dict[str, Any], file: str | None, command: Command) -> tuple[Experiment, ...]:
    """The file's experiment, changed by the flags; one for each cell."""
    settings: dict[str, Any] = {}
    cells: list[str] = []
    for name, setting in SETTINGS.items():
        if name == "cell" and name in given:
            cells = [setting.checked(cell) for cell in named_cells(given["cell"])]
            settings["cell"] = cells[0]
        elif name in given:
            settings[name] = setting.checked(_converted(setting, given[name]))
    if len(cells) > 1 and not command.several:
        raise InputError("cell: the app shows one cell at a time; rnnviz gradients compares several")
    base = (Experiment.from_file(file) if file else Experiment()).with_(**settings)
    return tuple(base.with_(cell=cell) for cell in cells) if len(cells) > 1 else (base,)


def _converted(setting: Setting, value: Any) -> Any:
    """The text of a flag converted to the setting's kind; unchanged if it cannot be (then `checked` reports it)."""
    if setting.kind in (int, float):
        try:
            return setting.kind(value)
        except ValueError:
            return value
    return value


def _check_names(given: dict[str, Any], command: Command) -> None:
    """Refuse an empty name, which a shell makes of a variable that is not set: as a path it is the current folder."""
    kinds = {
        one.key: _NAMED[one.metavar]
        for one in command.arguments
        if one.name[0] == "-" and one.metavar in _NAMED and "nargs" not in one.more  # a name may be left out there
    }
    kinds |= {"experiment": "a file", "data": "a file or folder", "source": "a file"}
    for key, kind in kinds.items():
        if given.get(key) == "":
            shown = "--experiment" if key == "experiment" else key  # it is no argument of a command's own
            raise InputError(f"{shown}: the name is empty; name {kind}")


def _file(word: str, command: Command, folder: str | None) -> str:
    """A word that is not a flag: an experiment file. Raises InputError for anything else."""
    if word in COMMANDS:
        raise InputError(f"put the command first: rnnviz {word} …")
    with suppress(OSError):  # a name that is too long for a file
        if word.endswith(".toml") or Path(word).is_file():
            return word
    if command.opens_lessons and "." not in word and os.sep not in word and not os.path.lexists(word):
        from rnnviz.lessons.course import find

        find(folder).file(word)  # raises InputError, with the lessons that are called like it
    close = get_close_matches(word, COMMANDS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"commands: {', '.join(COMMANDS)}"
    raise InputError(
        f"{short_repr(word)} is not a command or an experiment file (.toml), the folder of a recording or a file of "
        f"weights; {hint}"
    )


#: Python 3.14 would colour the help; plain text is readable everywhere.
_PLAIN: dict[str, Any] = {"color": False} if sys.version_info >= (3, 14) else {}


class _Parser(argparse.ArgumentParser):
    """A parser that reports an error in one clear line, not with the whole usage."""

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ").replace("ignored explicit argument", "takes no value, not")
        raise InputError(message)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        known, unknown = self.parse_known_args(args, namespace)
        if unknown:
            file = getattr(known, "file", None)  # rnnviz --theme light lesson 2
            raise InputError(self._unknown(file if file in COMMANDS else unknown[0]))
        return known

    def _unknown(self, word: str) -> str:
        rows = [row.strip().split("  ")[0] for row in self.format_help().splitlines() if row.startswith("  -")]
        known = [flag.split()[0] for row in rows for flag in row.split(", ") if flag.startswith("--")]
        if word in COMMANDS:
            return f"put the command first: rnnviz {word} …"
        if not word.startswith("-"):
            return f"{short_repr(word)} is an unexpected argument; --help lists the flags"
        if word == "--kiosk":
            return "--kiosk: a kiosk opens the app alone: rnnviz --kiosk"
        close = get_close_matches(word.partition("=")[0], known, n=1)
        hint = f"did you mean {close[0]}?" if close else "--help lists them"
        return f"{word[:LONGEST_REPR]}: unknown flag; {hint}"


def _parser(command: Command) -> _Parser:
    parser = _Parser(
        prog=f"rnnviz {command.name}".strip(),
        usage=command.usage,
        description=command.description,
        epilog=_epilog(command),
        formatter_class=_Layout,
        add_help=False,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
        **_PLAIN,
    )
    _fill(parser, command)
    return parser


def every_parser() -> tuple[argparse.ArgumentParser, dict[str, list[argparse.Action]]]:
    """All commands as one parser, with a subparser each, for a program that reads parsers, and the arguments of each
    command by its name ("" is the app). The first word is a command or the app's file."""
    whole = _Parser(prog="rnnviz", description=APP.description, add_help=False, **_PLAIN)
    actions = {"": _fill(whole, APP, has_file=False)}
    subparsers = whole.add_subparsers(metavar="COMMAND|FILE.toml|RECORDING|WEIGHTS")
    for command in COMMANDS.values():
        one = subparsers.add_parser(
            command.name, help=command.about, description=command.about, add_help=False, **_PLAIN
        )
        actions[command.name] = _fill(one, command)
    return whole, actions


def _fill(parser: argparse.ArgumentParser, command: Command, *, has_file: bool = True) -> list[argparse.Action]:
    """Add the arguments of a command, and return them."""
    made = []
    if command.has_experiment and has_file:
        from_file = "start from the settings in this file; flags override them"
        file = parser.add_argument_group("experiment")
        if command.opens_recordings:
            from_file += "; or the folder of a recording or a file of weights, alone"
        made.append(file.add_argument("file", nargs="?", default=None, metavar="FILE.toml", help=from_file))
    general: Any = parser.add_argument_group("general") if command.has_experiment else parser
    if command.has_experiment:
        made.append(general.add_argument("--experiment", metavar="FILE", help="same as FILE.toml"))
    made += [_add_argument(general, one) for one in command.arguments]
    if command.has_experiment:
        version = general.add_argument(
            "--version", "-V", action="version", version=_version(), help="print the version"
        )
        made.append(version)
    made.append(general.add_argument("--help", "-h", action="help", help="print this help"))
    if command.has_experiment:
        for title, groups in _GROUPS.items():
            group = parser.add_argument_group(title)
            own = [one.name for one in command.arguments]
            for setting in SETTINGS.values():
                if setting.group in groups and setting.option not in own:
                    made.append(_add(group, setting, several=command.several))
    return made


def _add_argument(group: Any, argument: Argument) -> argparse.Action:
    metavar = {} if argument.metavar is None else {"metavar": argument.metavar}
    made: argparse.Action = group.add_argument(argument.name, help=argument.help, **metavar, **argument.more)
    return made


def _add(group: Any, setting: Setting, several: bool) -> argparse.Action:
    flag, help = setting.option, setting.help
    if not setting.is_optional:
        help += f" (default {_default_text(setting.default)})"
    if setting.kind is bool:
        switch: argparse.Action = group.add_argument(
            flag, action=argparse.BooleanOptionalAction, dest=setting.name, help=help
        )
        return switch
    if setting.choices:
        help = f"{help}: {', '.join(setting.choices)}"
    if setting.name == "cell":
        help += "; or your own, a file FILE.py"
        help += "; several, separated by commas, are compared" if several else ""
    metavar = {int: "N", float: "X", str: "NAME" if setting.choices else "TEXT"}[setting.kind]
    made: argparse.Action = group.add_argument(flag, dest=setting.name, metavar=setting.metavar or metavar, help=help)
    return made


def _default_text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _version() -> str:
    from rnnviz import __version__

    return f"rnnviz {__version__}"


class _Layout(argparse.RawDescriptionHelpFormatter):
    """Flags in one column, the help texts beside them."""

    def __init__(self, prog: str) -> None:
        width = min(columns_of(sys.stdout), 110) - 1
        super().__init__(prog, max_help_position=28, width=max(width, 40))


def _epilog(command: Command) -> str | None:
    if not command.has_experiment:
        return None
    widest = max(map(len, CATALOG))
    text = "tasks:\n" + "\n".join(f"  {t.name:{widest}}  {t.about}" for t in CATALOG.values())
    if command is APP:
        commands = "\n".join(f"  {one.name:{widest}}  {one.about}" for one in COMMANDS.values())
        text = f"commands:\n{commands}\n  rnnviz COMMAND --help describes one\n\n{text}"
    return f"{text}\n\nexamples:\n" + "\n".join(f"  {line}" for line in command.examples)
