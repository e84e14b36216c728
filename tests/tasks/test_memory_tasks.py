"""recall, adding, copying, captions, flipflop: what is asked is where the lag says, and what a guess scores."""

import math

import numpy as np
import pytest

from rnnviz import tasks
from rnnviz.tasks.captions import END, PIXELS, WORDS
from rnnviz.tasks.flipflop import PULSE


@pytest.mark.parametrize(("seq_len", "lag"), [(2, 1), (2, None), (30, None), (30, 7), (None, 12)])
def test_recall_asks_for_the_only_symbol_and_it_stands_lag_steps_back(seq_len, lag):
    task = tasks.build("recall", seq_len=seq_len, lag=lag)
    T = task.seq_len
    assert task.lag == (lag or T - 1)
    for i in range(50):
        tokens = task.tokens(i)
        assert tokens[-1] == "?"
        assert [(t, token) for t, token in enumerate(tokens, 1) if token in "ABCD"] == [
            (T - task.lag, task.labels[task.targets[i, -1]])
        ]
    assert task.baseline == math.log(4)


@pytest.mark.parametrize(("seq_len", "lag"), [(2, None), (3, None), (30, None), (30, 1), (30, 8), (None, 9)])
def test_adding_marks_two_numbers_within_the_lag_and_asks_for_their_sum(seq_len, lag):
    task = tasks.build("adding", seq_len=seq_len, lag=lag)
    number, marker = task.x[..., 0], task.x[..., 1]
    assert (marker.sum(axis=1) == 2).all()
    assert np.allclose((number * marker).sum(axis=1), task.targets[:, -1, 0])
    first = marker.argmax(axis=1) + 1
    assert first.min() == task.seq_len - task.lag, "the farthest place is used, and none beyond it"


def test_always_saying_one_scores_a_sixth_on_adding():
    task = tasks.build("adding", samples=100_000, seq_len=10)
    assert task.baseline == 1 / 6
    assert np.mean((task.targets[task.loss_mask] - 1.0) ** 2) == pytest.approx(1 / 6, rel=0.01)


@pytest.mark.parametrize(("seq_len", "lag"), [(3, None), (20, None), (None, 30), (None, 2), (30, 16), (100, None)])
def test_copying_answers_come_lag_steps_after_their_symbols(seq_len, lag):
    task = tasks.build("copying", seq_len=seq_len, lag=lag)
    width = task.seq_len - task.lag
    assert 1 <= width <= max(10, (seq_len or 0) - (lag or 0))
    for i in range(20):
        answers = [task.labels[k] for k in task.targets[i]]
        assert answers[task.lag :] == list(task.tokens(i)[:width])
        assert set(answers[: task.lag]) == {"-"}
        assert task.tokens(i)[task.lag - 1] == ":"
        assert set(task.tokens(i)[width : task.lag - 1] + task.tokens(i)[task.lag :]) <= {"-"}
    assert task.baseline == pytest.approx(width * math.log(8) / task.seq_len)  # Arjovsky et al. 2016, 4.1


def test_a_picture_is_shown_once_and_its_word_is_spelled_with_an_end():
    task = tasks.build("captions", seq_len=9, noise=0.0)
    assert not task.x[:, 1:].any()
    for i in range(50):
        spelled = "".join(task.labels[k] for k in task.targets[i])
        word, end, _ = spelled.partition(END)
        assert end
        assert task.lengths[i] == len(word) + 1
        assert np.array_equal(task.x[i, 0], PIXELS[WORDS.index(word)])
    assert len({tuple(p) for p in PIXELS}) == len(WORDS), "no two words for one picture"


@pytest.mark.parametrize("seq_len", [2, 20, 31])
def test_a_flipflop_gives_the_last_pulse_of_each_bit(seq_len):
    task = tasks.build("flipflop", seq_len=seq_len, samples=60)
    assert set(np.unique(task.x)) == {-1.0, 0.0, 1.0}
    for i in range(len(task)):
        bits = np.zeros(3)
        for t in range(seq_len):
            bits = np.where(task.x[i, t] != 0, task.x[i, t], bits)
            assert np.array_equal(task.targets[i, t], bits)
            for step in task.needs(i, t + 1):
                assert (task.x[i, step - 1] * bits == 1).any(), "it set a bit as it is now"
            assert len(task.needs(i, t + 1)) <= np.count_nonzero(bits) <= 3
            assert bool(task.needs(i, t + 1)) == bits.any()
    assert task.loss_mask.all()
    assert task.lag == seq_len - 1


def test_the_pulses_of_a_flipflop_are_as_frequent_as_it_says():
    x = tasks.build("flipflop", samples=10_000).x
    assert np.mean(x != 0) == pytest.approx(PULSE, rel=0.01)
    assert np.mean(x) == pytest.approx(0.0, abs=0.002)


def test_a_flipflop_is_right_where_the_sign_is_and_asks_for_no_bit_without_a_pulse():
    task = tasks.build("flipflop", samples=20)
    targets = np.array([[1.0, -1.0, 0.0], [1.0, 1.0, 1.0]])
    y = np.array([[0.2, 0.1, -3.0], [np.nan, 9.0, -1.0]])
    assert task.right(y, targets).tolist() == [True, False, False, True, False]
    assert task.right(targets, targets).all()
