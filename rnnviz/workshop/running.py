"""Run a learner's file in a process of its own: limited in time, memory and output, with nothing of it left behind.

    ran = run(path, source, {"functions": ["unroll"], "own": False, "calls": [...]})
    ran.answer                                  # child.py says what it can be; {} if there is none
    ran.printed                                 # what the file printed, at most the last LINES lines

The learner's code is the learner's own: this is no sandbox against it (a program that leaves its process group on
purpose stays). The limits are there so that a mistake costs nothing but a message. The answer is data: nothing of it is
run, and none of it can change a number in this process.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

SECONDS = 5.0
MEMORY = 2 << 30
LONGEST_ANSWER = 16 << 20
PRINTED = 20_000  # bytes
LINES = 200
_GRACE = 20.0  # more seconds for Python and NumPy to start, on a slow disk or a busy machine


@dataclass(frozen=True)
class Ran:
    """answer     the last line of the process' answer; {} if it ended before one, or if that is not to be read
    printed    what it wrote to stdout and stderr
    code       its exit code; -n: ended by signal n
    timed_out  whether it was ended by the clock of this side
    """

    answer: dict[str, Any]
    printed: tuple[str, ...]
    code: int | None
    timed_out: bool = False


@dataclass
class Stop:
    """Ends a run from another thread."""

    _process: subprocess.Popen[bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    is_set: bool = False

    def set(self) -> None:
        with self._lock:
            self.is_set = True
            if self._process is not None:
                kill(self._process)

    def watch(self, process: subprocess.Popen[bytes] | None) -> None:
        with self._lock:
            self._process = process
            if self.is_set and process is not None:
                kill(process)


def run(path: Path, source: str, job: dict[str, Any], stop: Stop | None = None) -> Ran:
    """Run the file with this source, and return what it answered. Raises OSError if no process can be started."""
    whole = {
        **job, "path": str(path), "source": source, "seconds": SECONDS, "memory": MEMORY,
        "packages": packages(),
    }  # fmt: skip
    stop = stop or Stop()
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as printed:
        given.write(json.dumps(whole).encode("ascii"))
        given.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-I", "-u", "-X", "utf8", str(Path(__file__).with_name("child.py"))],
            stdin=given,
            stdout=answer,
            stderr=printed,
            cwd=path.parent,
            env=environment(),
            start_new_session=True,
        )
        timed_out = False
        try:
            stop.watch(process)
            process.wait(SECONDS + _GRACE)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            kill(process)
            process.wait()
            stop.watch(None)
        return Ran(_answer(answer), _printed(printed), process.returncode, timed_out)


def packages() -> str:
    """The folder that NumPy is in."""
    import numpy

    return str(Path(numpy.__file__).parents[1])


def environment() -> dict[str, str]:
    """One thread for each product: the arrays are small, and a thread takes memory."""
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **one}


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it has started in its group."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _answer(file: IO[bytes]) -> dict[str, Any]:
    file.seek(0)
    data = file.read(LONGEST_ANSWER + 1)
    lines = data.decode("ascii", "replace").splitlines()
    with contextlib.suppress(ValueError, RecursionError):
        last = json.loads(lines[-1]) if lines and len(data) <= LONGEST_ANSWER else {}
        return last if isinstance(last, dict) else {}
    return {}


def _printed(file: IO[bytes]) -> tuple[str, ...]:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - PRINTED))
    lines = file.read(PRINTED).decode("utf-8", "replace").splitlines()
    return tuple(lines[1:] if size > PRINTED else lines)[-LINES:]
