"""Everything private of plotext that the charts use, seen with plotext 6.1.0: nothing else in rnnviz names any of it.

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
    """plotext, without its manual where nobody has imported that yet."""
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
