"""`rnnviz doctor` says what is wrong with the engine, and whatever is wrong it runs itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rnnviz.nn.compiler import compiled

FIELDS = {
    "versions",
    "platform",
    "executable",
    "machine",
    "paths",
    "writable",
    "config",
    "terminal",
    "engine",
    "kernels",
    "import_error",
    "last_compiler_error",
    "problems",
}
#: Begins to compile as the app does, and prints what it is told.
START = """
import time
from rnnviz.nn import loading
notes = []
handle = loading.start(on_note=notes.append)
end = time.monotonic() + 30
while not notes and time.monotonic() < end:
    time.sleep(0.02)
handle.stop()
print("\\n".join(notes))
"""
COMPILE_ONE = "from rnnviz.nn.compiler import compiled; list(compiled([('rnn', 'float64')]))"
#: In place of rnnviz/nn/kernels/build.py.
TRANSLATED = """
import pathlib, sys, types
build = sys.modules["rnnviz.nn.kernels.build"] = types.ModuleType("build")
build.build = lambda cell, dtype: (pathlib.Path(__file__).parent / f"{cell}-{dtype}.o").read_bytes()
"""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has just installed rnnviz."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "XDG_"))}
    return {**ours, "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}


def with_numba(home: dict[str, str], source: str) -> dict[str, str]:
    """Another numba comes first."""
    package = Path(home["HOME"]) / "stub" / "numba"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(source)
    return {**home, "PYTHONPATH": f"{package.parent}{os.pathsep}{home['PYTHONPATH']}"}


def with_code_of_this_user(home: dict[str, str]) -> dict[str, str]:
    """The compiler's process translates nothing, which takes long: it returns the code that is compiled already."""
    ((_, code),) = compiled([("rnn", "float64")])
    folder = Path(home["HOME"]) / "translated"
    folder.mkdir()
    (folder / "rnn-float64.o").write_bytes(code)
    (folder / "sitecustomize.py").write_text(TRANSLATED)
    return {**home, "PYTHONPATH": f"{folder}{os.pathsep}{home['PYTHONPATH']}"}


def python(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], env=environ, capture_output=True, text=True, timeout=300)


def doctor(environ: dict[str, str], code: int) -> dict[str, Any]:
    done = python(environ, "-m", "rnnviz", "doctor", "--json")
    assert (done.returncode, done.stderr) == (code, "")
    found: dict[str, Any] = json.loads(done.stdout)
    assert set(found) == FIELDS
    return found


def test_all_is_well_in_a_new_home(home: dict[str, str]) -> None:
    found = doctor(home, 0)
    assert found["problems"] == []
    assert found["kernels"]["lstm"] == "not compiled yet"
    assert found["engine"]["name"] == "numba"
    assert found["paths"]["cache"] == "~/.cache/rnnviz"
    assert not (Path(home["HOME"]) / ".cache" / "rnnviz").exists(), "looking makes nothing"


@pytest.mark.slow
def test_a_numba_that_cannot_be_imported(home: dict[str, str]) -> None:
    environ = with_numba(home, "raise ImportError('this numba needs another LLVM')\n")
    assert python(environ, "-c", START).stdout == "Compiled engine unavailable: see rnnviz doctor\n"
    found = doctor(environ, 1)
    assert found["engine"]["name"] == "numpy"
    for key in ("import_error", "last_compiler_error"):
        assert "ImportError: this numba needs another LLVM" in found[key]
        assert "Traceback" in found[key]
    plain = python(environ, "-m", "rnnviz", "doctor")
    assert (plain.returncode, plain.stderr) == (1, "")
    assert "ImportError: this numba needs another LLVM" in plain.stdout
    assert all(problem.split()[0] in plain.stdout for problem in found["problems"])


@pytest.mark.slow
def test_a_compiler_that_is_killed(home: dict[str, str]) -> None:
    source = "import os, signal, sys\nif '--pipe' in sys.orig_argv: os.kill(os.getpid(), signal.SIGKILL)\n"
    environ = with_numba(home, source)
    assert "rnnviz doctor" in python(environ, "-c", START).stdout
    found = doctor(environ, 1)
    assert found["import_error"] is None
    assert "signal 9 ended the compiler" in found["last_compiler_error"]
    assert found["engine"]["name"] == "numpy"


@pytest.mark.parametrize(
    "damage",
    ["content[:-10]", pytest.param("b''", marks=pytest.mark.slow), pytest.param("b'x' * 100", marks=pytest.mark.slow)],
)
def test_a_damaged_object_file(home: dict[str, str], damage: str) -> None:
    keep = "from rnnviz.nn import kernel_cache as k; assert k.keep('gru', 'float64', b'code'); "
    keep += "p = k.existing_directory() / 'gru-float64.o'; content = p.read_bytes(); "
    assert python(home, "-c", f"{keep}p.write_bytes({damage})").stderr == ""
    found = doctor(home, 1)
    assert found["kernels"]["gru"].startswith("damaged")
    assert found["kernels"]["rnn"] == "not compiled yet"


def test_an_object_file_that_is_no_machine_code(home: dict[str, str]) -> None:
    keep = "from rnnviz.nn import kernel_cache as k; assert k.keep('rnn', 'float64', b'no machine code')"
    assert python(home, "-c", keep).stderr == ""
    found = doctor(home, 1)
    assert found["kernels"]["rnn"].startswith("cannot be loaded")
    assert "Remove the folder" in found["problems"][0]


def test_a_home_that_cannot_be_written(home: dict[str, str]) -> None:
    file = Path(home["HOME"]) / "file"
    file.write_text("")
    found = doctor({**home, "HOME": str(file)}, 1)
    assert found["writable"] == {"data": False, "cache": False, "logs": False}
    broken = with_numba(home, "raise RuntimeError('no')\n")
    assert "rnnviz doctor" in python({**broken, "HOME": str(file)}, "-c", START).stdout
    assert "RuntimeError: no" in doctor({**broken, "HOME": str(file)}, 1)["import_error"]


@pytest.mark.slow
def test_the_error_is_forgotten_once_the_compiler_works(home: dict[str, str]) -> None:
    broken = with_numba(home, "raise ImportError('no')\n")
    python(broken, "-c", START)
    assert doctor(home, 1)["last_compiler_error"] is not None
    assert python(with_code_of_this_user(home), "-c", COMPILE_ONE).returncode == 0
    found = doctor(home, 0)
    assert found["last_compiler_error"] is None
    assert found["kernels"]["rnn"] == "compiled"
