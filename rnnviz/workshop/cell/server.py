"""The process that a person's cell runs in: `python -I server.py`. It answers one question after another.

    first line on stdin   one JSON object: path, source, packages (where NumPy is), helpers (child.py), memory, patience
    a question            a line of JSON, {"ask": …, "arrays": [[name, shape], …]}, then the numbers as float64
    an answer             the same: {"arrays": […]}; or one of {"raised": …}, {"refused": text}, {"missing": name},
                          {"stopped": line}, after which the process ends; {"working": true} comes before an answer that
                          takes longer

It ends when stdin does. What the file prints goes to stderr. Imports the standard library and NumPy alone.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import sys
import warnings
from types import FrameType
from typing import Any


class Channel:
    """The way to the parent. From then on the file's stdin is empty and its stdout is stderr."""

    def __init__(self) -> None:
        self.questions, self._answers = os.fdopen(os.dup(0), "rb"), os.dup(1)
        self._process = os.getpid()
        os.dup2(2, 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115

    def write(self, head: dict[str, Any], body: bytes = b"") -> None:
        if os.getpid() != self._process:  # a copy of the process, which the file has made
            os._exit(0)
        data = json.dumps(head).encode() + b"\n" + body
        while data:
            data = data[os.write(self._answers, data) :]


class Clock:
    """Ends the process if one call takes longer than `patience` seconds; until then says that it works."""

    def __init__(self, path: str, patience: float, channel: Channel) -> None:
        self.calls, self._seen, self._rings = 0, -1, 0
        self._path, self._patience, self._channel = path, patience, channel
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, self._ring)

    def start(self) -> None:
        self._seen = -1
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, self._patience / 2, self._patience / 2)

    def stop(self) -> None:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if self.calls != self._seen:
            self._seen, self._rings = self.calls, 0
            self._channel.write({"working": True})
            return
        self._rings += 1
        if self._rings < 2:
            return
        while frame is not None and frame.f_code.co_filename != self._path:
            frame = frame.f_back
        self._channel.write({"stopped": None if frame is None else frame.f_lineno})
        os._exit(0)


def main() -> None:
    job = json.loads(sys.stdin.buffer.readline())
    helpers = _loaded(job["helpers"])
    channel = Channel()
    sys.path.append(job["packages"])
    import numpy as np

    steps, tape = (_loaded(os.path.join(os.path.dirname(__file__), name)) for name in ("steps.py", "tape.py"))
    helpers.limit(job)
    clock = Clock(job["path"], job["patience"], channel)
    clock.start()
    try:
        warnings.simplefilter("ignore")
        names: dict[str, Any] = {"__name__": "cell", "__file__": job["path"], "__builtins__": __builtins__}
        tree, _ = helpers.without_unwritten(helpers.ast.parse(job["source"], job["path"]))
        exec(compile(tree, job["path"], "exec", dont_inherit=True), names)
        for name in ("parameters", "step"):
            if not callable(names.get(name)):
                channel.write({"missing": name})
                os._exit(0)
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", np.exceptions.ComplexWarning)  # the imaginary part would be lost
        np.seterr(all="ignore")
        cell = steps.Cell(names, clock, tape)
    except BaseException as error:
        channel.write({"raised": helpers.raised(error, job["path"], job["source"])})
        os._exit(0)
    clock.stop()
    channel.write({"arrays": [], "backward": callable(names.get("backward_step"))})
    while line := channel.questions.readline():
        asked = json.loads(line)
        arrays = {name: _read(channel, shape, np) for name, shape in asked["arrays"]}
        clock.start()
        try:
            found = getattr(cell, asked["ask"])(arrays, asked)
            found = {name: np.asarray(array, np.float64, order="C") for name, array in found.items()}
            body = b"".join(array.tobytes() for array in found.values())
        except steps.Refused as refused:
            clock.stop()
            channel.write({"refused": str(refused)})
        except BaseException as error:
            clock.stop()
            channel.write({"raised": helpers.raised(error, job["path"], job["source"])})
        else:
            clock.stop()
            channel.write({"arrays": [[name, list(array.shape)] for name, array in found.items()]}, body)
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    os._exit(0)


def _loaded(path: str) -> Any:
    """A file of rnnviz as a module of its own: rnnviz itself is not to be imported here."""
    spec = importlib.util.spec_from_file_location(os.path.basename(path).removesuffix(".py"), path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _read(channel: Channel, shape: list[int], np: Any) -> Any:
    """An array, read-only: a file that changes its arguments is stopped at that line."""
    size = 8
    for length in shape:
        size *= length
    data = channel.questions.read(size)
    if len(data) < size:
        os._exit(0)
    return np.frombuffer(data, np.float64).reshape(shape)


if __name__ == "__main__":
    main()
