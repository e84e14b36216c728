"""The process of a person's cell, from outside: ask it a question, and get arrays.

    connection = Connection(Path("my_cell.py"), source)
    connection.ask("parameters", I=1, H=20, seed=0)       # {"W_ih": …}; raises InputError in one line

What the file does wrong is an InputError that names the file and, where there is one, the line. After a loop without
end the process is ended; the next question starts another.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn.types import Array, Params
from rnnviz.workshop import running
from rnnviz.workshop.exercises.own_cell import YOUR_CELL
from rnnviz.workshop.failures import failed
from rnnviz.workshop.running import Ran

PATIENCE = running.SECONDS  # that one call of a function of the file may take
_SILENCE = 20.0  # more seconds without a sign of life: Python is starting, or in one long call of NumPy
_LONGEST_HEAD = 1 << 20

_UNREADABLE = "the results of its process could not be read: the file writes where they are written"


class Connection:
    """path is what a message calls the file. The process starts with the first question.

    has_backward  whether the file has a backward_step; known after a question
    """

    def __init__(self, path: Path, source: str) -> None:
        self.path, self._source = path, source
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[tuple[dict[str, Any], bytes] | None] = queue.Queue()
        self._lock = threading.Lock()
        self.has_backward = False

    def ask(
        self,
        question: str,
        arrays: Mapping[str, Array] | None = None,
        wants: Mapping[str, tuple[int, ...]] | None = None,
        **more: Any,
    ) -> Params:
        """The arrays of the answer, among them those that it wants, by name and shape. Raises InputError."""
        sent = {name: np.asarray(a, np.float64, order="C") for name, a in (arrays or {}).items()}
        head = {"ask": question, "arrays": [[name, a.shape] for name, a in sent.items()], **more}
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            self._write(json.dumps(head).encode() + b"\n" + b"".join(a.tobytes() for a in sent.values()))
            found = self._answer()[1]
            if any(name not in found or found[name].shape != shape for name, shape in (wants or {}).items()):
                self.close()
                raise InputError(f"{self.path}: {_UNREADABLE}")
            return found

    def close(self) -> None:
        """End the process. The next question starts another."""
        process, self._process = self._process, None
        if process is not None:
            running.kill(process)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    assert pipe is not None
                    pipe.close()

    # -- inside, with the lock -------------------------------------------------------------------------------

    def _start(self) -> None:
        self.close()
        job = {
            "path": str(self.path), "source": self._source, "packages": running.packages(),
            "helpers": str(Path(running.__file__).with_name("child.py")), "memory": running.MEMORY,
            "patience": PATIENCE,
        }  # fmt: skip
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-u", "-X", "utf8", str(Path(__file__).with_name("server.py"))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                cwd=self.path.absolute().parent, env=running.environment(), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise InputError(f"{self.path}: no process can be started for it: {error.strerror or error}") from None
        self._answers = queue.Queue()
        stream = self._process.stdout
        assert stream is not None
        threading.Thread(target=_read, args=(stream, self._answers), daemon=True, name="rnnviz-cell").start()
        self._write(json.dumps(job).encode("ascii") + b"\n")
        self.has_backward = bool(self._answer()[0].get("backward"))

    def _write(self, data: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended: the answer says why
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def _answer(self) -> tuple[dict[str, Any], Params]:
        while True:
            try:
                found = self._answers.get(timeout=PATIENCE + _SILENCE)
            except queue.Empty:
                self.close()
                raise self._error({}, timed_out=True) from None
            if found is None:
                process = self._process
                code = process.wait() if process is not None else None
                self.close()
                raise self._error({"began": True}, code=code)
            head, body = found
            if "working" in head:
                continue
            if "arrays" in head:
                return head, _arrays(head["arrays"], body)
            if "refused" not in head:
                self.close()
            raise self._error(head)

    def _error(self, answer: dict[str, Any], code: int | None = None, timed_out: bool = False) -> InputError:
        text = _UNREADABLE
        if "refused" in answer:
            text = str(answer["refused"])[:300]
        else:
            with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
                text = failed(YOUR_CELL, self._source, Ran(answer, (), code, timed_out)).headline
        text = text.removesuffix(".")
        first = text.split(" ", 1)[0]
        is_name = first.endswith(":") or first == text  # of an exception
        return InputError(f"{self.path}: {text if is_name else text[:1].lower() + text[1:]}")


def _read(stream: IO[bytes], answers: queue.Queue[tuple[dict[str, Any], bytes] | None]) -> None:
    """The answers as they come; None at the end, or where they are none."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, OverflowError, MemoryError):
        while line := stream.readline(_LONGEST_HEAD):
            head = json.loads(line)
            size = 8 * sum(int(np.prod(shape, dtype=np.int64)) for _, shape in head.get("arrays", ()))
            if size < 0 or size > running.MEMORY:
                break
            body = stream.read(size)
            if len(body) < size:
                break
            answers.put((head, body))
    answers.put(None)


def _arrays(shapes: list[list[Any]], body: bytes) -> Params:
    out, at = {}, 0
    for name, shape in shapes:
        size = 8 * int(np.prod(shape, dtype=np.int64))
        out[str(name)] = np.frombuffer(body[at : at + size], np.float64).reshape(shape).copy()
        at += size
    return out
