"""The noisy sine as Keras users know it, and every window length."""

import numpy as np
import pytest

from rnnviz import tasks
from rnnviz.errors import InputError


def test_windows_and_targets_are_the_series_shifted_by_one():
    task = tasks.build("sine", seq_len=7, points=30, seed=3)
    for i in range(len(task)):
        assert np.array_equal(task.x[i, :, 0], task.series[i : i + 7])
        assert np.array_equal(task.targets[i, :, 0], task.series[i + 1 : i + 8])


def test_the_keras_recipe():
    task = tasks.build("sine")
    assert task.x.shape == (40, 10, 1)
    assert task.n_train == 36  # Keras: floor(40 · (1 - 0.1)), the last four validate
    assert np.allclose(task.clean, np.sin(np.linspace(-2 * np.pi, 2 * np.pi, 50)))
    noise = np.concatenate([(t := tasks.build("sine", seed=s)).series - t.clean for s in range(200)])
    assert abs(noise.mean()) < 0.004
    assert abs(noise.std() - 0.1) < 0.003


@pytest.mark.parametrize("split", [0.0, 0.1, 0.15, 0.3, 0.7, 0.99])
def test_validation_takes_the_last_windows_as_keras_counts_them(split):
    task = tasks.build("sine", points=110, validation_split=split)
    assert task.n_train == int(np.floor(100 * (1.0 - split)))


@pytest.mark.parametrize("points", [2, 3, 5, 12])
def test_every_window_length_works_or_says_what_to_do(points):
    for seq_len in range(1, points + 3):
        if seq_len < points:
            task = tasks.build("sine", seq_len=seq_len, points=points, validation_split=0.0)
            assert task.x.shape == (points - seq_len, seq_len, 1)
        else:
            with pytest.raises(InputError, match=f"at most {points - 1} steps"):
                tasks.build("sine", seq_len=seq_len, points=points)


def test_a_split_that_leaves_nothing_to_train_on_is_refused():
    with pytest.raises(InputError, match="leaves no sequence to train on"):
        tasks.build("sine", seq_len=10, points=11, validation_split=0.1)


@pytest.mark.parametrize(
    ("loss_at", "steps", "shape"),
    [
        ("every", range(1, 11), "many-to-many"),
        ("last", [10], "many-to-one"),
        ((3, 7), [3, 7], "many-to-many"),
    ],
)
def test_the_loss_stands_where_it_is_asked_for(loss_at, steps, shape):
    task = tasks.build("sine", loss_at=loss_at)
    assert [t for t in range(1, 11) if task.loss_mask[:, t - 1].all()] == list(steps)
    assert task.shape == shape


def test_same_seed_same_numbers():
    assert np.array_equal(tasks.build("sine", seed=5).x, tasks.build("sine", seed=5).x)
    assert not np.array_equal(tasks.build("sine", seed=5).x, tasks.build("sine", seed=6).x)


def test_words():
    task = tasks.build("sine", noise=0.0)
    assert task.tokens(0)[0] == f"{task.series[0]:+.2f}"
    assert task.describe(4).startswith("points 5 to 14 of 50; the next is ")
    assert task.describe(0, np.full((10, 1), 0.25)).endswith("prediction: +0.250")
