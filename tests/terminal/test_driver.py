"""The terminal the other tests look through: it must see what is wrong, or they prove nothing."""

import signal
import sys

import pytest

from tests.terminal.driver import SHELL_MODES, Emulator, Terminal, left_behind

HELLO = """
import sys, termios, tty
before = termios.tcgetattr(0)
tty.setraw(0)
print("\\x1b[?1049h\\x1b[?25l\\x1b[>1u\\x1b[2;3H\\x1b[1;38;2;255;0;0mhello", end="", flush=True)
while (key := sys.stdin.buffer.raw.read(1)) != b"q":
    print(f"\\x1b[1;1H{key.hex()} ", end="", flush=True)
if "leave" in sys.argv:
    raise SystemExit(3)
print("\\x1b[m\\x1b[<u\\x1b[?25h\\x1b[?1049l", end="", flush=True)
termios.tcsetattr(0, termios.TCSANOW, before)
"""


def test_a_program_is_seen_answered_and_left_clean():
    with Terminal([sys.executable, "-c", HELLO], columns=40, rows=10) as t:
        t.wait_for("hello")
        assert t.screen()[1] == "  hello"
        assert t.styled()[1][2] == ("h", "ff0000", "default", "bold")
        mark = t.mark()
        t.keys("right")
        t.wait_for("43")  # the C of ESC [ C
        t.settle(0.05)
        assert t.bytes_since(mark) == 3 * len("\x1b[1;1Hxx ")
        assert t.still_running() == [t.process.pid]
        t.keys("q")
        assert t.exit_code() == 0
        assert t.left_behind() == []
        assert t.screen() == [""] * 10


def test_what_a_program_leaves_behind_is_told():
    with Terminal([sys.executable, "-c", HELLO, "leave"]) as t:
        t.wait_for("hello")
        t.keys("q")
        assert t.exit_code() == 3
        assert t.left_behind() == [
            "cursor (25) off",
            "alternate screen (1049) on",
            "kitty keyboard protocol on",
            "text still coloured",
            "tty attributes (termios)",
        ]


def test_a_signal_and_a_closed_window_reach_the_program():
    with Terminal([sys.executable, "-c", HELLO]) as t:
        t.wait_for("hello")
        t.signal(signal.SIGTERM)
        assert t.exit_code() == -signal.SIGTERM
    with Terminal([sys.executable, "-c", HELLO]) as t:
        t.wait_for("hello")
        t.hang_up()
        assert t.exit_code() == -signal.SIGHUP
        assert t.still_running() == []


@pytest.mark.parametrize("mode", sorted(SHELL_MODES))
def test_every_mode_left_in_the_other_state_is_told(mode):
    on, name = SHELL_MODES[mode]
    there, back = ("l", "h") if on else ("h", "l")
    assert left_behind(f"\x1b[?{mode}{there}".encode()) == [f"{name} ({mode}) {'off' if on else 'on'}"]
    assert left_behind(f"\x1b[?{mode}{there}\x1b[?{mode}{back}".encode()) == []


def test_the_keyboard_protocol_has_a_stack_for_each_screen():
    assert left_behind(b"\x1b[>1u\x1b[?1049h\x1b[<u\x1b[?1049l") == ["kitty keyboard protocol on"]
    assert left_behind(b"\x1b[?1049h\x1b[>1u\x1b[?1049l") == []
    assert left_behind(b"\x1b[>1u\x1b[>1u\x1b[<2u") == []


def test_sequences_may_be_cut_anywhere():
    raw = "\x1b[?1049h\x1b[?2026$p\x1bP>|x\x1b\\\x1b[>1u\x1b[3;5H\x1b[38;5;9m∂h₁ ▀\x1b[0m".encode()
    whole = Emulator(20, 5)
    whole.feed(raw)
    cut = Emulator(20, 5)
    for i in range(len(raw)):
        cut.feed(raw[i : i + 1])
    assert cut.cells() == whole.cells()
    assert whole.text() == ["", "", "    ∂h₁ ▀", "", ""]


def test_a_synchronised_update_is_seen_whole_or_not_at_all():
    emulator = Emulator(20, 2)
    emulator.feed(b"old\x1b[?2026h\x1b[2J\x1b[Hne")
    assert emulator.text() == ["old", ""]
    emulator.feed(b"w\x1b[?2026l")
    assert emulator.text() == ["new", ""]
