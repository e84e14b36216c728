"""`rnnviz completion SHELL`: a script for the tab key, made by shtab from the parsers of all commands."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from rnnviz.cli.command import Options
from rnnviz.cli.config_file import OWN_THEMES
from rnnviz.cli.flags import every_parser
from rnnviz.cli.setup_commands import SHELLS
from rnnviz.experiment.experiment import SETTINGS
from rnnviz.player.kinds.opening import BACKWARD, FORWARD
from rnnviz.terminal import CHOICES

#: By the name of an argument, or by what its help calls its value: which files complete it.
_FILES = {"FILE", "FILE.toml", "IN", "OUT", "PATH"}
_FOLDERS = {"DIR"}


def run(options: Options) -> int:
    sys.stdout.write(script(options["shell"]))
    return 0


def script(shell: str) -> str:
    """The completion script for one of SHELLS."""
    import shtab

    parser, actions = every_parser()
    for made in actions.values():
        for action in made:
            _describe(action, shtab.FILE, shtab.DIRECTORY)
    text: str = shtab.complete(parser, shell)
    # Where no command matches, the first word is a file.
    return text.replace("complete -o bashdefault -F", "complete -o bashdefault -o default -F")


def _describe(action: argparse.Action, file: Any, folder: Any) -> None:
    """Note what an argument may be: one of a few words, a file or a folder."""
    choices = _choices_of(action)
    if choices:
        action.choices = choices
    elif action.metavar in _FOLDERS:
        action.complete = folder  # type: ignore[attr-defined]
    elif action.metavar in _FILES or str(action.metavar).startswith("FILE"):
        action.complete = file  # type: ignore[attr-defined]


def _choices_of(action: argparse.Action) -> tuple[str, ...]:
    """What an argument may be, where it is one of a few words."""
    if action.dest in SETTINGS and action.nargs != 0:
        return tuple(SETTINGS[action.dest].choices)
    match action.dest:
        case "slug" | "lesson":
            from rnnviz.lessons.course import find

            course = find()
            return tuple(course.slug(path) for path in course.files)
        case "theme":
            from textual.theme import BUILTIN_THEMES

            return (*OWN_THEMES, *BUILTIN_THEMES)
        case "panel":
            from rnnviz.tui import panels

            return tuple(panels.BY_ID)
    words = {
        "color": tuple(CHOICES), "shell": SHELLS, "direction": (FORWARD, BACKWARD), "what": ("check", "metrics"),
        "action": ("init", "list", "check", "hint"),
    }  # fmt: skip
    return words.get(action.dest, ())
