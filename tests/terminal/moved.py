"""rnnviz where private names of Textual have moved: `python -m tests.terminal.moved WHAT [flags]`.

updates  those of what is drawn, as they would be missing at import
all      every one that is looked up
"""

from __future__ import annotations

import sys

from textual import _compositor


def without_updates() -> None:
    kept = _compositor.ChopsUpdate
    del _compositor.ChopsUpdate
    import rnnviz.tui.textual_private  # noqa: F401

    _compositor.ChopsUpdate = kept


def without_any() -> None:
    from rnnviz.tui import textual_private

    textual_private._has = lambda *_: False


if __name__ == "__main__":
    {"updates": without_updates, "all": without_any}[sys.argv[1]]()
    from rnnviz.cli.main import main

    sys.exit(main(sys.argv[2:]))
