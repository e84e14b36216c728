"""The app in a terminal: how it is started and when it is ready."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.terminal.driver import Terminal

RNNVIZ = [str(Path(sys.executable).with_name("rnnviz"))]


def rnnviz(*arguments: str, **settings: Any) -> Terminal:
    """`with rnnviz("--steps", "40") as t:` and then `t.wait_for(ready)`."""
    return Terminal([*RNNVIZ, *arguments], **settings)


def ready(screen: list[str]) -> bool:
    """The score stands complete: its axis, which the first paint has too, and the keys, which it has not."""
    return any("time t" in row for row in screen) and "? keys" in screen[-1]
