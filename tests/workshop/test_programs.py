"""Every exercise is solved by two different right programs, and each wrong one gets its own diagnosis."""

from __future__ import annotations

import pytest

from rnnviz.workshop.exercises import EXERCISES
from tests.workshop.judging import judged
from tests.workshop.programs import RIGHT, WRONG

SEEDS = range(10)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.stem)
def test_two_right_programs_pass_with_every_seed(exercise):
    for source in (exercise.solution(), RIGHT[exercise.stem]):
        for seed in SEEDS:
            found = judged(exercise, source, seed)
            assert found is None, found.headline


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.stem)
def test_each_wrong_program_has_its_own_diagnosis_with_every_seed(exercise):
    right, headlines = RIGHT[exercise.stem], []
    assert len(WRONG[exercise.stem]) >= 10
    for old, new, words in WRONG[exercise.stem]:
        assert right.count(old) == 1, old
        for seed in SEEDS:
            found = judged(exercise, right.replace(old, new), seed)
            assert found is not None, f"{new} passes"
            assert all(part in found.headline for part in words.split("…")), f"{new}: {found.headline}"
        headlines.append(found.headline)
    assert len({*headlines}) == len(headlines)
