"""`rnnviz man`: the manual page, made from the records of commands, arguments and settings. The wheel installs it
(hatch_build.py). Needs the standard library alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby

from rnnviz import __version__
from rnnviz.cli.command import Command, Options
from rnnviz.cli.commands import APP, COMMANDS
from rnnviz.cli.flags import every_parser
from rnnviz.experiment.experiment import SETTINGS
from rnnviz.terminal import ascii_words

_ENVIRONMENT = {
    "NO_COLOR": "if not empty: no colours (no-color.org)",
    "FORCE_COLOR": "if not empty: colours also in a pipe (force-color.org); 1, 2 and 3: at least 16, 256 and all",
    "COLORTERM, TERM": "how many colours the terminal has",
    "COLORFGBG": "whether its background is light, until it has answered itself",
    "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_CACHE_HOME": "where the configuration, the progress of lessons and compiled "
    "code are",
    "NUMBA_CACHE_DIR": "a folder of compiled code that several accounts share",
    "RNNVIZ_KIOSK": "if neither empty nor 0: every session is a kiosk (--kiosk)",
}
_EXIT = {
    "0": "success",
    "1": "an error in rnnviz itself, or a problem that doctor, lessons check or workshop check found",
    "2": "a wrong flag, file or setting, no terminal, or a full disk",
    "3": "rnnviz diagnose --strict has a finding", "128+n": "ended by signal n",
}  # fmt: skip


def run(options: Options) -> int:
    sys.stdout.write(page())
    return 0


def page() -> str:
    """The whole page in man's macros, in ASCII."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    _, actions = every_parser()
    yield f'.TH RNNVIZ 1 "" "rnnviz {__version__}" "User Commands"'
    yield ".SH NAME"
    yield r"rnnviz \- see a recurrent neural network think and learn, in the terminal"
    yield ".SH SYNOPSIS"
    yield from _usage(APP)
    yield ".SH DESCRIPTION"
    yield from _paragraphs(APP.description)
    yield ".SH OPTIONS"
    own = [action for action in actions[""] if action.dest not in SETTINGS]
    yield from _entries(own)
    yield ".SH SETTINGS"
    yield "Of the app and of the commands that take an experiment; a TOML file can hold the same."
    yield from _entries(action for action in actions[""] if action.dest in SETTINGS)
    yield ".SH COMMANDS"
    for command in COMMANDS.values():
        yield f".SS {_text(command.name)}"
        yield from _usage(command)
        yield ".PP"
        yield from _paragraphs(command.description)
        known = {action.option_strings[0] for action in own} if command.has_experiment else set()
        yield from _entries(
            action for action in actions[command.name]
            if action.dest not in ("help", *SETTINGS) and not known & set(action.option_strings)
        )  # fmt: skip
        if command.examples:
            yield ".PP"
            yield "Examples:"
            yield from _literal(command.examples)
    yield ".SH FILES"
    yield from _tagged({
        "$XDG_CONFIG_HOME/rnnviz/config.toml": "the configuration; rnnviz config prints it with all defaults",
        "$XDG_DATA_HOME/rnnviz": "the progress of lessons",
        "$XDG_CACHE_HOME/rnnviz": "compiled code",
    }.items())  # fmt: skip
    yield ".SH ENVIRONMENT"
    yield from _tagged(_ENVIRONMENT.items())
    yield ".SH EXIT STATUS"
    yield from _tagged(_EXIT.items())
    yield ".SH EXAMPLES"
    yield from _literal(APP.examples)


def _usage(command: Command) -> Iterator[str]:
    yield from _literal(line.strip() for line in command.usage.splitlines())


def _literal(lines: Iterable[str]) -> Iterator[str]:
    yield from (".nf", ".RS 4", *map(_text, lines), ".RE", ".fi")


def _paragraphs(text: str) -> Iterator[str]:
    """Prose; lines that are indented stay as they are."""
    for is_literal, lines in groupby(text.splitlines(), key=lambda line: line.startswith("  ")):
        if is_literal:
            yield from _literal(lines)
        else:
            yield _text(" ".join(lines))


def _entries(actions: Iterable[argparse.Action]) -> Iterator[str]:
    yield from _tagged((_name(action), action.help or "") for action in actions)


def _name(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction) else action.metavar
    if not action.option_strings:
        return str(value or action.dest)
    return ", ".join(action.option_strings) + (f" {value}" if value else "")


def _tagged(entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, about in entries:
        yield from (".TP", f".B {_text(name)}", _text(about))


def _text(text: str) -> str:
    """Plain text in roff: no character of it is a request."""
    text = ascii_words(" ".join(text.split())).replace("\\", r"\e").replace("-", r"\-")
    return r"\&" + text if text.startswith((".", "'")) else text
