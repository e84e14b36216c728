"""rnnviz doctor on a real terminal: its questions and the answers, of which nothing stays behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rnnviz.cli import terminal_answers
from rnnviz.cli.terminal_answers import SAMPLES
from tests.terminal.driver import Terminal

DOCTOR = [sys.executable, "-m", "rnnviz", "doctor"]
#: The questions alone, as JSON: the rest of the command takes its time.
ASK = [
    sys.executable,
    "-c",
    "import json, sys, dataclasses; from rnnviz.cli import terminal_answers as t; "
    "print('found', json.dumps(dataclasses.asdict(t.ask(0, 1))), flush=True); print('read', repr(input()))",
]


def found(t: Terminal) -> dict[str, Any]:
    t.wait_for(lambda rows: "found" in "".join(rows) and "}" in "".join(rows))
    text = re.sub(r"\x1b\[[0-9;?>]*[A-Za-z]|\x1b", "", t.raw.decode().replace("\r\n", ""))
    answers: dict[str, Any] = json.loads(re.search(r"found (\{.*?\}(?:, .*?\})?)(?=read|$)", text)[1])  # type: ignore[index]
    return answers


def test_a_terminal_that_answers() -> None:
    with Terminal(DOCTOR, columns=100, rows=45) as t:
        assert t.exit_code() == 0
        rows = "\n".join(t.screen())
        assert re.search(r"answers     in [\d.]+ ms \(median\); attributes 6", rows)
        assert "widths      right, 10 kinds of characters: é─→‖₇▆░⣿▸雪" in rows
        assert "terminal    100 × 45, TERM xterm-256color" in rows
        assert "colors      truecolor, decided by COLORTERM" in rows
        assert t.left_behind() == []
        assert t.screen()[0].startswith("rnnviz ")  # the questions left no trace


def test_a_terminal_that_never_answers() -> None:
    with Terminal(ASK, answers=False) as t:
        started = time.monotonic()
        answers = found(t)
        assert time.monotonic() - started < 20
        assert answers["latency"] is None
        assert answers["why_not"] == "none within 1 s"
        assert answers["widths"] == {}
        t.type("x\n")
        assert t.exit_code() == 0
        assert t.raw.count(b"\x1b[6n") == 1  # it is asked once, and no more
        assert t.left_behind() == []


@pytest.mark.skipif(
    not Path("/proc/sys/dev/tty/legacy_tiocsti").is_file()
    or Path("/proc/sys/dev/tty/legacy_tiocsti").read_text().strip() != "1",
    reason="this system gives no keys back",
)
@pytest.mark.parametrize("answers", [True, False])
def test_keys_typed_meanwhile_are_given_back(answers: bool) -> None:
    with Terminal(ASK, answers=answers) as t:
        t.wait_for(lambda rows: b"\x1b[6n" in t.raw)
        t.type("ls -l\n")
        t.wait_for("read 'ls -l'")
        assert t.exit_code() == 0


def test_what_is_typed_ahead_stays_and_nothing_is_asked() -> None:
    with Terminal([sys.executable, "-c", f"import time; time.sleep(0.5); {ASK[2]}"]) as t:
        t.type("typed ahead\n")
        t.wait_for("read 'typed ahead'")
        assert t.exit_code() == 0
        assert b"not asked: keys are typed ahead" in t.raw
        assert b"\x1b[6n" not in t.raw


def test_a_terminal_that_draws_wide_is_a_problem() -> None:
    from rnnviz.cli.doctor_terminal import findings, lines

    wide = dict.fromkeys(SAMPLES, 2)
    problems: list[str] = []
    answered = terminal_answers.Answers(0.001, wide, "6", "")
    shown = dict(lines(findings(answered, None, problems)))
    assert "wrong: " in shown["widths"]
    assert "雪" not in shown["widths"]
    assert len(problems) == 1
    assert "─ 2 cells wide" in problems[0]
    assert "rnnviz --ascii" in problems[0]


@pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux here")
def test_in_tmux(tmp_path: Path) -> None:
    tmux = ["tmux", "-L", f"rnnviz-doctor-{os.getpid()}", "-f", "/dev/null"]
    out = tmp_path / "out.json"
    command = f"{' '.join(DOCTOR)}; echo rc $? > {out}; sleep 30"
    subprocess.run([*tmux, "new-session", "-d", "-x", "100", "-y", "50", command], check=True)
    try:
        end = time.monotonic() + 60
        while not (out.is_file() and out.read_text()) and time.monotonic() < end:
            time.sleep(0.1)
        assert out.read_text() == "rc 0\n"
        rows = subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True).stdout
        assert "in tmux" in rows
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)


def test_a_report_has_no_name_of_a_person(tmp_path: Path) -> None:
    home = tmp_path / "home" / "marguerite"
    (home / ".config" / "rnnviz").mkdir(parents=True)
    (home / ".config" / "rnnviz" / "config.toml").write_text("theme = 3\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    env |= {"HOME": str(home), "USER": "marguerite", "SSH_CONNECTION": "192.0.2.7 50000 192.0.2.8 22"}
    done = subprocess.run(DOCTOR, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 1  # the mistake in the configuration
    assert "~/.config/rnnviz/config.toml, line 1: theme" in done.stdout
    assert "marguerite" not in done.stdout
    assert "192.0.2" not in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_ctrl_c_while_it_waits_for_an_answer() -> None:
    with Terminal(DOCTOR, answers=False) as t:
        t.wait_for(lambda rows: b"\x1b[6n" in t.raw)
        t.keys("ctrl+c")
        assert t.exit_code() == 130
        assert "rnnviz doctor: stopped" in "\n".join(t.screen())
        assert t.left_behind() == []
