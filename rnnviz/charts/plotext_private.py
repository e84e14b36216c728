"""Every private name of plotext that the charts use, checked with plotext 6.1.0. No other file of rnnviz uses one.

| name | what it is for | without it |
|---|---|---|
| `plotext._doc.doc`, its `docs` | the built-in manual, half of the import, is left out | a slower import |
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

_MANUAL = "plotext._doc.doc"


def load() -> Any:
    """Import plotext without its manual, unless another module has imported it already."""
    if "plotext" not in sys.modules:
        stand_in = ModuleType(_MANUAL)
        stand_in.docs = None  # type: ignore[attr-defined]
        sys.modules[_MANUAL] = stand_in
    try:
        import plotext
    finally:
        if getattr(sys.modules.get(_MANUAL), "docs", 0) is None:
            del sys.modules[_MANUAL]
    return plotext
