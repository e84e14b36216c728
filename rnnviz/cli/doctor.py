"""`rnnviz doctor`: what rnnviz uses here (versions, machine, places, configuration, terminal, engine), and any
problems; a text to paste into a report, with ~ for the home folder and without the user's name.

Numba is imported and kernels are loaded in another process: if they crash there, this one continues.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import rnnviz
from rnnviz import files, terminal
from rnnviz.cli import doctor_machine, doctor_terminal
from rnnviz.cli.command import Options
from rnnviz.cli.output import Output, paragraph, print_json
from rnnviz.cli.terminal_answers import Answers
from rnnviz.nn import compiler, compiler_errors, kernel_cache
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.compiler_errors import version_of

PACKAGES = ("numpy", "numba", "llvmlite", "textual", "rich", "plotext")
SECONDS = 60.0  # the longest wait for another process


def run(options: Options) -> int:
    answered = doctor_terminal.answers()  # first: what a person types ahead is left where it is
    found = doctor_machine.without_name(findings(answered))
    if options["json"]:
        print_json(found)
    else:
        _write(Output(), found)
    return 1 if found["problems"] else 0


def findings(answered: Answers) -> dict[str, Any]:
    """Everything the command prints, as plain values. problems: one sentence for each problem."""
    problems: list[str] = []
    config, own = doctor_machine.config(problems)
    screen = doctor_terminal.findings(answered, terminal.CHOICES.get(own.color or "auto"), problems)
    machine = doctor_machine.machine(problems)
    paths, writable = _paths(problems)
    import_error = _import_error()
    if import_error:
        problems.append("numba cannot be imported, so no kernel can be compiled.")
    kernels = _kernels(problems)
    last = compiler_errors.last()
    if last is not None:
        problems.append(
            "A kernel could not be compiled or loaded; see the last compiler error. Start rnnviz to try again."
        )
    return {
        "versions": {"rnnviz": rnnviz.__version__, "python": platform.python_version(), **_versions(problems)},
        "platform": platform.platform(),
        "executable": sys.executable,
        "machine": machine,
        "paths": paths,
        "writable": writable,
        "config": config,
        "terminal": screen,
        "engine": _engine(kernels, import_error, last),
        "kernels": kernels,
        "import_error": import_error,
        "last_compiler_error": last,
        "problems": problems,
    }


def _versions(problems: list[str]) -> dict[str, str | None]:
    versions = {name: version_of(name) for name in PACKAGES}
    problems += [f"{name} is not installed." for name, version in versions.items() if version is None]
    return versions


def _paths(problems: list[str]) -> tuple[dict[str, str | None], dict[str, bool]]:
    paths: dict[str, str | None] = {}
    writable: dict[str, bool] = {}
    for kind, what in (("data", "lesson progress is"), ("cache", "compiled kernels are"), ("logs", "tracebacks are")):
        folder = files.user_folder("state" if kind == "logs" else kind)
        paths[kind] = None if folder is None else str(folder)
        writable[kind] = folder is not None and _can_be_written(folder)
        if not writable[kind]:
            problems.append(
                f"The folder for {kind} ({folder or 'no home folder'}) cannot be written: {what} not saved."
            )
    return paths, writable


def _can_be_written(folder: Path) -> bool:
    """Whether files can be written to the folder, or it can be made. Makes nothing."""
    for place in (folder, *folder.parents):
        if place.exists():
            return place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    return False


def _import_error() -> str | None:
    """The full error of importing numba; None if it can be imported."""
    return _in_another_process("import llvmlite.binding, numba")[1]


def _in_another_process(code: str, *arguments: str) -> tuple[str, str | None]:
    """(output, full error or None) of this code in another process: broken machine code ends a process by a signal."""
    path = os.pathsep.join(filter(None, (str(Path(rnnviz.__file__).parents[1]), os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, *arguments],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return "", str(error)
    if done.returncode == 0:
        return done.stdout, None
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
    return done.stdout, done.stderr.strip() or f"the process ended with {how}"


_LOAD = """
import sys
from rnnviz.nn.kernel_cache import cached
from rnnviz.nn.machine_code import MachineCode
for cell in sys.argv[1:]:
    MachineCode(cached(cell, "float64"), cell, "float64")
    print(cell, flush=True)
