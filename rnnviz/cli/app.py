"""`rnnviz` without a command: the app."""

from __future__ import annotations

import gc
import os
from dataclasses import replace

from rnnviz.cli.command import Options
from rnnviz.cli.session_flags import config, session
from rnnviz.cli.surroundings import require_terminal
from rnnviz.errors import InputError


def run(options: Options) -> int:
    options = _with_start(options)
    if options["watch"] and options["free"]:
        raise InputError("watch: no lesson is opened; leave --free and what else names a network out")
    require_terminal("rnnviz read is the same in lines of text")
    start = None
    if not options["free"]:
        from rnnviz.lessons.course import Start, find

        if options["lessons"] is not None:
            find(options["lessons"])
        start = Start(options["lessons"], watches=options["watch"])
    gc.disable()  # a tenth of the time to the first frame, and finds nothing; the first frame enables it again
    from rnnviz.tui.app import run as run_app

    source = options.network or options.recording or options.experiments[0]
    return run_app(source, start, options["input"], session(options), options["at"], options["panel"]) or 0


def _with_start(options: Options) -> Options:
    """The options; if the command line names nothing to open, with what the user's configuration names."""
    own = config()
    is_named = options["free"] or options["lessons"] is not None or options.network or options.recording
    if is_named or own.start is None or own.path is None or own.start == "lessons":
        return options
    values = {**options.values, "free": True}
    if own.start == "score":
        return replace(options, values=values)
    from rnnviz.cli.config_file import place_of
    from rnnviz.cli.flags import read

    name = os.path.join(own.path.parent, os.path.expanduser(own.start))
    try:
        return replace(read([name]), values=values)
    except InputError as error:
        raise InputError(f"{place_of(own, 'start')}: start: {error}") from None
