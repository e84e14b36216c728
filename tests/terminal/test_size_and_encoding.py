"""What the environment says of the terminal, and what the terminal says itself: its size, its encoding, its colours."""

from __future__ import annotations

import fcntl
import subprocess
import termios

import pytest

from rnnviz.terminal import LARGEST, USUAL
from tests.terminal.app import RNNVIZ, ready, rnnviz
from tests.terminal.driver import Terminal, environment

FROZEN = {"COLUMNS": "80", "LINES": "24"}


def quit_clean(t: Terminal) -> None:
    t.keys("q")
    assert t.exit_code() == 0
    assert t.left_behind() == []


@pytest.mark.slow
def test_exported_columns_and_lines_do_not_freeze_the_size():
    with rnnviz("--free", columns=100, rows=30, env=FROZEN) as t:
        t.wait_for(ready)
        assert t.screen()[29]
        t.resize(140, 40)
        t.wait_for(lambda rows: "? keys" in rows[39] and max(map(len, rows)) > 100)
        quit_clean(t)


@pytest.mark.slow
def test_the_commands_are_as_wide_as_their_terminal():
    for env in ({}, FROZEN, {"COLUMNS": "7", "LINES": "0"}):
        with Terminal([*RNNVIZ, "gradients", "--steps", "30"], columns=110, rows=60, env=env) as t:
            assert t.exit_code() == 0
            assert max(map(len, t.screen())) > 100


@pytest.mark.slow
@pytest.mark.parametrize("in_band", [False, True])
def test_a_window_of_any_size_is_drawn_at_most_500_by_200(in_band):
    with rnnviz("--free", columns=1, rows=1, in_band_resize=in_band) as t:
        t.settle()
        for columns, rows in ((65535, 65535), (0, 0), (65535, 1), (1, 65535), (0, 24)):
            t._emulator.resize(min(max(columns, 1), 600), min(max(rows, 1), 300))
            t.columns, t.rows = columns, rows
            t._set_size()
            if in_band:
                t._reply(f"\x1b[48;{rows};{columns};{rows * 16};{columns * 8}t")
            t.settle(0.5, timeout=60)
        t.resize(90, 30)
        t.wait_for(ready, timeout=60)
        quit_clean(t)


@pytest.mark.slow
def test_a_huge_window_can_be_left():
    with rnnviz("--free", columns=65535, rows=65535) as t:
        t._emulator.resize(600, 300)
        t.watch(3.0)
        t.signal(15)
        assert t.exit_code() == 143


def test_sizes_are_clamped_and_nothing_is_the_usual():
    from rnnviz.terminal import clamped

    assert clamped(65535, 65535) == LARGEST
    assert clamped(0, 0) == USUAL
    assert clamped(1, 0) == (1, USUAL[1])
    assert clamped(500, 200) == (500, 200)


