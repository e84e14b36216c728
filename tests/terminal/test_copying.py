"""What is copied reaches the clipboard: through tmux, and as one sequence of a terminal."""

from __future__ import annotations

import base64
import re
import shlex
import shutil
import subprocess
import time

import pytest

from tests.terminal.app import RNNVIZ, ready, rnnviz
from tests.terminal.driver import environment

STEPS = ["--steps", "40"]
LINE = "rnnviz show --steps 40 --at t=2 --size 80x24\n"


def test_a_terminal_gets_it_by_osc_52() -> None:
    with rnnviz(*STEPS) as t:
        t.wait_for(ready)
        t.press("right", "right")
        t.keys("Y")
        t.wait_for("copy: n number")
        t.keys("c")
        t.wait_for("Copied the command")
        found = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07", t.raw)
        assert [base64.b64decode(text).decode() for text in found] == [LINE]
        t.keys("q")
        assert t.exit_code() == 0


@pytest.mark.slow
def test_tmux_keeps_it_in_a_buffer_if_it_is_set_to(tmp_path) -> None:
    if not shutil.which("tmux"):
        pytest.skip("needs tmux: apt-get install tmux")
    base = ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null"]
    env = environment("256")

    def tmux(*arguments: str) -> str:
        return subprocess.run([*base, *arguments], env=env, capture_output=True, text=True, check=True).stdout

    def wait_for(wanted) -> None:
        deadline = time.monotonic() + 60
        while not wanted([row.rstrip() for row in tmux("capture-pane", "-p").split("\n")[:24]]):
            assert time.monotonic() < deadline, tmux("capture-pane", "-p")
            time.sleep(0.1)

    program = shlex.join([*RNNVIZ, *STEPS])
    tmux("new-session", "-d", "-x", "80", "-y", "24", program, ";", "set", "-g", "set-clipboard", "on")
    try:
        wait_for(ready)
        tmux("send-keys", "Right", "Right")
        tmux("send-keys", "Y")
        wait_for(lambda rows: any("copy: n number" in row for row in rows))
        tmux("send-keys", "c")
        wait_for(lambda rows: any("tmux needs: set -g set-clipboard on" in row for row in rows))
        assert tmux("show-buffer") == LINE
    finally:
        subprocess.run([*base, "kill-server"], env=env, capture_output=True)
