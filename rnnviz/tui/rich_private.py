"""Everything private of Rich that the app uses, seen with Rich 15.0.0: nothing else in rnnviz names any of it.

| name | what it is for | without it |
|---|---|---|
| `Console._color_system` | the app draws in the colours of the terminal it found | those that Rich found |
"""

from __future__ import annotations

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console


def set_color_system(console: Console, system: ColorSystem) -> None:
    """Set the colour system of Textual's console, which Textual creates itself."""
    if hasattr(console, "_color_system"):
        console._color_system = system


def color_system(console: Console) -> ColorSystem:
    """The console's colour system; all colours if it has none."""
    return COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
