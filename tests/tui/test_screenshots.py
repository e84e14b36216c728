"""The pictures in screenshots/ (those of the README) are what the app shows now."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from rnnviz.nn import engine
from tests.tui.pictures import difference, grid, text

HERE = Path(__file__).parents[2] / "screenshots"
spec = importlib.util.spec_from_file_location("screenshots_make", HERE / "make.py")
assert spec is not None
assert spec.loader is not None
make = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = make
spec.loader.exec_module(make)


STALE = "stale: run `python screenshots/make.py`, look at it, and commit it"


def kept(name: str) -> str:
    return (HERE / f"{name}.svg").read_text(encoding="utf-8")


async def now(name: str, patch: pytest.MonkeyPatch) -> str:
    patch.delenv("NO_COLOR", raising=False)
    patch.setenv("COLORTERM", "truecolor")
    patch.setattr(engine, "_selected", None)
    return await make.picture(make.SHOTS[name])


@pytest.mark.parametrize("name", make.SHOTS)
async def test_picture_shows_what_the_app_shows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cell by cell: glyphs, colours, bold and underline."""
    ours, theirs = grid(kept(name)), grid(await now(name, monkeypatch))
    assert text(ours) == text(theirs), STALE
    assert not difference(ours, theirs), STALE


@pytest.mark.slow
@pytest.mark.parametrize("name", make.SHOTS)
async def test_picture_is_up_to_date_to_the_byte(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept(name) == await now(name, monkeypatch), STALE


SVG = kept("knobs")


@pytest.mark.parametrize(
    ("old", "new"),
    [("recurrent", "recurrenz"), ("fill: #87afd7", "fill: #af87d7"), ("font-weight: bold", "font-style: italic"),
     ('<rect fill="#262626"', '<rect fill="#464646"'), ("text-decoration: underline;", "")],
)  # fmt: skip
def test_a_picture_that_looks_different_is_noticed(old: str, new: str) -> None:
    assert old in SVG
    assert difference(grid(SVG), grid(SVG.replace(old, new)))


def test_a_picture_that_is_only_written_differently_is_the_same() -> None:
    other = re.sub(r"terminal-", "other-", SVG).replace("font-weight: bold", "font-weight:bold ;")
    other = other.replace("fill: #87afd7", "fill: #89add7")  # a theme's colour, moved a little
    assert other != SVG
    assert difference(grid(SVG), grid(other)) == []
    assert len(text(grid(SVG))) == 24


def test_no_picture_is_left_over() -> None:
    assert {path.stem for path in HERE.glob("*.svg")} == set(make.SHOTS)


def test_pictures_need_nothing_from_elsewhere() -> None:
    for path in HERE.glob("*.svg"):
        assert "url(http" not in path.read_text(encoding="utf-8")
