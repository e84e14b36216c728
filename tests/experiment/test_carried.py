"""Experiments with carried state: the rows of the data, evaluation in the order of time, time travel, refusals."""

import json

import numpy as np
import pytest

from rnnviz import Experiment, train
from rnnviz.errors import InputError
from rnnviz.experiment.build import build_model, build_task, build_training, resolved, start_of, trace_of
from rnnviz.experiment.cost import size_of
from rnnviz.experiment.evaluate import continue_text, fit, outputs, self_fed
from rnnviz.player.player import Player
from rnnviz.scene.commands import Back, Change, ShowSample, Train
from rnnviz.tasks import build
from rnnviz.tasks.typed import with_typed

SINE = {"carry": True, "points": 123, "seq_len": 5, "batch_size": 3, "hidden_size": 4}


def made(**settings):
    experiment = resolved(Experiment(**SINE | settings))
    task = build_task(experiment)
    return experiment, task, build_model(experiment, task)


def test_rows_continue_one_another():
    """24 windows end to end: 21 to train on in 3 rows of 7, 3 to validate with."""
    _, task, _ = made()
    assert (len(task), task.n_train) == (24, 21)
    assert task.previous.tolist() == [-1, *range(6), -1, *range(7, 13), -1, *range(14, 20), -1, 21, 22]
    for i, before in enumerate(task.previous):
        if before >= 0:
            np.testing.assert_array_equal(task.x[i, 0], task.targets[before, -1])
    np.testing.assert_array_equal(np.concatenate(task.x[:, :, 0]), task.series[:120])
    experiment, task, model = made(batch_size=4, cell="lstm")
    assert (len(task), task.n_train) == (23, 20)
    training = build_training(experiment, model, task)
    assert training.batch_indices(0, 1).tolist() == [1, 6, 11, 16]


def test_every_reader_begins_from_the_same_state():
    """The trace, the outputs of a data set and of a part of it, the fit, and the whole row read in one piece."""
    for cell, dtype in (("lstm", "float64"), ("gru", "float64"), ("rnn", "float32")):
        _, task, model = made(cell=cell, num_layers=2, dtype=dtype)
        y = outputs(model, task)
        row = model.forward(task.x[7:14].reshape(1, -1, 1).swapaxes(0, 1))[:, 0]
        np.testing.assert_allclose(y[7:14].reshape(-1, 1), row, atol=1e-6)
        for i in (0, 9, 23):
            np.testing.assert_allclose(trace_of(model, task, i).y[:, 0], y[i], atol=1e-6)
            np.testing.assert_allclose(outputs(model, task, slice(i, i + 1))[0], y[i], atol=1e-6)
        np.testing.assert_allclose(fit(model, task)[: 23 * 5 + 1], y[:, :, 0].ravel()[4:], atol=1e-12)
        assert start_of(model, task, 14) is None
        assert np.abs(start_of(model, task, 9).h).max() > 0.01
        assert trace_of(model, task, 9).check() < 1e-6


def test_validation_is_one_row_from_zeros():
    result = train(Experiment(**SINE, epochs=2))
    task, model = result.task, result.model
    y = model.forward(task.x[21:].reshape(1, -1, 1).swapaxes(0, 1))[:, 0]
    error = ((y - task.targets[21:].reshape(-1, 1)) ** 2).mean()
    assert result.history["val_loss"][-1] == pytest.approx(error, rel=1e-12)


def test_self_fed_prediction_and_text_go_on_from_the_carried_state():
    _, task, model = made()
    whole = task.x[0]
    for expected in self_fed(model, task)[:4]:
        y = model.forward(whole[:, None])[-1, 0]
        assert expected == pytest.approx(float(y[0]), rel=1e-12)
        whole = np.concatenate([whole, y[None]])
    experiment = resolved(Experiment(task="characters", carry=True, batch_size=2, hidden_size=8, seq_len=3))
    task = build_task(experiment)
    model = build_model(experiment, task)
    two = "".join(task.tokens(0) + task.tokens(1)) + task.labels[task.targets[1, -1]]
    in_one = with_typed(build("characters", seq_len=3), 1, two)
    assert continue_text(model, task, 1) == continue_text(model, in_one, 1)
    assert continue_text(model, task, 1) != continue_text(model, build("characters", seq_len=3), 1)


