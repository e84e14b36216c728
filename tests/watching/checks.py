"""Run by a Python that has PyTorch: every function named check_… of a script; 1 if one failed."""

from __future__ import annotations

import sys
import time
import traceback
from typing import Any


def run(space: dict[str, Any]) -> None:
    wanted, failed = sys.argv[1:], 0
    for name, check in list(space.items()):
        if name.startswith("check_") and (not wanted or name in wanted):
            began = time.perf_counter()
            try:
                check()
                print(f"passed {name} {time.perf_counter() - began:.1f} s")
            except Exception:
                failed += 1
                print(f"FAILED {name}\n{traceback.format_exc()}")
    sys.exit(1 if failed else 0)
