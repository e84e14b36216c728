"""The compiled kernels' cache and how they come into use: whatever fails, nothing is half there and nobody waits."""

import io
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from rnnviz.nn import (
    compiler,
    compiler_errors,
    engine,
    kernel_cache,
    loaded_kernels,
    loading,
    machine_code,
    numba_engine,
)

CODE = b"machine code" * 1000
RNN, GRU = ("rnn", "float64"), ("gru", "float64")


@pytest.fixture(autouse=True)
def own_cache_left_alone(monkeypatch):
    """What these tests keep is no machine code: it must not get into the cache of whoever runs them."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(kernel_cache, "_of_the_user", lambda: None)
    monkeypatch.setattr(compiler_errors, "path", lambda: None)


@pytest.fixture
def directory(tmp_path, monkeypatch):
    place = tmp_path / "kernels" / ("a" * 20)
    monkeypatch.setattr(kernel_cache, "cache_directory", lambda: place)
    monkeypatch.setattr(kernel_cache, "notes", [])
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    return place


@pytest.fixture
def untouched(monkeypatch):
    """The engines as after an import, and as they were after the test."""
    monkeypatch.setattr(compiler, "IN_PROCESS", False)
    monkeypatch.setattr(loaded_kernels, "_kernels", {})
    monkeypatch.setattr(loaded_kernels, "_background", None)
    monkeypatch.setattr(engine, "_engines", {"numpy": engine.numpy_engine})
    monkeypatch.setattr(engine, "_selected", None)


def eventually(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


# -- the cache -----------------------------------------------------------------------------------------


def test_what_is_kept_is_found_again(directory):
    assert kernel_cache.cached("rnn", "float64") is None
    assert kernel_cache.keep("rnn", "float64", CODE)
    assert kernel_cache.cached("rnn", "float64") == CODE
    assert kernel_cache.cached("rnn", "float32") is None
    assert [path.name for path in directory.iterdir()] == ["rnn-float64.o"]


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: c[:20], lambda c: b"", lambda c: b"\xff" * len(c)])
def test_a_damaged_file_counts_as_missing(directory, damage):
    kernel_cache.keep("rnn", "float64", CODE)
    file = directory / "rnn-float64.o"
    file.write_bytes(damage(file.read_bytes()))
    assert kernel_cache.cached("rnn", "float64") is None


def test_one_wrong_bit_is_noticed():
    content = bytearray(kernel_cache.pack(RNN, CODE))
    assert kernel_cache.unpack(RNN, kernel_cache.next_packed(io.BytesIO(content))) == CODE
    content[-5] ^= 1
    assert kernel_cache.unpack(RNN, bytes(content)) is None


def test_where_nothing_is_writable_nothing_is_kept(monkeypatch, tmp_path):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setattr(kernel_cache, "cache_directory", lambda: file / "kernels" / "key")
    assert not kernel_cache.keep("rnn", "float64", CODE)
    assert kernel_cache.cached("rnn", "float64") is None


def test_only_old_caches_of_other_versions_are_removed(directory):
    old, recent, foreign = (directory.parent / name for name in ("b" * 20, "c" * 20, "somebody else's"))
    for place in (old, recent, foreign):
        place.mkdir(parents=True)
    for place in (old, foreign):
        os.utime(place, (0, 0))
    kernel_cache.keep("rnn", "float64", CODE)
    assert sorted(path.name for path in directory.parent.iterdir()) == sorted([directory.name, "c" * 20, foreign.name])


def test_the_cache_is_named_by_all_it_depends_on(monkeypatch):
    def name():
        kernel_cache.fingerprint.cache_clear()
        return kernel_cache.fingerprint()

    try:
        now = name()
        assert name() == now
        for module, attribute, value in (
            (kernel_cache.rnnviz, "__version__", "99"),
            (kernel_cache, "version", lambda package: "0"),
            (Path, "read_bytes", lambda path: b"other source"),
        ):
            with monkeypatch.context() as change:
                change.setattr(module, attribute, value)
                assert name() != now, attribute
    finally:
        kernel_cache.fingerprint.cache_clear()


def test_the_user_says_where(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    kernel_cache.cache_directory.cache_clear()
    try:
        assert kernel_cache.cache_directory().is_relative_to(tmp_path)
    finally:
        kernel_cache.cache_directory.cache_clear()


# -- the compiler's process ----------------------------------------------------------------------------


STAND_IN = """
import os, sys, time
from rnnviz.nn.compiler import pack
with open(PID, "a") as file:
    file.write(f"{os.getpid()}\\n")
