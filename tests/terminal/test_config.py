"""The user's configuration in a real terminal."""

from __future__ import annotations

import pytest

from tests.terminal.app import ready, rnnviz


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rnnviz").mkdir()
    return tmp_path / "rnnviz"


@pytest.mark.slow
def test_the_app_obeys_it_and_a_kiosk_does_not(folder, tmp_path):
    (folder / "config.toml").write_text('theme = "light"\nstart = "own.toml"\n[keys]\nright = "M"\n')
    (folder / "own.toml").write_text("seq_len = 17\n")
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    with rnnviz("--no-ascii", env=env) as t:
        t.wait_for(ready)
        assert "T 17" in t.screen()[0]
        assert "M read on" in t.screen()[-1]
        assert {cell.bg for row in t.styled() for cell in row} & {"e0e0e0"}
        t.press("M")
        assert "t = 1 " in str(t)
        t.keys("q")
        assert t.exit_code() == 0
    with rnnviz("--kiosk", "--free", env=env) as t:
        t.wait_for(ready)
        assert "→ read on" in t.screen()[-1]
        assert not {cell.bg for row in t.styled() for cell in row} & {"e0e0e0"}
        t.keys("q")
        assert t.exit_code() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("mouse = 1\n", "line 1: mouse: 1 is neither true nor false"),
        ("\nstart = 'missing.toml'\n", "line 2: start: "),
    ],
)
def test_a_mistake_ends_the_app_before_it_begins(content, error, folder, tmp_path):
    (folder / "config.toml").write_text(content)
    with rnnviz("--no-ascii", env={"XDG_CONFIG_HOME": str(tmp_path)}) as t:
        assert t.exit_code() == 2
        assert error in " ".join(t.screen())
        assert b"\x1b[?1049h" not in t.raw
