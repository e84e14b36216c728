"""`rnnviz` without a command: the app."""

from __future__ import annotations

import gc

from rnnviz.cli.command import Options
from rnnviz.cli.session_flags import session
from rnnviz.cli.surroundings import require_terminal


def run(options: Options) -> int:
    require_terminal("in a pipe or a script use: rnnviz gradients")
    start = None
    if not options["free"]:
        from rnnviz.lessons.course import Start, find

        if options["lessons"] is not None:
            find(options["lessons"])
        start = Start(options["lessons"])
    gc.disable()  # a tenth of the time to the first frame, and finds nothing; the first frame enables it again
    from rnnviz.tui.app import run as run_app

    source = options.network or options.recording or options.experiments[0]
    return run_app(source, start, options["input"], session(options), options["at"], options["panel"]) or 0
