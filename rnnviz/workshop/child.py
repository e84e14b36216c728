"""The process that a learner's file runs in: `python -I child.py`, with its job on stdin and its answer on stdout.

    job     one JSON object: path, source, packages (where NumPy is), seconds, memory, calls
    answer  a JSON object a line: {"began": …}, then one of
            {"returned": [one for each call], "unwritten": […]}, {"raised": …}, {"stopped": line}, {"missing": name}

The file is not imported, and it is not `__main__`: what stands below `if __name__ == "__main__":` is the learner's own.
What it prints goes to stderr, and it reads an empty stdin. The parent trusts nothing of the answer: the exact numbers
are not in this process. Imports the standard library and NumPy alone, nothing of rnnviz.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import signal
import sys
import traceback
from types import FrameType
from typing import Any

MOST_NUMBERS = 20_000  # of an array in the answer
LONGEST_FILE = 16 << 20  # bytes that it may write to any file
EPSILON = 1e-5


def main() -> None:
    job = json.loads(sys.stdin.buffer.read())
    answer = _Answer()
    answer.write({"began": True})
    sys.path.append(job["packages"])
    import numpy as np

    limit(job)
    _alarm(job["path"], job["seconds"], answer)
    names: dict[str, Any] = {"__name__": "workshop", "__file__": job["path"], "__builtins__": __builtins__}
    try:
        tree, unwritten = without_unwritten(ast.parse(job["source"], job["path"]))
        code = compile(tree, job["path"], "exec", dont_inherit=True)
        exec(code, names)
        for name in job["functions"]:
            if not callable(names.get(name)):
                answer.end({"missing": name})
        with contextlib.suppress(Exception):
            np.seterr(all="ignore")
        run = own_cell if job["own"] else call
        returned = [run(names, one, np) for one in job["calls"]]
    except BaseException as error:
        answer.end({"raised": raised(error, job["path"], job["source"])})
    answer.end({"returned": returned, "unwritten": unwritten})


def without_unwritten(tree: ast.Module) -> tuple[ast.Module, list[list[Any]]]:
    """The program without statements `name[…] = ...`, which NumPy would refuse, so that what is written already can be
    compared; and of each statement the name, the index if it is a number, and the line."""
    found: list[list[Any]] = []

    class Without(ast.NodeTransformer):
        def visit_Assign(self, node: ast.Assign) -> ast.AST:
            is_empty = isinstance(node.value, ast.Constant) and node.value.value is ...
            target = node.targets[0]
            if not (is_empty and isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name)):
                return node
            index = target.slice.value if isinstance(target.slice, ast.Constant) else None
            found.append([target.value.id, index if isinstance(index, int) else None, node.lineno])
            return ast.copy_location(ast.Pass(), node)

    return ast.fix_missing_locations(Without().visit(tree)), found


class _Answer:
    """The way to the parent: stdout as it was at the start. Afterwards stdout is stderr, and stdin is empty."""

    def __init__(self) -> None:
        self._number = os.dup(1)
        self._process = os.getpid()
        os.dup2(2, 1)
        empty = os.open(os.devnull, os.O_RDONLY)
        os.dup2(empty, 0)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115

    def write(self, line: dict[str, Any]) -> None:
        data = json.dumps(line).encode() + b"\n"
        while data:
            data = data[os.write(self._number, data) :]

    def end(self, line: dict[str, Any]) -> None:
        """Write the last line and end the process, whatever threads still run in it."""
        if os.getpid() == self._process:  # a copy of the process, which the file has made, has nothing to say
            self.write(line)
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(0)


def limit(job: dict[str, Any]) -> None:
    """The limits that this system has."""
    try:
        import resource
    except ImportError:  # Windows: the parent's clock alone
        return
    limits = [("RLIMIT_AS", job["memory"]), ("RLIMIT_FSIZE", LONGEST_FILE), ("RLIMIT_CORE", 0)]
    if "seconds" in job:
        limits.append(("RLIMIT_CPU", int(job["seconds"]) + 2))
    for name, most in limits:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            number = getattr(resource, name)
            hard = resource.getrlimit(number)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(number, (most, most))


def _alarm(path: str, seconds: float, answer: _Answer) -> None:
    """End after so many seconds, with the line of the file that was running."""

    def ring(number: int, frame: FrameType | None) -> None:
        while frame is not None and frame.f_code.co_filename != path:
            frame = frame.f_back
        answer.end({"stopped": None if frame is None else frame.f_lineno})

    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def raised(error: BaseException, path: str, source: str) -> dict[str, Any]:
    """The kind of an exception, its words, the line of the file that it came from, and the name of a variable in that
    line that is still `...`."""
    line = None
    if isinstance(error, SyntaxError) and error.filename == path:
        line = error.lineno
    with contextlib.suppress(Exception):
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        line = line or (lines[-1] if lines else None)
    unwritten = None
    with contextlib.suppress(Exception):
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == path]
        used = set(re.findall(r"\w+", source.splitlines()[line - 1].partition("=")[2])) if line else set()
        unwritten = next((name for name, one in frames[-1].f_locals.items() if one is ... and name in used), None)
    words = ""
    with contextlib.suppress(BaseException):
        words = str(error.msg if isinstance(error, SyntaxError) else error)[:500]
    kinds = [kind.__name__ for kind in type(error).__mro__]
    return {"kind": kinds[0], "kinds": kinds, "words": words, "line": line, "unwritten": unwritten}


def call(names: dict[str, Any], one: dict[str, Any], np: Any) -> dict[str, Any]:
    """One call of the function: what it returned, and which arguments it changed."""
    given = {name: _array(value, np) for name, value in one["arguments"].items()}
    returned = names[one["function"]](*given.values())
    changed = [
        name for name, value in one["arguments"].items()
        if isinstance(value, list) and _described(given[name], np) != _described(_array(value, np), np)
    ]  # fmt: skip
    return {"values": _values(returned, np), "changed": changed}


def _array(value: Any, np: Any) -> Any:
    return np.array(value, dtype=np.float64) if isinstance(value, list) else value


def _values(returned: Any, np: Any) -> list[dict[str, Any]]:
    """What a function returned: a tuple or list of arrays, or one value."""
    is_several = isinstance(returned, tuple) or (isinstance(returned, list) and not _is_numbers(returned, np))
    return [_described(value, np) for value in (returned[:50] if is_several else (returned,))]


def _is_numbers(value: Any, np: Any) -> bool:
    return all(isinstance(one, int | float | np.number) for one in value)


def _described(value: Any, np: Any) -> dict[str, Any]:
    """A value as JSON: kind, and of an array its dtype, shape and numbers."""
    if value is None:
        return {"kind": "None"}
    if value is ...:
        return {"kind": "unwritten"}
    if isinstance(value, dict):
        return {
            "kind": "dict",
            "entries": {str(name)[:80]: _described(one, np) for name, one in list(value.items())[:50]},
        }
    try:
        array = np.asarray(value)
    except Exception as error:
        return {"kind": "other", "type": type(value).__name__, "words": str(error)[:200]}
    if array.dtype.kind not in "fiub":
        if array.dtype.kind == "O" and any(one is ... for one in array.reshape(-1)[:1000]):
            return {"kind": "unwritten"}
        return {"kind": "other", "type": type(value).__name__, "dtype": str(array.dtype)}
    shape = [int(n) for n in array.shape]
    if array.size > MOST_NUMBERS:
        return {"kind": "array", "dtype": str(array.dtype), "shape": shape, "numbers": None}
    numbers = [float(number) for number in array.reshape(-1)]
    return {"kind": "array", "dtype": str(array.dtype), "shape": shape, "numbers": numbers}


# -- a cell of one's own -----------------------------------------------------------------------------------


def own_cell(names: dict[str, Any], one: dict[str, Any], np: Any) -> dict[str, Any]:
    """One step of the learner's cell, its backward pass, and the same gradients by central differences of the step."""
    I, H = one["I"], one["H"]  # noqa: E741
    rng = np.random.default_rng(one["seed"])
    h_before, x_t, grad_h = rng.uniform(-0.9, 0.9, H), rng.normal(size=I), rng.normal(size=H)
    params = names["parameters"](I, H, np.random.default_rng(one["seed"] + 1))
    found: dict[str, Any] = {"params": _described(params, np)}
    if not isinstance(params, dict) or any(one.get("kind") != "array" for one in found["params"]["entries"].values()):
        return found
    params = {name: np.array(value, dtype=np.float64) for name, value in params.items()}

    def copies() -> Any:
        return {name: value.copy() for name, value in params.items()}, h_before.copy(), x_t.copy()

    given = copies()
    h = names["step"](*given)
    found["h"] = _described(h, np)
    if found["h"].get("shape") != [H]:
        return found
    found["h_again"] = _described(names["step"](*copies()), np)
    found["changed"] = _changed(given, copies(), np)

    def moved(place: Any, index: int, by: float) -> Any:
        arguments = copies()
        array = arguments[0][place] if isinstance(place, str) else arguments[place]
        array.reshape(-1)[index] += by
        return np.array(names["step"](*arguments), dtype=np.float64)

    def jacobian(place: Any, array: Any) -> Any:
        columns = [
            (moved(place, n, EPSILON) - moved(place, n, -EPSILON)) / (2 * EPSILON) for n in range(array.size)
        ]  # fmt: skip
        return np.array(columns).reshape(array.size, H)

    exact: dict[str, Any] = {}
    places = [(1, "grad_h_before", h_before), (2, "grad_x", x_t)]
    for place, name, array in (*places, *((name, f"grad_params[{name}]", a) for name, a in params.items())):
        by = jacobian(place, array)
        exact[name] = _described((by @ grad_h).reshape(array.shape), np)
        found.setdefault("moves", {})[name] = float(np.abs(by).max(initial=0.0))
    found["exact"] = exact
    given = copies()
    found["values"] = _values(names["backward_step"](*given, grad_h.copy()), np)
    found["changed"] += _changed(given, copies(), np)
    return found


def _changed(given: Any, before: Any, np: Any) -> list[str]:
    """The names of the arguments that a function has changed."""
    names = [name for name in before[0] if not np.array_equal(given[0].get(name), before[0][name])]
    return [
        *names,
        *(
            name
            for name, now, then in zip(("h_before", "x_t"), given[1:], before[1:], strict=True)
            if not np.array_equal(now, then)
        ),
    ]


if __name__ == "__main__":
    main()
