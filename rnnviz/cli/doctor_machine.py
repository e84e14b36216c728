"""The machine and the configuration, for `rnnviz doctor`; and a report without the user's name."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from rnnviz.cli import config_file
from rnnviz.cli.surroundings import THREADS as OF_OPENBLAS
from rnnviz.cli.surroundings import memory_missing
from rnnviz.errors import InputError

#: Environment variables that decide how many threads NumPy's library uses.
THREADS = (*OF_OPENBLAS, "MKL_NUM_THREADS")
_LIMITS = {"address_space": "RLIMIT_AS", "open_files": "RLIMIT_NOFILE", "processes": "RLIMIT_NPROC"}


def machine(problems: list[str], environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Processors, memory and limits (ulimit), None for no limit or an unknown figure."""
    missing = memory_missing()
    if missing is not None:
        problems.append(f"{missing[:1].upper()}{missing[1:]}.")
    usable = os.cpu_count()
    with suppress(AttributeError, OSError):
        usable = len(os.sched_getaffinity(0))
    return {
        "processors": os.cpu_count(),
        "usable_processors": usable,
        "memory": _memory(),
        "limits": {name: _limit(which) for name, which in _LIMITS.items()},
        "threads": {name: environ.get(name) for name in THREADS if environ.get(name)},
    }


def _memory() -> int | None:
    """Bytes of physical memory, or of the control group where that is less."""
    found: list[int] = []
    with suppress(AttributeError, OSError, ValueError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(found, default=None)


def _limit(which: str) -> int | None:
    try:
        import resource

        value = resource.getrlimit(getattr(resource, which))[0]
    except (ImportError, AttributeError, OSError, ValueError):  # Windows; a system without this limit
        return None
    return None if value == resource.RLIM_INFINITY else value


def config(problems: list[str]) -> tuple[dict[str, Any], config_file.Config]:
    """Where the configuration is, what is in it, and its mistake; the configuration in use."""
    where = config_file.path()
    found: dict[str, Any] = {"path": None if where is None else str(where), "state": "not there", "mistake": None}
    if where is None or not os.path.lexists(where):
        return found, config_file.Config()
    try:
        read = config_file.read_file(where)
    except InputError as error:
        problems.append(f"The configuration is not used: {error}")
        return {**found, "state": "wrong", "mistake": str(error)}, config_file.Config()
    named = [entry.name for entry in config_file.ENTRIES if getattr(read, entry.name) is not None]
    named += [f"keys.{name}" for name in read.keys]
    return {**found, "state": f"sets {', '.join(named)}" if named else "sets nothing"}, read


def lines(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, text) of each line."""
    limits = found["limits"]
    some = [
        f"{name.replace('_', ' ')} {_size(limits[name]) if name == 'address_space' else limits[name]}"
        for name in limits if limits[name] is not None
    ]  # fmt: skip
    threads = ", ".join(f"{name} {value}" for name, value in found["threads"].items())
    memory = "unknown memory" if found["memory"] is None else f"{_size(found['memory'])} of memory"
    return [
        ("machine", f"{found['usable_processors']} of {found['processors']} processors, {memory}"),
        ("limits", ", ".join(some) or "none"),
        *([("threads", threads)] if threads else []),
    ]


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


# -- a report to send ------------------------------------------------------------------------------------------


def without_name(value: Any, environ: Mapping[str, str] = os.environ) -> Any:
    """The same with ~ for the home folder, and without the user's name in other paths."""
    home, user = os.path.expanduser("~"), environ.get("USER") or environ.get("LOGNAME") or ""
    patterns = [(re.compile(rf"{re.escape(home)}(?![\w.-])"), "~")] if len(home) > 1 else []
    if len(user) > 2:
        patterns.append((re.compile(rf"(?<=[/\\-]){re.escape(user)}(?![\w.])"), "USER"))

    def of(inner: Any) -> Any:
        if isinstance(inner, str):
            for pattern, by in patterns:
                inner = pattern.sub(by, inner)
        elif isinstance(inner, dict):
            return {key: of(one) for key, one in inner.items()}
        elif isinstance(inner, list):
            return list(map(of, inner))
        return inner

    return of(value)