def put(code, cell="rnn"):
    sys.stdout.buffer.write(pack((cell, "float64"), code))
    sys.stdout.flush()
"""


def stand_in(monkeypatch, tmp_path, program):
    """In place of the compiler a program of ours; returns the file into which it writes the ids of its processes."""
    script, pid = tmp_path / "compiler.py", tmp_path / "pid"
    script.write_text(f"PID = {str(pid)!r}\n" + STAND_IN + textwrap.dedent(program))
    once = subprocess.Popen
    monkeypatch.setattr(
        compiler.subprocess, "Popen", lambda command, **options: once([sys.executable, str(script)], **options)
    )
    return pid


def alive(pid_file):
    try:
        os.kill(int(pid_file.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


def test_what_another_process_compiles_is_kept(directory, monkeypatch, tmp_path):
    program = "put(b'one'); put(b'two', 'gru')"
    pid = stand_in(monkeypatch, tmp_path, program)
    wanted = [("rnn", "float64"), ("gru", "float64")]
    found = [(wanted[0], b"one"), (wanted[1], b"two")]
    assert list(compiler.compiled(wanted)) == found
    assert not alive(pid)
    monkeypatch.setattr(compiler.subprocess, "Popen", None)  # the second time nobody is asked
    assert list(compiler.compiled(wanted)) == found


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("sys.exit('no LLVM here')", "no LLVM here"),
        ("sys.stdout.buffer.write(pack(('rnn', 'float64'), b'half of it')[:-3])", "ended with exit code 0"),
        ("print('chatter')", "ended with exit code 0|returned no kernel"),
    ],
)
def test_a_failing_compiler_says_why_and_leaves_nothing(directory, monkeypatch, tmp_path, program, said):
    pid = stand_in(monkeypatch, tmp_path, program)
    with pytest.raises(compiler.CompilerError, match=said):
        list(compiler.compiled([("rnn", "float64")]))
    assert not alive(pid)
    assert kernel_cache.cached("rnn", "float64") is None


def test_no_cache_at_all_still_gives_the_code(monkeypatch, tmp_path):
    monkeypatch.setattr(kernel_cache, "cache_directory", lambda: Path(os.devnull) / "kernels" / "key")
    stand_in(monkeypatch, tmp_path, "put(b'code')")
    assert list(compiler.compiled([("rnn", "float64")])) == [(("rnn", "float64"), b"code")]


def test_the_compiler_stops_when_nobody_waits_for_it():
    command = [sys.executable, "-m", "rnnviz.nn.compiler", "--pipe", "rnn", "float64"]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert run.returncode == 1
    assert run.stdout == b""


# -- into use ------------------------------------------------------------------------------------------


class Kernels:
    """Stands for machine code."""

    def __init__(self, code, cell, dtype):
        self.code = code


def test_start_uses_one_cell_and_keeps_the_others_for_later(directory, untouched, monkeypatch, tmp_path):
    monkeypatch.setattr(loading, "MachineCode", Kernels)
    stand_in(
        monkeypatch,
        tmp_path,
        "put(b'l', 'lstm'); put(b'r'); put(b'g', 'gru'); put(b'm', 'mingru'); put(b'i', 'indrnn'); put(b'u', 'lru')",
    )
    ready = []
    handle = loading.start(ready.append, cell="lstm")
    assert eventually(lambda: kernel_cache.cached("gru", "float64"))
    assert ready == ["lstm"]
    assert engine.current().name == "numba"
    assert loaded_kernels.loaded("rnn", "float64") is None
    handle.request("gru", "float64")
    assert eventually(lambda: ready == ["lstm", "gru"])
    assert loaded_kernels.loaded("gru", "float64").code == b"g"
    handle.stop()
    assert not handle.running


def test_a_cached_cell_does_not_wait_for_the_cells_that_are_being_compiled(directory, untouched, monkeypatch, tmp_path):
    monkeypatch.setattr(loading, "MachineCode", Kernels)
    kernel_cache.keep("mingru", "float64", b"m")
    pid = stand_in(monkeypatch, tmp_path, "put(b'r'); time.sleep(600)")  # the next cell takes long
    ready = []
    handle = loading.start(ready.append)
    assert eventually(lambda: pid.exists() and pid.read_text() and ready == ["rnn"])
    handle.request("mingru", "float64")
    assert eventually(lambda: ready == ["rnn", "mingru"])
    handle.stop()


def test_a_cell_that_is_loaded_already_is_used(directory, untouched, monkeypatch):
    """As by an earlier app of the same process, or by a test that put the engines back."""
    kernel_cache.keep("rnn", "float64", b"r")
    for cell in ("lstm", "gru", "mingru", "indrnn", "lru"):
        kernel_cache.keep(cell, "float64", b"x")
    loaded_kernels.install("rnn", "float64", Kernels(b"r", "rnn", "float64"))
    ready = []
    handle = loading.start(ready.append)
    assert eventually(lambda: ready == ["rnn"])
    assert engine.current().name == "numba"
    handle.stop()


def test_a_failure_is_silent_and_numpy_stays(directory, untouched, monkeypatch, tmp_path, capfd):
    pid = stand_in(monkeypatch, tmp_path, "sys.exit('no LLVM here')")
    ready = []
    handle = loading.start(ready.append)
    assert eventually(lambda: pid.exists() and pid.read_text())
    assert eventually(lambda: not alive(pid))
    handle.stop()
    assert ready == []
    assert engine.current().name == "numpy"
    assert capfd.readouterr() == ("", "")


def test_stop_ends_the_compiler(directory, untouched, monkeypatch, tmp_path):
    pid = stand_in(monkeypatch, tmp_path, "time.sleep(600)")
    handle = loading.start()
    assert eventually(lambda: pid.exists() and pid.read_text())
    handle.stop()
    assert not handle.running
    assert not alive(pid)
    handle.stop()


def test_start_does_not_wait(directory, untouched, monkeypatch):
    never = threading.Event()
    monkeypatch.setattr(compiler, "compiled", lambda *a, **k: never.wait() or iter(()))
    handle = loading.start()
    assert handle.running
    never.set()
    handle.stop()


def test_until_then_numpy_computes(directory, untouched, monkeypatch):
    from rnnviz.nn import Model

    monkeypatch.setattr(compiler, "compiled", lambda *a, **k: iter(()))
    handle = loading.start()
    assert eventually(lambda: loaded_kernels._background is handle)
    model = Model.create(cell="gru", seed=1)
    x = [[[0.5]], [[1.0]]]
    assert (model.forward(x) == model.trace(x, x, engine="numba").y).all()
    assert not numba_engine.ready(model.spec)
    handle.stop()


def test_without_memory_llvm_is_not_asked(monkeypatch):
    """It would end the process."""
    monkeypatch.setattr(machine_code, "ROOM", 1 << 62)
    monkeypatch.setattr(machine_code, "_llvm", None)
    with pytest.raises(MemoryError):
        machine_code.MachineCode(b"", "rnn", "float64")


# -- with the real compiler ----------------------------------------------------------------------------

USE = """
import os, sys
import numpy as np
import rnnviz
from rnnviz.nn import Model, engine
engine.select("numba")
model = Model.create(hidden_size=4, seed=1)
trace = model.trace(np.ones((3, 1, 1)), np.zeros((3, 1, 1)))
other = model.trace(np.ones((3, 1, 1)), np.zeros((3, 1, 1)), engine="numpy")
assert np.allclose(trace.grad_h, other.grad_h, rtol=0, atol=1e-14)
assert trace.engine.name == "numba" and "numba" not in sys.modules
print(os.path.dirname(rnnviz.__file__), file=sys.stderr)
print("computed")
"""


def using(environment, folder=None):
    return subprocess.Popen(
        [sys.executable, "-c", USE],
        env={**os.environ, "XDG_CACHE_HOME": f"{os.devnull}/cache", **environment},  # not what is compiled already
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def assert_computed(process):
    out, err = process.communicate(timeout=300)
    assert (out, process.returncode) == ("computed\n", 0), err
    return err.strip()


compiled_only = pytest.mark.skipif(compiler.IN_PROCESS, reason="kernels run inside the process")


@pytest.mark.slow
@compiled_only
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_an_interrupted_compilation_leaves_no_trace_and_then_two_processes_compile_at_once(tmp_path):
    run = using({"NUMBA_CACHE_DIR": str(tmp_path)})
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
    assert eventually(lambda: "rnnviz.nn.compiler" in commands(children))
    child = int(children.read_text().split()[0])
    run.kill()
    run.communicate()
    assert eventually(lambda: not Path(f"/proc/{child}").exists()), "the compiler outlived who asked for it"
    assert list(tmp_path.glob("*/*/*.o")) == []
    for run in [using({"NUMBA_CACHE_DIR": str(tmp_path)}) for _ in range(2)]:
        assert_computed(run)
    assert [path.name for path in tmp_path.glob("*/*/[!.]*")] == ["rnn-float64.o"]


def commands(children):
    numbers = children.read_text().split() if children.exists() else []
    return " ".join(Path(f"/proc/{n}/cmdline").read_text() for n in numbers if Path(f"/proc/{n}").exists())


WITHOUT_SCIPY = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "scipy":
            raise ImportError("scipy is blocked here")
sys.meta_path.insert(0, Blocked())
"""
TRAIN = """
import numpy as np
from rnnviz.nn import Data, Model, Optimizer, Training
try:
    import scipy
except ImportError:
    print("no scipy", file=sys.stderr)
x = np.random.default_rng(0).standard_normal((16, 5, 1))
runs = [Training(model, Data(x, x), None, Optimizer("adam"), engine=name) for name in ("numpy", "numba")]
losses = [run.run_epoch() and run.history["loss"][-1] for run in runs]
assert np.isclose(*losses, rtol=1e-12), losses
"""


