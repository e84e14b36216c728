"""Every exercise is solved by two different right programs, and each wrong one gets its own diagnosis."""

from __future__ import annotations

import ast

import pytest

from rnnviz.workshop.check import check
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


@pytest.mark.parametrize("exercise", EXERCISES[:-1], ids=lambda one: one.stem)
def test_every_known_mistake_is_one_and_is_recognised(exercise):
    solution = exercise.solution()
    for mistake in exercise.mistakes:
        wrong = solution
        for old, new in mistake.changes:
            assert old in wrong, mistake.as_if
            wrong = wrong.replace(old, new)
        found = judged(exercise, wrong, 5)
        assert found is not None, mistake.as_if
        assert found.as_if, f"{mistake.as_if}: {found.headline}"


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.stem)
def test_a_new_file_is_not_written_yet_and_fits_a_screen(exercise, tmp_path):
    path = tmp_path / exercise.file
    path.write_text(exercise.template())
    result = check(exercise, path)
    assert result.status == "unwritten"
    assert "not written yet" in result.headline
    assert max(map(len, exercise.template().splitlines())) <= 85
    assert max(map(len, ast.get_docstring(ast.parse(exercise.template())).splitlines())) <= 78


def test_answers_by_heart_do_not_pass(tmp_path):
    """The numbers of every case that is always the same, looked up by the inputs."""
    exercise = EXERCISES[0]
    known = [
        (case.arguments["x_t"].tolist(), {k: v.tolist() for k, v in case.exact.items()})
        for case in exercise.cases(0)[:-1]
    ]
    path = tmp_path / exercise.file
    path.write_text(
        f"KNOWN = {known!r}\nimport numpy as np\n"
        "def forward_step(W_ih, W_hh, b, x_t, h_before):\n"
        "    for x, found in KNOWN:\n"
        "        if x == x_t.tolist():\n"
        "            return np.array(found['a']), np.array(found['h'])\n"
        "    return np.zeros_like(b), np.zeros_like(b)\n"
    )
    result = check(exercise, path)
    assert result.status == "wrong"
    assert "for the sizes before all is right" in result.details[-1]
