"""Files that do harm, by mistake or on purpose: each ends with one clear result, none passes, and nothing is left."""

from __future__ import annotations

import os
import threading
import time
import uuid
from pathlib import Path

import pytest

from rnnviz.workshop import running
from rnnviz.workshop.check import check
from rnnviz.workshop.exercises import EXERCISES
from rnnviz.workshop.report import lines
from tests.terminal.driver import MARK, marked
from tests.workshop.programs import RIGHT

ROOT = str(Path(__file__).parents[2])
FORWARD, YOUR_CELL = EXERCISES[0], EXERCISES[-1]
SOLUTION = FORWARD.solution()
DEF = "def forward_step(W_ih, W_hh, b, x_t, h_before):\n    "

#: name: (source, status, words of the report)
FILES = {
    "a fork that stays": ("import os, time\nif not os.fork():\n    time.sleep(60)\n" + SOLUTION, "solved", "is solved"),
    "a fork that also answers": ("import os\nos.fork()\n" + SOLUTION, "solved", "is solved"),
    "a program that stays": ("import subprocess\nsubprocess.Popen(['sleep', '60'])\n" + SOLUTION, "solved", "is solved"),
    "a thread that stays": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n" + SOLUTION,
        "solved",
        "is solved",
    ),
    "a loop without end": (DEF + "while True:\n        pass", "stopped", "2 | while True:|It was in line"),
    "a loop that catches everything": (
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        "stopped",
        "a loop without end",
    ),
    "sleep": ("import time\ntime.sleep(100)", "stopped", "It was in line 2"),
    "output without end": (DEF + "while True:\n        print('x' * 1000)", "error", "more than 16 MB"),
    "4 GB": ("import numpy as np\n" + DEF + "return np.zeros(2**29), 0", "error", "more than 2 GB of memory"),
    "endless recursion": (DEF + "return forward_step(W_ih, W_hh, b, x_t, h_before)", "error", "calls itself without end"),
    "sys.exit": ("import sys\nsys.exit(0)", "error", "ends its process"),
    "os._exit": (DEF + "import os; os._exit(0)", "error", "ended its process before"),
    "kill": ("import os\nos.kill(os.getpid(), 9)", "stopped", "was ended"),
    "a crash": ("import ctypes\nctypes.string_at(0)", "error", "Python itself crashed"),
    "input": (DEF + "return input(), 0", "error", "there is no keyboard here"),
    "an exception without words": ("class E(BaseException):\n    def __str__(self): raise self\nraise E", "error", "Line 3: E"),
    "a syntax error": ("def forward_step(:\n    pass", "error", "Line 1: this is not Python"),
    "a zero byte": ("x = '\0'", "error", "null bytes"),
    "no function": ("x = 1", "error", "The function forward_step is missing"),
    "another function's arguments": ("def forward_step(x):\n    return x, x", "error", "Keep the function's arguments"),
    "a missing module": ("import torch_of_another_world", "error", "nothing else can be imported"),
    "shapes": (DEF + "return W_hh @ x_t, 0", "error", "do not fit"),
    "numpy's comparisons always true": (
        "import numpy as np, builtins\nnp.allclose = np.array_equal = lambda *a, **k: True\nnp.abs = lambda a: 0 * a\n"
        "builtins.abs = lambda a: 0\n" + SOLUTION.replace("np.tanh(a)", "a"),
        "wrong",
        "as if tanh were missing",
    ),
    "the oracle replaced": (
        f"import sys\nsys.path.insert(0, {ROOT!r})\nimport rnnviz.workshop.mistakes as m, rnnviz.workshop.check as c\n"
        "m.same = lambda *a, **k: True\nc.judge = lambda *a: None\n" + SOLUTION.replace("np.tanh(a)", "a"),
        "wrong",
        "as if tanh were missing",
    ),
    "a forged answer": (
        "import os\nfor n in range(64):\n    try: os.write(n, b'{\"returned\": []}\\n')\n    except OSError: pass\nos._exit(0)",
        "error",
        "could not be read",
    ),
    "a forged value": (
        "import os\nfor n in range(64):\n    try: os.write(n, b'{\"returned\": [{\"values\": 1e999}]}\\n')\n"
        "    except OSError: pass\nos._exit(0)",
        "error",
        "could not be read",
    ),
    "an object that equals everything": (
        "class Same:\n    def __eq__(self, other): return True\n    def __array__(self, *a, **k): raise ValueError\n"
        + DEF
        + "return Same(), Same()",
        "wrong",
        "a is a Same, and should be an array",
    ),
    "a generator": (DEF + "yield 1", "wrong", "returns 1 value"),
    "a million numbers": ("import numpy as np\n" + DEF + "return np.ones(10**6), 0", "wrong", "has the shape (1000000,)"),
    "complex numbers": (DEF + "return b * 1j, b", "wrong", "a is a ndarray, and should be an array of numbers"),
    "control sequences": ("print('\\x1b[2J\\x1b]0;title\\x07')\n" + SOLUTION, "solved", r"\x1b[2J\x1b]0;title\x07"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_one_clear_result_and_nothing_left(name, tmp_path, monkeypatch):
    source, status, words = FILES[name]
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    monkeypatch.setattr(running, "SECONDS", 1.5 if status == "stopped" else 20.0)
    path = tmp_path / FORWARD.file
    path.write_text(source)
    result = check(FORWARD, path)
    text = "\n".join(line.text for line in lines(result, 1000))
    assert result.status == status, text
    assert all(part in text for part in words.split("|")), text
    assert text.replace("\n", "").isprintable()
    end = time.monotonic() + 10
    while (left := marked(mark)) and time.monotonic() < end:  # what was killed needs a moment to end
        time.sleep(0.02)
    assert not left


@pytest.mark.parametrize("name", ["numpy's random numbers replaced", "a step without numbers"])
def test_a_cell_of_ones_own_cannot_pass_with_nothing(name, tmp_path):
    right = RIGHT[YOUR_CELL.stem]
    source = {
        "numpy's random numbers replaced": "import numpy as np\nnp.random.default_rng = None\n" + right,
        "a step without numbers": right.replace("    z = gate(params, x_t)\n    return z", "    z = 0\n    return z"),
    }[name]
    path = tmp_path / YOUR_CELL.file
    path.write_text(source)
    assert not check(YOUR_CELL, path).is_solved


def test_odd_files(tmp_path):
    path = tmp_path / FORWARD.file
    seen = [check(FORWARD, path).headline]
    for content in (b"", b"\xff\xfe\x00x", b"#" * (2 << 20)):
        path.write_bytes(content)
        seen.append(check(FORWARD, path).headline)
    path.unlink()
    path.mkdir()
    seen.append(check(FORWARD, path).headline)
    path.rmdir()
    os.mkfifo(path)
    seen.append(check(FORWARD, path).headline)
    words = ("is not there", "is empty", "is not text in UTF-8", "too long", "it is a folder", "it is a pipe")
    for headline, part in zip(seen, words, strict=True):
        assert part in headline


def test_a_run_can_be_stopped_from_another_thread(tmp_path):
    path = tmp_path / FORWARD.file
    path.write_text("while True:\n    pass")
    stop = running.Stop()
    threading.Timer(0.4, stop.set).start()
    begin = time.monotonic()
    assert not check(FORWARD, path, stop=stop).is_solved
    assert time.monotonic() - begin < running.SECONDS
