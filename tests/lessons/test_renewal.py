"""A lesson that is saved while it is open: the same step of the new version, and what is wrong beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnnviz.lessons.course import find
from rnnviz.lessons.lesson import Lesson
from rnnviz.lessons.pages import page
from rnnviz.lessons.progress import InMemory
from rnnviz.lessons.prose import plain
from rnnviz.lessons.reading import read
from rnnviz.lessons.renewal import renewed, with_problems
from rnnviz.lessons.run import LessonRun
from rnnviz.saved_files import Saves
from rnnviz.words.voice import Voice
from tests.lessons.half_is_gone import LESSON


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "01-half-is-gone.md"
    path.write_text(LESSON, encoding="utf-8")
    return path


def lesson_of(file: Path, text: str) -> Lesson:
    file.write_text(text, encoding="utf-8")
    lesson, problems = read(file)
    assert lesson is not None, problems
    return lesson


def test_the_new_version_is_at_the_step_with_the_same_heading(file: Path) -> None:
    progress = InMemory(find(file.parent).name)
    run = LessonRun(lesson_of(file, LESSON)).jump(1)
    progress.keep(run)
    first = LESSON[LESSON.index("## The end") : LESSON.index("## How far")]
    new = renewed(run, lesson_of(file, LESSON.replace(first, first + first.replace("The end", "Another"))), progress)
    assert (new.at, new.step.heading) == (2, "How far back?")
    new = renewed(run, lesson_of(file, LESSON.replace("How far back?", "How far is it?")), progress)
    assert (new.at, new.step.heading) == (1, "How far is it?"), "a new heading at the same place"
    new = renewed(LessonRun(run.lesson).jump(3), lesson_of(file, LESSON[: LESSON.index("## How far")]), progress)
    assert new.at == 0, "the last step, where there are fewer"


def test_problems_stand_before_the_text_and_the_last_good_version_stays(file: Path) -> None:
    run = LessonRun(lesson_of(file, LESSON))
    before = [plain(line) for line in page(run, None, Voice(40)).lines]
    problems = [f"line {n}: unknown key 'loss_att' in experiment; did you mean loss_at?" for n in (3, 4, 5, 6)]
    lines = [plain(line) for line in page(with_problems(run, problems), None, Voice(40)).lines]
    assert lines[-len(before) :] == before
    told = " ".join(lines[: -len(before)])
    assert told.startswith("! line 3: unknown key 'loss_att' in experiment; did you mean loss_at? ! line 4: ")
    assert told.endswith("! and 2 more: rnnviz lessons check 01-half-is-gone.md")
    assert max(map(len, lines)) <= 40
    assert with_problems(with_problems(run, problems), []) == run


def test_a_save_counts_when_a_second_look_finds_it_as_it_was(file: Path) -> None:
    saves = Saves({"it": file})
    assert saves.look() == []
    assert not saves.is_settling
    file.write_text("1", encoding="utf-8")
    assert saves.look() == []
    assert saves.is_settling
    file.write_text("12", encoding="utf-8")
    assert saves.look() == [], "it is still being written"
    assert saves.look() == ["it"]
    assert saves.look() == []
    os.replace(file, file.with_suffix(".new"))
    saves.look()
    assert saves.look() == ["it"], "it has gone"