def test_a_step_back_by_a_batch_finds_the_carried_state_exactly():
    player = Player(Experiment(**SINE, cell="lstm"))
    player.do(Train("batch", 2))
    frame = player.do(ShowSample(9))  # row 1 of the next batch
    training = player._now.run.timeline.training
    h0, c0 = training.start_of_batch()
    np.testing.assert_array_equal(frame.scene.trace.h[0, 0], h0[0, 1])
    np.testing.assert_array_equal(frame.scene.trace.c[0, 0], c0[0, 1])
    later = player.do(Train("batch", 3)).scene.trace.h[0]
    assert not np.array_equal(later[0], h0[0, 1])  # read again with the weights of now
    np.testing.assert_array_equal(later, start_of(training.model, player.frame.scene.task, 9).h[0])
    for _ in range(3):
        back = player.do(Back("batch"))
    np.testing.assert_array_equal(back.scene.trace.h[0, 0], h0[0, 1])
    assert back.scene.trace.loss == frame.scene.trace.loss


def test_the_gradient_shown_of_the_next_batch_is_the_one_that_trains():
    """One row: the update of plain gradient descent is the trace's gradient times the learning rate."""
    player = Player(Experiment(**SINE | {"batch_size": 1}, optimizer="sgd", learning_rate=0.5))
    player.do(Train("batch", 2))
    trace, before = player.do(ShowSample(2)).scene.trace, player.frame.scene.model.params
    assert np.abs(trace.h[0]).max() > 0
    after = player.do(Train("batch", 1)).scene.model.params
    for name, w in before.items():
        np.testing.assert_allclose((w - after[name]) / 0.5, trace.grads[name], atol=1e-12)


def test_own_series_begin_again_at_a_gap_and_at_a_group(tmp_path):
    path = tmp_path / "a.csv"
    rows = [(g, "" if (g, k) == (0, 13) else k % 7) for g in (0, 1) for k in range(41)]
    path.write_text("shop,sold\n" + "".join(f"{g},{value}\n" for g, value in rows))
    experiment = Experiment(data=str(path), group="shop", carry=True, seq_len=4, batch_size=2, validation_split=0.0)
    task = build_task(resolved(experiment))
    assert task.loss_mask.all()
    starts = task.starts.tolist()
    assert starts == [0, 4, 8, 16, 20, 24, 28, 32, 36, 41, 45, 49, 53, 57, 61, 65, 69, 73, 77][: len(starts)]
    begins = [starts[i] for i in range(len(task)) if task.previous[i] < 0]
    assert {0, 16, 41} <= set(begins)
    assert len(begins) <= 4  # and where the second row begins
    assert train(experiment.with_(epochs=1)).history["loss"]
    four_rows = build_task(resolved(experiment.with_(batch_size=4)))
    assert len(four_rows) == 16
    assert "3 training sequences are left out, so that 4 rows are equally long: 4 sequences each." in four_rows.notes


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "carry: 8 rows need 16 training sequences, not 3; use batch size 1 or less, shorter sequences"),
        ({"task": "recall"}, "carry: only the sine, a text and your own series have sequences that continue"),
        ({"task": "characters", "samples": 500}, "samples: 500 sequences of 40 do not follow one another; use at most"),
        ({"points": 300, "shortest": 5}, "carry: sequences of unequal lengths do not continue one another"),
        ({"points": 12}, "carry: 8 rows need 16 training sequences, not 1; use shorter"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_is_refused_in_one_line(settings, message):
    if settings.get("points") == 12:
        settings = {**settings, "validation_split": 0.0, "seq_len": 11}
    with pytest.raises(InputError) as refused:
        train(Experiment(carry=True, **settings))
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_the_default_is_not_written_and_another_task_drops_it():
    assert Experiment(carry=False).to_toml() == ""
    assert Experiment.from_toml("carry = true").carry
    player = Player(Experiment(**SINE))
    assert player.do(Change((("task", "recall"),))).experiment.carry is False


def test_cost_counts_the_windows_that_are_read():
    assert size_of(resolved(Experiment(**SINE))).sequences == 24
    assert size_of(resolved(Experiment(**SINE | {"carry": False}))).sequences == 118


def test_the_command_line_trains_it(capsys):
    from rnnviz.cli.main import main

    assert main(["train", "--carry", "--points", "123", "--steps", "5", "--batch", "3", "--epochs", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["experiment"] if "experiment" in found else found[0]["experiment"])["carry"] is True
    assert main(["train", "--carry", "--task", "adding"]) == 2
    assert capsys.readouterr().err.startswith("rnnviz train: --carry: only the sine")
