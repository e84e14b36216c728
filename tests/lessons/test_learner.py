"""Every lesson of the course, learned through the real app by keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnviz.lessons.course import Course, Start, find
from rnnviz.lessons.lesson import Exercise, Prediction
from rnnviz.tui.app import RnnvizApp
from tests.lessons.learner import Learner

COURSE: Course = find()
QUICK = ("sequences-and-memory", "why-gradients-vanish")  # the rest takes longer: -m slow
SLUGS = [pytest.param(slug, marks=() if slug in QUICK else pytest.mark.slow) for slug in map(COURSE.slug, COURSE.files)]


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def app(slug: str) -> RnnvizApp:
    return RnnvizApp(start=Start(slug=slug), compile=False)


@pytest.mark.parametrize("slug", SLUGS)
async def test_wrong_answers_hints_and_a_right_solution(slug: str) -> None:
    lesson = app(slug)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        steps = learner.run.lesson.steps
        report = await learner.play(wrong=True, hints=True, solution=0)
    assert set(report.verdicts) == {s.id for s in steps if isinstance(s.task, Prediction)}
    assert report.solved == [s.id for s in steps if isinstance(s.task, Exercise)]


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
async def test_right_answers_and_another_solution_on_a_wide_screen(slug: str) -> None:
    lesson = app(slug)
    async with lesson.run_test(size=(160, 50)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        report = await learner.play(wrong=False, hints=False, solution=1)
        assert all("✓" in told for told in report.verdicts.values())


@pytest.mark.parametrize("slug", SLUGS)
async def test_doing_nothing_never_passes(slug: str) -> None:
    lesson = app(slug)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        first = learner.run.lesson
        report = await learner.skip()
        asked = [s.id for s in first.steps if s.task is not None]
        assert report.skipped == asked
        assert lesson.main.guide is not None
        kept = lesson.main.guide.progress.of(slug)
        assert not kept.solved
        assert not kept.answers
        assert kept.done == len(first.steps) - len(asked)
