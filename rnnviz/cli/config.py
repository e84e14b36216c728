"""`rnnviz config`: the user's configuration, with its defaults; `--check` looks for mistakes in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from rnnviz.cli import config_file
from rnnviz.cli.command import Options
from rnnviz.cli.output import Output
from rnnviz.errors import InputError


def run(options: Options) -> int:
    out = Output()
    where = config_file.path()
    if options["check"] is not None:
        return _check(out, options["check"], where)
    own = config_file.read()
    for line in _lines(own, where):
        out.print(line)
    return 0


def _check(out: Output, file: str, where: Path | None) -> int:
    if file:
        where = Path(file)
    elif where is None or not os.path.lexists(where):
        out.print(f"There is no {where or 'folder for a configuration'}: the defaults are in use.")
        return 0
    config_file.read_file(where)
    out.print(f"{where}: no mistakes")
    return 0


def _lines(own: config_file.Config, where: Path | None) -> Iterator[str]:
    """A file that says what is in use: what is not the user's own is a comment."""
    from rnnviz.tui import keymap, keys, panels, voice

    keymap.use(own.keys)
    if where is None:
        raise InputError("this account has no home folder, and so no configuration; set XDG_CONFIG_HOME")
    yield f"# {where}"
    if own.path:
        yield "# Lines without # are your own; the others are the defaults."
    else:
        yield "# There is no such file yet: these are the defaults. Write there what you want to change."
    yield "# Mistakes: rnnviz config --check"
    yield ""
    for entry in config_file.ENTRIES:
        value = getattr(own, entry.name)
        line = f"{entry.name} = {entry.default if value is None else json.dumps(value)}"
        yield f"{'# ' if value is None else ''}{line:20} # {entry.help}"
    yield ""
    yield "[keys]  # of an action or panel: a key, or a list of keys that replaces the defaults"
    about = [(a.group, a.id, a.help) for a in keys.ACTIONS]
    about += [("Panels", panel.id, panel.about) for panel in panels.ALL if panel.key]
    for group, entries in groupby(about, key=lambda entry: entry[0]):
        yield f"# {group}"
        for _, name, text in entries:
            line = f"{name} = {json.dumps([_written(key) for key in keymap.IN_USE[name]], ensure_ascii=False)}"
            yield f"{'' if name in own.keys else '# '}{line:32} # {voice.VOICE.say(text)}"


def _written(key: str) -> str:
    """A key as the file may name it: a character itself, the rest by name."""
    from rnnviz.tui import keys

    face = keys.FACES.get(key, key)
    return face if len(face) == 1 and face.isascii() else key
