"""The pictures in screenshots/ (those of the README) are what the app shows now."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from rnnviz.nn import engine

HERE = Path(__file__).parents[2] / "screenshots"
spec = importlib.util.spec_from_file_location("screenshots_make", HERE / "make.py")
assert spec is not None
assert spec.loader is not None
make = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = make
spec.loader.exec_module(make)


@pytest.mark.parametrize("name", make.SHOTS)
async def test_picture_is_up_to_date(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setattr(engine, "_selected", None)
    assert (HERE / f"{name}.svg").read_text(encoding="utf-8") == await make.picture(make.SHOTS[name]), (
        "stale: run `python screenshots/make.py`, look at it, and commit it"
    )


def test_no_picture_is_left_over() -> None:
    assert {path.stem for path in HERE.glob("*.svg")} == set(make.SHOTS)


def test_pictures_need_nothing_from_elsewhere() -> None:
    for path in HERE.glob("*.svg"):
        assert "url(http" not in path.read_text(encoding="utf-8")
