"""Every exercise is solved by two different right programs, and each wrong one gets its own diagnosis."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from rnnviz.workshop.check import check
from rnnviz.workshop.exercise import SIZES
from rnnviz.workshop.exercises import EXERCISES
from rnnviz.workshop.wording import difference
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


def test_numbers_of_other_signs_are_not_called_too_small() -> None:
    exact = np.array([-0.11, -0.63, -0.55])
    assert difference(np.array([0.47, 0.32, 0.35]), exact) == "yours has other signs"
    assert difference(-exact, exact) == "yours has the opposite sign"
    assert difference(exact / 2, exact) == "yours is 2 × too small"


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
        for case in exercise.cases(0)[: len(SIZES)]
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


@pytest.mark.parametrize(
    ("number", "changes", "headline"),
    [
        (2, (), "h is not written yet: replace the … in line 31."),
        (2, (("h[t] = ...", "h[t] = np.tanh(W_ih @ x[t - 2] + W_hh @ h[t - 1] + b)"),), "h₁ is the first that differs"),
        (2, (("h[t] = ...", "h[t] = np.tanh(W_ih @ x[t - 1] + W_hh @ h[t - 1] + b)"),), "y is not written yet: replace"),
        (5, (("grad_h[t] = ...", "grad_h[t] = W_out.T @ grad_y[t - 1]"),), "grad_a is not written yet: replace"),
        (7, (("i = ...", "i = 1 / (1 + np.exp(-(W_ih @ x_t + W_hh @ h_before + b)[:H]))"),), "i is right. f is not written yet."),
        (4, (("slope = ...", "slope = 1 - h_t**2"), ("grad_h_before = ...", "grad_h_before = W_hh.T @ grad_a")), "grad_a is not written yet, and line 24 uses it."),
        (10, (("return ...", "return x_t.sum() + np.sin(h_before)"),), "grad_h_before is not written yet"),
    ],
)  # fmt: skip
def test_what_is_written_already_is_compared(number, changes, headline, tmp_path):
    exercise = EXERCISES[number - 1]
    text = exercise.template()
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = tmp_path / exercise.file
    path.write_text(text)
    assert headline in check(exercise, path).headline
