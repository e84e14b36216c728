"""What only POSIX has is hidden, as on Windows: everything starts and works all the same.

In a Python of its own each. The standard library and the libraries that look at sys.platform instead have imported
what they need before.
"""

import subprocess
import sys
from pathlib import Path

import pytest

LESSON = Path(__file__).parents[1] / "lessons" / "01-sequences-and-memory.md"

HIDE = """
import asyncio, concurrent.futures.thread, os, pathlib, select, shutil, signal, socket, subprocess, sys, tempfile
import platformdirs.unix, plotext

MODULES = "termios fcntl resource pwd grp tty pty curses readline syslog".split()
SIGNALS = "HUP QUIT TSTP CONT WINCH USR1 USR2 ALRM TTIN TTOU XCPU KILL STOP CHLD PIPE".split()
IN_OS = (
    "getuid geteuid getgid getpgrp getpgid getsid setsid tcgetpgrp tcsetpgrp killpg nice ttyname fork "
    "pidfd_open posix_spawn mkfifo fchmod chown getloadavg sched_getaffinity openpty O_NONBLOCK O_NOCTTY O_CLOEXEC "
    "O_NOFOLLOW O_DIRECTORY"
).split()
for name in MODULES:
    sys.modules[name] = None
for name in SIGNALS:
    if hasattr(signal, "SIG" + name):
        delattr(signal, "SIG" + name)
for name in ("pthread_sigmask", "setitimer", "alarm", "pause", "sigwait"):
    delattr(signal, name)
for name in IN_OS:
    if hasattr(os, name):
        delattr(os, name)
del select.poll
"""

APP = """
import asyncio
from rnnviz.tui.app import RnnvizApp
from rnnviz.lessons.course import Start

async def main():
    for start in (None, Start()):
        app = RnnvizApp(start=start)
        async with app.run_test(size=(80, 24)) as pilot:
            await app.settled()
            await pilot.press("right", "b", "ctrl+z")
            await app.settled()
            assert "[suspend] needs a shell" in app.main.view.notice.text, app.main.view
            await pilot.press("n", "q")
        assert app.return_code == 0, app.return_code
    print("done")

asyncio.run(main())
"""

IMPORT_ALL = """
import importlib, pkgutil
import rnnviz

missing = []
for module in pkgutil.walk_packages(rnnviz.__path__, "rnnviz."):
    if not module.name.endswith("__main__"):
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            if error.name not in ("keras", "lightning", "pytorch_lightning", "aiohttp"):  # their users' own
                missing.append(module.name)
print(*missing)
"""
POSIX_ONLY = [
    "rnnviz.attach",
    "rnnviz.cli.hosted",
    "rnnviz.cli.hosting",
    "rnnviz.serving.terminal",
    "rnnviz.tui.driver",
    "rnnviz.tui.output_queue",
]  # `rnnviz host`, a pty, and the driver of a POSIX terminal; Textual brings Windows its own

RECORD = """
import numpy as np, rnnviz
weights = {"weight_ih_l0": np.ones((3, 2)), "weight_hh_l0": np.ones((3, 3))}
layer = rnnviz.LayerRecord(cell="rnn", weights=weights, x=np.ones((4, 1, 2)), direct=np.ones((4, 1, 3)))
with rnnviz.Recorder("run", limit=10_000) as recorder:
    for step in range(30):
        recorder.add(step=step, layers={"rnn": layer})
rnnviz.Recorder("run", append=True).add(step=99, layers={"rnn": layer})
recording = rnnviz.Recording.open("run")
print(recording.steps[0], recording.steps[-1], len(recording) < 20, recording[0].trace().T)
"""

COLLECT = """
import pytest
sys.path.insert(0, {root!r})
sys.exit(pytest.main(["--rootdir={root}", "{root}/tests", "--collect-only", "-qq", "-p", "no:cacheprovider"]))
"""

COMMAND = "from rnnviz.cli.main import main; sys.exit(main({!r}))"


def hidden(code: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "USERPROFILE": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    return subprocess.run(
        [sys.executable, "-c", HIDE + code], env=env, capture_output=True, text=True, timeout=120, cwd=tmp_path
    )


@pytest.mark.slow
def test_every_module_can_be_imported(tmp_path):
    run = hidden(IMPORT_ALL, tmp_path)
    assert (run.returncode, run.stdout.split(), run.stderr) == (0, POSIX_ONLY, "")


@pytest.mark.slow
def test_the_tests_can_be_collected(tmp_path):
    run = hidden(COLLECT.format(root=str(LESSON.parents[1])), tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "tests/tui/test_app.py" in run.stdout


@pytest.mark.slow
def test_the_app(tmp_path):
    run = hidden(APP, tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")
    assert (tmp_path / "data" / "rnnviz" / "progress.json").exists()


def test_a_recording(tmp_path):
    run = hidden(RECORD, tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (0, "0 99 True 4\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--version"], 0, "rnnviz"),
        (["--free"], 2, "needs a terminal"),
        (["no-such"], 2, "no-such"),
        pytest.param(["train", "--epochs", "1"], 0, "loss", marks=pytest.mark.slow),
        pytest.param(["gradients"], 0, "‖", marks=pytest.mark.slow),
        pytest.param(["lessons"], 0, "Sequences and memory", marks=pytest.mark.slow),
        pytest.param(["lessons", "check", str(LESSON)], 0, "", marks=pytest.mark.slow),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_commands(arguments, code, said, tmp_path):
    run = hidden(COMMAND.format(arguments), tmp_path)
    assert run.returncode == code, run.stderr
    assert said in run.stdout + run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.slow
def test_the_compiler(tmp_path):
    code = """
from rnnviz.nn import loading
handle = loading.start()
assert handle.running
handle.stop()
assert not handle.running
"""
    run = hidden(code, tmp_path)
    assert run.stderr == ""