@pytest.mark.slow
@compiled_only
def test_nothing_but_a_temporary_folder_can_be_written_and_nothing_needs_scipy(tmp_path, monkeypatch):
    """All that may be missing at once, as a compilation takes long: neither the process that computes nor the one that
    compiles can import SciPy; the home is a file, as permissions do not bind root; and the package is an installed copy
    whose folders are read-only, in which nothing may be left either (not even by root)."""
    site, home, temporary = (tmp_path / name for name in ("site", "home", "tmp"))
    copy = site / "rnnviz"
    shutil.copytree(Path(compiler.rnnviz.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (site / "sitecustomize.py").write_text(WITHOUT_SCIPY)
    before = sorted(site.rglob("*"))
    for place in (site, *(p for p in before if p.is_dir())):
        place.chmod(0o555)
    home.touch()
    temporary.mkdir()
    environment = {
        "PYTHONPATH": str(site),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "NUMBA_CACHE_DIR": "",
        "TMPDIR": str(temporary),
    }
    monkeypatch.setattr(sys.modules[__name__], "USE", USE + TRAIN)
    said = assert_computed(using(environment, tmp_path)).splitlines()
    assert said == [str(copy), "no scipy"]
    assert sorted(site.rglob("*")) == before
    assert sorted(tmp_path.iterdir()) == sorted([site, home, temporary])
