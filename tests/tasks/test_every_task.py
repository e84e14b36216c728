"""What holds for every task: shapes, the split, words, settings refused in one line."""

import subprocess
import sys

import numpy as np
import pytest

from rnnviz import tasks
from rnnviz.errors import InputError
from rnnviz.experiment.experiment import TASKS
from rnnviz.tasks.captions import WORDS
from rnnviz.tasks.catalog import LONGEST_CAPTION, LONGEST_NAME, SHAPES
from rnnviz.tasks.surnames import SURNAMES


@pytest.fixture(params=tasks.NAMES)
def name(request):
    return request.param


def test_the_catalog_and_the_experiment_know_the_same_tasks():
    assert tasks.NAMES == TASKS
    assert max(len(n) for names in SURNAMES.values() for n in names.split()) == LONGEST_NAME
    assert max(map(len, WORDS)) + 1 == LONGEST_CAPTION


def test_shapes(name):
    task = tasks.build(name)
    N, T, I = task.x.shape  # noqa: E741
    assert task.loss_mask.shape == (N, T)
    assert task.lengths.shape == (N,)
    assert task.shape in SHAPES
    assert 0 < task.n_train < N
    assert (task.seq_len, task.input_size) == (T, I) == (tasks.info(name).seq_len, I)
    if task.loss == "mse":
        assert task.targets.shape == (N, T, task.output_size)
    else:
        assert task.targets.shape == (N, T)
        assert 0 <= task.targets.min() <= task.targets.max() < task.output_size == len(task.labels)
    assert task.loss_mask.any(axis=1).all(), "a sequence without any loss teaches nothing"
    if task.vocab:
        assert len(task.vocab) == I


def test_nothing_is_shown_or_judged_after_a_sequence_ends(name):
    task = tasks.build(name, loss_at="every")
    for i in range(len(task)):
        n = task.lengths[i]
        assert not task.x[i, n:].any()
        assert not task.loss_mask[i, n:].any()
        assert task.tokens(i)[n:] == ("",) * (task.seq_len - n)
        assert all(task.tokens(i)[:n])


def test_words_are_one_line_with_and_without_an_answer(name):
    task = tasks.build(name)
    y = np.random.default_rng(0).standard_normal((task.seq_len, task.output_size))
    for i in range(min(len(task), 20)):
        for text in (task.describe(i), task.describe(i, y), task.describe(i, np.full_like(y, np.nan))):
            assert text
            assert "\n" not in text
        assert task.describe(i) in task.describe(i, y)


def test_same_seed_same_numbers(name):
    a, b, c = (tasks.build(name, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(a.x, b.x)
    assert np.array_equal(a.targets, b.targets)
    if name != "characters":  # its text is what it is
        assert not np.array_equal(a.x, c.x)


def test_arrays_cannot_be_changed_by_accident(name):
    with pytest.raises(ValueError, match="read-only"):
        tasks.build(name).x[0] = 0.0


@pytest.mark.parametrize("seq_len", [1, 2, 3, 4, 5, 7, 11, 13, 49, 50, 51, 2000])
def test_any_number_of_steps_works_or_says_what_to_do(name, seq_len):
    try:
        task = tasks.build(name, seq_len=seq_len, samples=None if name == "sine" else 5)
    except InputError as error:
        said = str(error)
    else:
        assert task.x.shape[1] == seq_len
        return
    assert "\n" not in said
    assert "use" in said or "needs" in said


@pytest.mark.parametrize("loss_at", ["every", "last", (1,), (2, 4)])
def test_the_loss_can_stand_anywhere(name, loss_at):
    task = tasks.build(name, loss_at=loss_at)
    assert task.loss_mask.any()
    if loss_at == "last":
        assert np.array_equal(task.loss_mask.argmax(axis=1), task.lengths - 1)
        assert (task.loss_mask.sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"name": "poetry"}, "choose from sine, recall"),
        ({"name": "sine", "lag": 3}, "lag"),
        ({"name": "sine", "samples": 3}, "samples"),
        ({"name": "recall", "source": "x.txt"}, "the task 'characters' reads a text"),
        ({"name": "recall", "lag": 5, "seq_len": 5}, "at most 4"),
        ({"name": "recall", "lag": 0}, "at least 1"),
        ({"name": "adding", "lag": 9, "seq_len": 5}, "at most 4"),
        ({"name": "copying", "lag": 20, "seq_len": 20}, "at most 19"),
        ({"name": "copying", "lag": 4, "seq_len": 20}, "use at least 11"),
        ({"name": "captions", "seq_len": 6}, "7 or more"),
        ({"name": "names", "seq_len": 1}, "at least 3 steps"),
        ({"name": "names", "samples": 10_000}, "only 361 names"),
        ({"name": "recall", "samples": 1}, "at least 2"),
        ({"name": "recall", "samples": 2, "validation_split": 0.9}, "leaves no sequence"),
        ({"name": "sine", "validation_split": 1.0}, "less than 1"),
        ({"name": "sine", "loss_at": (11,)}, "1..10"),
        ({"name": "sine", "loss_at": "never"}, "every, last"),
        ({"name": "sine", "noise": float("nan")}, "noise"),
        ({"name": "sine", "noise": "x"}, "noise: 'x' is not a finite number"),
        ({"name": "sine", "seq_len": 2.5}, "seq_len: 2.5 is not a whole number"),
        ({"name": "sine", "seq_len": 10**400}, "seq_len: a number this long is more than"),
        ({"name": "sine", "seed": -1}, "seed: -1"),
        ({"name": ["sine"]}, r"task: \['sine'\] is unknown"),
        ({"name": "sine", "loss_at": (1, "x")}, r"loss_at: steps \(1, 'x'\)"),
        ({"name": "sine", "points": 1_000_000, "seq_len": 9_000}, "data: would take"),
        ({"name": "recall", "samples": 1_000_000, "seq_len": 10_000}, "data: would take"),
        ({"name": "adding", "samples": 1_000_000, "seq_len": 10_000}, "data: would take"),
        ({"name": "copying", "samples": 1_000_000, "seq_len": 10_000}, "data: would take"),
        ({"name": "captions", "samples": 1_000_000, "seq_len": 10_000}, "data: would take"),
        ({"name": "names", "seq_len": 1_000_000}, "data: would take"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(settings, words):
    with pytest.raises(InputError, match=words) as caught:
        tasks.build(**settings)
    assert "\n" not in str(caught.value)


def test_the_catalog_needs_no_numpy():
    code = "import sys, rnnviz.tasks.catalog; print('numpy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
