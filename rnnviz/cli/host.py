"""`rnnviz host`: wait at a socket, and start a session of the app for each client."""

from __future__ import annotations

import sys

from rnnviz.cli.command import Options
from rnnviz.errors import InputError


def run(options: Options) -> int:
    if sys.platform != "linux":
        raise InputError("a host needs Linux, which reports whose process has connected")
    from rnnviz.cli.hosting import serve

    serve(options["socket"], options["sessions"], options["per_account"])
    return 0
