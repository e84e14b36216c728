"""A teacher's lesson, open in the app while its file is edited beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from rnnviz.lessons.course import Start
from rnnviz.lessons.skeleton import write
from rnnviz.tui.app import RnnvizApp
from tests.lessons.learner import Learner


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return write("half-is-gone", str(tmp_path / "course"))


def watching(file: Path) -> RnnvizApp:
    return RnnvizApp(start=Start(str(file.parent), "half-is-gone", watches=True), compile=False)


async def until(pilot: Pilot[Any], learner: Learner, is_so: Callable[[str], bool]) -> str:
    while not is_so(learner.words()):
        await pilot.pause(0.05)
    return learner.words()


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.slow
async def test_a_saved_lesson_is_read_again_at_its_step_with_its_errors_beside_it(file: Path) -> None:
    app = watching(file)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        learner = Learner(app, pilot)
        await learner.press("n", "7")
        edit(file, 'question = "After', 'questoin = "After')
        words = await until(pilot, learner, lambda words: "!" in words)
        assert "unknown key 'questoin' in [predict]; did you mean question?" in words
        assert "! line 4" in words
        assert "▸ After how many steps is half of it gone? 7▏ steps" in words, (
            "the last good version, and what was typed"
        )
        edit(file, 'questoin = "After how many', 'question = "After how few')
        words = await until(pilot, learner, lambda words: "how few" in words)
        assert "2/4" in words
        assert "!" not in words
        edit(file, 'answer = "half_life"', 'answer = "forget_mean"')  # which only the checker sees: it runs the step
        words = await until(pilot, learner, lambda words: "!" in words)
        assert "forget_mean is not defined here; choose another metric" in words
        await learner.press("N")
        assert "forget_mean is not defined" in learner.words(), "on every page"
        edit(file, 'answer = "forget_mean"', 'answer = "half_life"')
        await until(pilot, learner, lambda words: "!" not in words)
        file.unlink()
        words = await until(pilot, learner, lambda words: "!" in words)
        assert "cannot be read: No such file" in words


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [True, False])
async def test_a_new_lesson_is_learned_by_keys(file: Path, wrong: bool) -> None:
    app = RnnvizApp(start=Start(str(file.parent), "half-is-gone"), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        report = await Learner(app, pilot).play(wrong=wrong, solution=int(wrong))
        assert len(report.verdicts) == 2
        assert len(report.solved) == 1