"""


def _kernels(problems: list[str]) -> dict[str, str]:
    """The state of each cell's kernels: "compiled", "not compiled yet", or the problem with them."""
    kernels: dict[str, str] = {}
    try:
        for cell in CELLS:
            if kernel_cache.cached(cell, "float64") is not None:
                kernels[cell] = "compiled"
            elif kernel_cache.is_damaged(cell, "float64"):
                kernels[cell] = "damaged; rnnviz compiles them again at the next start"
                problems.append(f"The compiled kernels of {cell} are damaged. Start rnnviz to compile them again.")
            else:
                kernels[cell] = "not compiled yet"
        problems += kernel_cache.notes
    except Exception as error:  # no numba, no llvmlite
        problems.append(f"The cache of compiled kernels cannot be read: {type(error).__name__}: {error}.")
    there = [cell for cell, state in kernels.items() if state == "compiled"]
    while there:
        loaded, error_text = _in_another_process(_LOAD, *there)
        there = there[len(loaded.split()) :]
        if there:
            why = (error_text or "").splitlines()[-1:]
            kernels[there[0]] = f"cannot be loaded: {''.join(why)}"
            folder = kernel_cache.existing_directory()
            problems.append(f"The compiled kernels of {there[0]} cannot be loaded. Remove the folder {folder}.")
            there = there[1:]
    return kernels


def _engine(kernels: dict[str, str], import_error: str | None, last: str | None) -> dict[str, str]:
    states = set(kernels.values())
    if compiler.IN_PROCESS:
        return {"name": "numpy", "reason": "NUMBA_DISABLE_JIT or NUMBA_BOUNDSCHECK is set"}
    if states == {"compiled"}:
        return {"name": "numba", "reason": "the kernels of all cells are compiled and can be loaded"}
    if import_error or last is not None or not kernels:
        some = " for some cells" if "compiled" in states else ""
        return {"name": "numpy", "reason": f"the compiled engine is unavailable{some}; the numbers are the same"}
    return {"name": "numba", "reason": "missing kernels are compiled when rnnviz starts; until then numpy computes"}


def _write(out: Output, found: dict[str, Any]) -> None:
    for name, version in found["versions"].items():
        out.print(f"{name:<12}{version or 'not installed'}")
    out.print(f"{'platform':<12}{found['platform']}")
    out.print(f"{'executable':<12}{found['executable']}")
    for name, text in doctor_machine.lines(found["machine"]):
        out.print(f"{name:<12}{text}")
    out.print()
    for kind, path in found["paths"].items():
        out.print(f"{kind:<12}{path or 'none'}{'' if found['writable'][kind] else '  (cannot be written)'}")
    state = found["config"]["mistake"] or found["config"]["state"]
    out.print(f"{'config':<12}{found['config']['path'] or 'none'}  ({state})")
    out.print()
    for name, text in doctor_terminal.lines(found["terminal"]):
        out.print(f"{name:<12}{text}")
    out.print()
    out.print(f"{'engine':<12}{found['engine']['name']}: {found['engine']['reason']}")
    for cell, state in found["kernels"].items():
        out.print(f"{'':<12}{cell}: {state}")
    for title, key in (("import error", "import_error"), ("last compiler error", "last_compiler_error")):
        if found[key]:
            out.print(f"\n{title}:")
            out.print(found[key].rstrip())
    out.print()
    for problem in found["problems"]:
        for line in paragraph(problem, out.width - 2, initial_indent="✗ ", subsequent_indent="  "):
            out.print(line)
    if not found["problems"]:
        out.print("✓ No problems found.")
