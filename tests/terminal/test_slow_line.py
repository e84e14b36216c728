"""On a slow line the screen shows less often what happens, and does not fall behind: ssh, 64 kbit/s, 200 ms."""

from __future__ import annotations

import shlex
import shutil
import time

import pytest

from tests.terminal import ssh
from tests.terminal.app import RNNVIZ, ready, rnnviz
from tests.terminal.driver import Terminal

STEPS = ["--steps", "40"]
KEYS = ["right"] * 35 + ["left"] * 35 + ["right"] * 20
FRAMES = b"\x1b[?2026h"

pytestmark = pytest.mark.slow


def held(t: Terminal) -> None:
    """All the keys, 30 a second."""
    begin = time.monotonic()
    for n, key in enumerate(KEYS, start=1):
        t.keys(key)
        while (left := begin + n / 30 - time.monotonic()) > 0:
            t._read(left)


@pytest.mark.parametrize("wrap", ["", "tmux"])
def test_a_held_key_on_a_slow_line(tmp_path, wrap):
    if ssh.missing():
        pytest.skip(f"needs sshd and ssh: {ssh.missing()}")
    if wrap and not shutil.which("tmux"):
        pytest.skip("needs tmux: apt-get install tmux")
    with rnnviz(*STEPS, colours="256") as t:
        t.wait_for(ready)
        held(t)
        t.settle(1.0)
        here = t.screen()
    with ssh.server(tmp_path) as port, ssh.SlowLine(port, 64_000, 0.2) as line:
        command = [*ssh.client(tmp_path, line.port), shlex.join([*RNNVIZ, *STEPS])]
        if wrap:
            tmux = ["tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]
            command = [*tmux, "new", shlex.join(command), ";", "set", "status", "off"]
        with Terminal(command, colours="256") as t:
            t.wait_for(ready, timeout=60)
            t.settle(3.0, timeout=60)
            for key in ("right", "left", "right", "left"):
                t.press(key, quiet=1.0)
            line.watch()
            mark = t.mark()
            held(t)
            t.wait_for(lambda rows: rows == here, timeout=60)
            t.settle(1.0)
            assert t.screen() == here  # the newest is what stands there in the end
            assert line.most_waiting < 8_000  # bytes: a second's worth; it was 90,000
            if not wrap:  # tmux draws in frames of its own
                assert 3 <= t.raw.count(FRAMES, mark) < len(KEYS) / 2
            t.keys("q")
            assert t.exit_code(20) == 0
            assert t.left_behind() == []


@pytest.mark.parametrize(("columns", "rows", "most"), [(80, 24, 3500), (160, 50, 5500)])
def test_a_start_is_ready_after_few_bytes_and_the_rest_follows(columns, rows, most):
    """It was 11,000 and 55,000: the blank screen was sent up to five times."""
    with rnnviz(columns=columns, rows=rows, colours="256", answers=False) as t:
        t.wait_for(lambda screen: ready(screen) and any("reads one of" in row for row in screen))
        first = len(t.raw)
        t.settle(2.0)
        frames = t.raw.split(b"\x1b[1;1H")  # at its end each takes the cursor there
        assert first < most
        assert max(map(len, frames)) < 2500  # characters of three bytes; on a line of which nothing is known
        assert len(t.raw) < 2.5 * most
        t.keys("q")
        assert t.exit_code() == 0


def test_keys_act_while_frames_are_held_back_and_leaving_does_not_wait(tmp_path):
    if ssh.missing():
        pytest.skip(f"needs sshd and ssh: {ssh.missing()}")
    with (
        ssh.server(tmp_path) as port,
        ssh.SlowLine(port, 64_000, 0.4) as line,
        Terminal([*ssh.client(tmp_path, line.port), shlex.join([*RNNVIZ, *STEPS])], colours="256") as t,
    ):
        t.wait_for(ready, timeout=120)
        t.settle(3.0, timeout=60)
        t.keys(*["right"] * 20, "q")
        assert t.exit_code(20) == 0
        assert t.left_behind() == []