NO_UNICODE = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "koi8-r": {"PYTHONIOENCODING": "koi8-r"},
    "C": {"LC_ALL": "C", "LANG": None, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("encoding", ["C", pytest.param("latin-1", marks=pytest.mark.slow)])
@pytest.mark.parametrize("colours", ["256", pytest.param("none", marks=pytest.mark.slow)])
def test_without_unicode_the_picture_is_ascii_and_one_line_says_so(encoding, colours):
    with rnnviz("--steps", "20", colours=colours, env=NO_UNICODE[encoding]) as t:
        t.wait_for(ready)
        t.wait_for("Drawing in ASCII")
        t.press(*["right"] * 24)
        rows = t.screen()
        assert t.raw.isascii()
        assert sum(row.count("?") for row in rows) == 1  # the key that shows the keys
        assert [row.index("unit") for row in rows if "unit" in row[50:]] == [54] * 10  # columns stand as they stood
        t.press("?")
        assert t.raw.isascii()
        t.press("escape")
        quit_clean(t)


def test_ascii_takes_the_cells_it_stands_for():
    from rich.cells import cell_len

    from rnnviz.tasks.catalog import PAD
    from rnnviz.terminal import ascii_cells, ascii_words

    for text in (
        "h₁₀ ≤ ∂L/∂h, ŷ − x²",
        "┏━┓┃╭─╮│╰╯╶╌",
        "▁▂▃▄▅▆▇█▀▐▓⠉⠒⠤⣀⣿",
        "Ü é ñ ż",
        "雪の朝",
        "💡",
        "e\u0301x\u200d",
    ):
        assert ascii_cells(text).isascii()
        assert len(ascii_cells(text)) == cell_len(text), text
    assert len({ascii_cells(mark) for mark in "▲△▽▼+-0"}) == 7
    assert len({ascii_cells(mark) for mark in "▁▂▃▄▅▆▇█"}) == 8
    assert len({ascii_cells(mark) for mark in (PAD, "?", "▣", "·", "␣")}) == 5  # inputs of the tasks
    assert ascii_words("≤ 5 …") == "<= 5 ..."


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, "256"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "none"),
        ({"TERM": "xterm", "NO_COLOR": "0", "COLORTERM": "truecolor"}, "none"),
        ({"TERM": "unknown"}, "standard"),
        ({"TERM": "nobody-knows-it"}, "standard"),
        ({"TERM": "linux"}, "standard"),
        ({}, "standard"),
        ({"TERM": "unknown", "COLORTERM": "24bit"}, "truecolor"),
        ({"TERM": "screen-256color"}, "256"),
        ({"TERM": "xterm-direct"}, "truecolor"),
        ({"TERM": "xterm", "TEXTUAL_COLOR_SYSTEM": "nonsense"}, "standard"),
        ({"TERM": "dumb"}, "none"),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, "standard"),
        ({"TERM": "xterm", "FORCE_COLOR": "2"}, "256"),
        ({"TERM": "xterm", "FORCE_COLOR": "3"}, "truecolor"),
        ({"TERM": "xterm-256color", "FORCE_COLOR": "1"}, "256"),  # at least
        ({"TERM": "xterm", "FORCE_COLOR": "true"}, "standard"),
        ({"TERM": "xterm", "FORCE_COLOR": ""}, "standard"),
        ({"TERM": "xterm-256color", "FORCE_COLOR": "3", "NO_COLOR": "1"}, "none"),
    ],
)
def test_how_many_colours(environ, expected):
    from rnnviz.terminal import CHOICES, colors

    assert colors(environ) == expected
    assert [colors(environ, choice) for choice in CHOICES.values() if choice] == [*filter(None, CHOICES.values())]
    in_a_pipe = colors(environ, is_terminal=False)
    assert in_a_pipe == (expected if environ.get("FORCE_COLOR") else "none")


@pytest.mark.slow
def test_commands_print_in_the_colours_asked_for(tmp_path):
    (tmp_path / "data.csv").write_text("a\n" + "\n".join(map(str, range(60))) + "\n")

    def codes(*flags, **env):
        environ = environment("256", {"COLORTERM": None, "NUMBA_DISABLE_JIT": "1", **env})
        done = subprocess.run(
            [*RNNVIZ, "data", "data.csv", *flags], env=environ, cwd=tmp_path, capture_output=True, check=True
        )
        return b"\x1b[" in done.stdout, b"38;5;" in done.stdout

    assert codes() == (False, False)
    assert codes("--color", "256", NO_COLOR="1") == (True, True)  # the flag decides
    assert codes(FORCE_COLOR="1") == (True, True)
    assert codes("--color", "none", FORCE_COLOR="1") == (False, False)


WHITE = "ffff/ffff/ffff"


def grounds(t):
    """The grounds that are seen, the most frequent first."""
    cells = [cell.bg for row in t.styled() for cell in row]
    return sorted(set(cells), key=cells.count, reverse=True)


def test_a_light_terminal_is_drawn_light_and_its_answer_is_no_key():
    with rnnviz("--free", background=WHITE) as t:
        t.wait_for(ready)
        t.wait_for(lambda rows: grounds(t)[0] == "e0e0e0")
        t.press("right")
        assert "t = 1" in str(t)
        asked, status = t.raw.index(b"\x1b]11;?"), t.raw.index(b"\x1b[5n")
        assert asked < status  # the end waits for the answer to the second
        quit_clean(t)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "env", "settings", "ground"),
    [
        (["--theme", "nord"], {}, {"background": WHITE}, "2e3440"),
        (["--theme", "ansi"], {}, {"background": WHITE}, "default"),
        ([], {"COLORFGBG": "0;15"}, {"answers": False}, "e0e0e0"),
        ([], {"COLORFGBG": "0;15"}, {"background": "0000/0000/0000"}, "121212"),  # its own answer counts for more
        ([], {"TERM": "screen-256color"}, {"background": WHITE}, "121212"),
    ],
)
def test_the_theme_is_by_hand_or_by_the_terminal(flags, env, settings, ground):
    with rnnviz("--free", *flags, env=env, **settings) as t:
        t.wait_for(ready)
        t.settle(0.5)
        assert grounds(t)[0] == ground
        assert (b"]11;?" in t.raw) == ("nord" not in flags and "TERM" not in env)
        quit_clean(t)


