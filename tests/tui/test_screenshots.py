"""The pictures in screenshots/ (those of the README) are what the app shows now."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable
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
    patch.setattr(engine, "_selected", None)
    return await make.picture(make.ALL[name])


@pytest.mark.parametrize("name", make.SHOTS)
async def test_picture_shows_what_the_app_shows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cell by cell: glyphs, colours, bold and underline."""
    ours, theirs = grid(kept(name)), grid(await now(name, monkeypatch))
    assert text(ours) == text(theirs), STALE
    assert not difference(ours, theirs), STALE


@pytest.mark.slow
@pytest.mark.parametrize("name", [*make.SHOTS_EVERYWHERE, *list(make.SHOTS)[::10]])
async def test_picture_is_up_to_date_to_the_byte(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept(name) == await now(name, monkeypatch), STALE


SVG = make.content("score-forward")


def inverted(before: str, after: str = "") -> Callable[[str], str]:
    """A change of the first colour between these: its red turned round."""
    pattern = f"({before}#)(..)(?=[^>]*{after})"
    return lambda svg: re.sub(pattern, lambda m: f"{m[1]}{255 - int(m[2], 16):02x}", svg, count=1)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda svg: svg.replace("hidden h", "hidden k"), id="glyph"),
        pytest.param(inverted(r"\.\w+{fill:"), id="colour"),
        pytest.param(lambda svg: re.sub(r"(M\d+ \d+h\d+)v10h", r"\1v20h", svg, count=1), id="shape"),
        pytest.param(lambda svg: svg.replace(";font-weight:700}", "}"), id="bold"),
        pytest.param(lambda svg: svg.replace(";font-weight:700}", ";font-style:italic}"), id="italic"),
    ],
)  # fmt: skip
def test_a_picture_that_looks_different_is_noticed(change: Callable[[str], str]) -> None:
    assert change(SVG) != SVG
    assert difference(grid(SVG), grid(change(SVG)))


def test_a_picture_that_is_only_written_differently_is_the_same() -> None:
    other = SVG.replace('class="', 'class="x').replace(";font-weight:700}", "; font-weight: 700; }")
    other = re.sub(r"\.(\w+){fill", r".x\1{fill", other)
    other = re.sub(r"fill:#808080", "fill:#84847c", other)  # a colour moved a little
    assert other != SVG
    assert difference(grid(SVG), grid(other)) == []
    assert text(grid(SVG))[0].startswith(" rnnviz")
    assert len(text(grid(SVG))) == 24


def test_no_picture_is_left_over() -> None:
    assert {path.stem for path in HERE.glob("*.svg")} == {*make.ALL, *make.FILMS}


def test_pictures_need_nothing_from_elsewhere() -> None:
    for path in HERE.glob("*.svg"):
        assert "url(http" not in path.read_text(encoding="utf-8")