def test_who_is_asked_for_its_background_and_what_is_known_before():
    from rnnviz.terminal import can_ask_background, is_light

    asked = ["xterm-256color", "tmux-256color", "foot", "alacritty", "xterm-kitty", "rxvt-unicode", "st-256color"]
    assert all(can_ask_background({"TERM": term}) for term in asked)
    assert can_ask_background({"TERM": "screen-256color", "TMUX": "/tmp/tmux-0/default,1,0"})
    for term in ("screen", "screen.xterm-256color", "linux", "vt220", "dumb", ""):  # GNU screen asks again, later
        assert not can_ask_background({"TERM": term})
    assert not can_ask_background({"TERM": "xterm", "STY": "1.pts-0"})
    known = {"0;15": True, "15;0": False, "0;default;15": True, "12;8": False, "0;7": True, "1;6": False}
    unknown = ["", "0;default", "15;", "1;99", "1;-1", "1;²", "1;123456789012345678901234567890"]
    assert {value: is_light({"COLORFGBG": value}) for value in [*known, *unknown]} == {
        **known, **dict.fromkeys(unknown),
    }  # fmt: skip
    assert is_light({}) is None


@pytest.mark.slow
def test_a_late_answer_changes_no_colours_and_is_no_key():
    with rnnviz("--free", answers=False) as t:
        t.wait_for(ready)
        t.watch(2.5)
        before = t.styled()
        t._reply(f"\x1b]11;rgb:{WHITE}\x1b\\")
        t._reply(f"\x1b]11;rgb:{WHITE}\x07\x1b]11;rgb:12")  # and one that is cut short
        t.settle(1.0)
        assert t.styled() == before
        quit_clean(t)


@pytest.mark.slow
def test_an_answer_on_its_way_is_awaited_at_the_end():
    """Over 200 ms: the app is left before the terminal has answered, and the shell reads no answer."""
    with rnnviz("--free", answers=False) as t:
        t.wait_for("time t")
        t.keys("q")
        t.watch(0.2)
        t._reply(f"\x1b]11;rgb:{WHITE}\x1b\\\x1b[0n")
        assert t.exit_code() == 0
        assert fcntl.ioctl(t._slave, termios.FIONREAD, b"\0" * 4) == b"\0" * 4
        assert t.left_behind() == []


@pytest.mark.slow
@pytest.mark.parametrize(("term", "flags", "is_ascii"), [
    ("linux", [], True), ("linux-16color", ["--no-ascii"], False), ("xterm", ["--ascii"], True),
])  # fmt: skip
def test_a_linux_console_and_who_asks_for_it_get_ascii(term, flags, is_ascii):
    with rnnviz("--free", *flags, env={"TERM": term, "COLORTERM": None}) as t:
        t.wait_for(ready)
        t.press("right", "right")
        assert t.raw.isascii() == is_ascii
        assert ("Drawing in ASCII: the font of a Linux console" in t.raw.decode()) == (is_ascii and not flags)
        quit_clean(t)


@pytest.mark.slow
def test_without_the_mouse_no_mode_of_it_is_switched_on():
    with rnnviz("--free", "--no-mouse", in_band_resize=True) as t:
        t.wait_for(ready)
        t.resize(90, 30)
        t.settle()
        for mode in (1000, 1002, 1003, 1005, 1006, 1015, 1016):
            assert f"\x1b[?{mode}h".encode() not in t.raw
        quit_clean(t)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env", "has", "has_not"),
    [
        ({"TERM": "xterm-256color", "NO_COLOR": "", "COLORTERM": None}, b"[38;5;", b"[38;2;"),
        ({"TERM": "unknown", "COLORTERM": None}, b"\x1b[96", b"8;2;"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, b"\x1b[1m", b"8;5;"),
    ],
)
def test_what_is_sent_has_those_colours(env, has, has_not):
    with rnnviz("--free", env=env) as t:
        t.wait_for(ready)
        t.press("right", "right")
        assert has in t.raw.replace(b"\x1b[1;", b"\x1b[").replace(b"\x1b[0;", b"\x1b[") or has in t.raw
        assert has_not not in t.raw
        quit_clean(t)
