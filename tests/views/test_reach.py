"""Reach: how much of the last step's gradient arrives at the step its answer depends on, and what the answers say."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import Run
from rnnviz.nn import Model, numpy_engine
from rnnviz.nn.spec import CELLS
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, Cut, Measure, ShowSample, Train
from rnnviz.tasks import Task
from rnnviz.views import prepare as preparing
from rnnviz.views.prepare import prepare, read, with_known
from rnnviz.views.reach import Answers, Reach, constant, first_used, of_frame, reach
from rnnviz.words.reach import answers_texts, arrival, as_json, line, part, sends, text

# A linear RNN with W = γQ keeps exactly γ of the gradient in each step.
LINEAR = Experiment(task="recall", lag=20, activation="identity", init="orthogonal", hidden_size=6, samples=20)
WIDTHS = range(20, 160)


def reach_of(experiment: Experiment) -> Reach:
    found = of_frame(Player(experiment).frame)
    assert found is not None
    return found


@pytest.mark.parametrize("gain", [0.5, 0.8, 1.0, 1.2])
def test_what_arrives_is_what_every_step_leaves(gain: float) -> None:
    found = reach_of(LINEAR.with_(gain=gain))
    assert (found.loss_step, found.step, found.lag, found.along) == (21, 1, 20, "h")
    assert found.arrives == pytest.approx(gain**20)
    assert line(found)[0].startswith(f"{part(gain**20)} ")
    assert "20 steps back" in line(found)[0]


def test_it_follows_a_change() -> None:
    player = Player(LINEAR)
    assert of_frame(player.frame) is not None
    assert arrival(of_frame(player.frame))[0] == "100 % of the gradient arrives 20 steps back"
    found = of_frame(player.do(Change((("gain", 0.5),))))
    assert found is not None
    assert arrival(found)[0] == "9.5e-07 of the gradient arrives 20 steps back"


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("batch", [1, 3])
def test_what_a_step_sends_is_the_gradient_of_weights_used_at_that_step_alone(
    cell: str, layers: int, batch: int
) -> None:
    """Trace.share tells the parameters apart; over all of them the norm is that of `sent`."""
    rng = np.random.default_rng(3)
    run = Run(Experiment(task="recall", lag=5, cell=cell, num_layers=layers, hidden_size=4, samples=20))
    model, T = run.training.model, run.task.seq_len
    for k in (3, T):
        trace = model.trace(rng.normal(size=(T, batch, 7)), rng.integers(4, size=(T, batch)), "cross_entropy", [k])
        shares = [trace.share(name) for name in trace.params if not name.startswith("readout.")]
        flat = np.concatenate([share.reshape(T, -1) for share in shares], axis=1)[:k]
        assert trace.sent(k) == pytest.approx(np.sqrt((flat**2).sum(axis=1)), rel=1e-10)


def test_of_several_losses_only_the_last_one_counts() -> None:
    run = Run(Experiment(task="copying", hidden_size=4, samples=20))
    model, T = run.training.model, run.task.seq_len
    x, targets = run.task.x[0, :, None], run.task.targets[0, :, None]
    both = model.trace(x, targets, "cross_entropy", [4, T])
    # each loss step's share of the mean is one half, alone it is the whole
    assert both.sent(T) * 2 == pytest.approx(model.trace(x, targets, "cross_entropy", [T]).sent(T))


def test_shares_of_the_weights_gradient() -> None:
    found = reach_of(LINEAR.with_(gain=0.5))
    trace = Player(LINEAR.with_(gain=0.5)).frame.scene.trace
    sent = trace.sent(21)
    assert found.share == pytest.approx(sent[0] / sent.sum())
    assert found.near == pytest.approx(sent[20] / sent.sum())
    assert found.share < 1e-4 < 0.2 < found.near


def test_what_explodes_says_so_and_by_how_much() -> None:
    found = reach_of(LINEAR.with_(gain=2.0))
    assert found.arrives == pytest.approx(2.0**20)
    assert arrival(found)[0] == "1.0e+06 × the gradient arrives 20 steps back: it explodes"


def test_without_the_loop_nothing_arrives() -> None:
    found = of_frame(Player(LINEAR).do(Cut()))
    assert found is not None
    assert (found.arrives, found.share) == (0.0, 0.0)
    assert arrival(found)[0] == "nothing of the gradient arrives 20 steps back: W_hh is 0"
    assert as_json(found)["zero_because"] == "W_hh is 0"
    assert sends(found) == "", "0 % of the weights' gradient says nothing new"


def test_what_underflows_is_told_from_a_factor_of_0() -> None:
    found = reach_of(LINEAR.with_(gain=1e-30))
    assert found.arrives == 0.0
    assert arrival(found)[0] == "the gradient underflows at t = 10, before it is 20 steps back"
    assert "nothing" not in text(found)


def test_a_readout_of_0_is_not_called_an_error_of_0() -> None:
    scene = Player(LINEAR).frame.scene
    params = scene.model.copy_params()
    params["readout.weight"][...] = 0.0
    model = scene.model.with_params(params)
    found = reach(read(scene.task, 0, model))
    assert found is not None
    assert arrival(found)[0] == "the gradient is 0 from the start: the weights of the readout are 0"


def test_a_lower_layer_may_carry_what_the_top_one_does_not() -> None:
    scene = Player(LINEAR.with_(num_layers=2)).frame.scene
    params = scene.model.copy_params()
    params["rnn.weight_hh_l1"][...] = 0.0
    model = scene.model.with_params(params)
    found = reach(read(scene.task, 0, model))
    assert found is not None
    assert arrival(found)[0] == "nothing of the gradient arrives in the top layer 20 steps back: W_hh is 0"
    assert found.share is not None
    assert found.share > 0
    assert "that step sends" in sends(found)


def test_an_answer_at_hand_needs_no_way_back() -> None:
    found = reach_of(LINEAR.with_(loss_at="1"))
    assert found.lag == 0
    assert text(found).startswith("the answer depends on the last step itself")


def test_answers_are_counted_where_a_sequence_holds_several() -> None:
    """Copying, judged at every step: 14 of 40 answers were called "right in 1 of 2"."""
    scene = prepare(Player(Experiment(task="copying", samples=20, hidden_size=3)).frame.scene, Measure("outcome"))
    found = reach(scene)
    assert found is not None
    assert found.answers is not None
    assert (found.answers.sequences, found.answers.count) == (2, 40)
    assert line(found)[1] == f"{round(40 * scene.outcome.accuracy)} of 40 answers right"  # type: ignore[operator]
    assert answers_texts(Answers(1, right=0.0, constant=1.0, count=1)) == ("0 of 1 answer right",)


def test_no_number_is_said_to_be_none() -> None:
    player = Player(LINEAR.with_(learning_rate=1e200))
    found = of_frame(player.do(Train("epoch", 3)))
    assert found is not None
    assert math.isnan(found.arrives)
    assert found.share is None
    assert arrival(found)[0] == "the gradient is nan 20 steps back"


def test_of_an_lstm_the_state_in_which_more_arrives_counts() -> None:
    found = reach_of(Experiment(task="recall", lag=20, cell="lstm", forget_bias=4.0, samples=20))
    scene = Player(Experiment(task="recall", lag=20, cell="lstm", forget_bias=4.0, samples=20)).frame.scene
    lane = scene.gradient(21).highway
    assert lane is not None
    assert found.along == "c"
    assert found.arrives == pytest.approx(lane.norms[1] / lane.norms[21])
    assert " in c " in line(found)[0]


@pytest.mark.parametrize(("truncate", "used", "words"), [
    ("5,5", 5, "the last 5 steps"), ("1,1", 1, "the last step"), ("21,21", 21, None), ("5,10", 10, "the last 10 steps"),
    ("20,20", 20, "the last 20 steps"),
])  # fmt: skip
def test_truncation_is_said_wherever_the_answer_lies_beyond_it(truncate: str, used: int, words: str | None) -> None:
    """Lag 20, T 21: of 21 steps' walk the first is used too."""
    found = reach_of(LINEAR.with_(truncate=truncate))
    assert found.loss_step - found.first_used + 1 == used
    assert found.is_truncated is (words is not None)
    if words:
        assert found.share == 0.0
        assert line(found)[0] == f"truncated: the update uses only {words}, the answer is 20 steps back"
        assert all("arrive" not in text(found, width) for width in WIDTHS)
    else:
        assert found.share is not None
        assert found.share > 0


@pytest.mark.parametrize("truncate", [(1, 1), (3, 3), (3, 5), (4, 9), (7, 7), (12, 12)])
@pytest.mark.parametrize("k", [3, 8, 11])
def test_the_first_step_used_is_that_of_the_truncated_walk(truncate: tuple[int, int], k: int) -> None:
    """Each step has an input of its own, so that column t of W_ih hears of step t alone."""
    T = 11
    x = np.eye(T)[:, None]
    model = Model.create(cell="rnn", input_size=T, hidden_size=4, output_size=2, seed=1).in_float64
    forward = numpy_engine.forward(model.spec, model.params, x)
    errors = np.zeros((T, 1, 2))
    errors[k - 1] = 1.0
    grads = numpy_engine.truncated_backward(model.spec, model.params, forward, errors, *truncate)
    heard = np.flatnonzero(np.abs(grads["rnn.weight_ih_l0"]).sum(axis=0)) + 1
    assert (int(heard[0]), int(heard[-1])) == (first_used(k, truncate, T), k)


def test_what_is_learnt_the_answers_tell() -> None:
    """Ten steps between letter and question: once all answers are right, hardly any gradient is left to reach it."""
    player = Player(Experiment(task="recall", seq_len=11, hidden_size=8, samples=200, optimizer="adam",
                               learning_rate=0.02, batch_size=32, epochs=10))  # fmt: skip
    before = of_frame(player.frame)
    assert before is not None
    assert before.learnt is False
    after = of_frame(player.do(Train("all")))
    assert after is not None
    assert after.learnt is True
    assert after.arrives < before.arrives
    assert line(after)[1] == "learnt: 100 % right"
    cut = of_frame(player.do(Cut()))
    assert cut is not None
    assert cut.learnt is False
    again = of_frame(player.do(Cut()))
    assert again is not None
    assert again.learnt is True


def test_fewer_than_ten_sequences_are_counted_one_by_one() -> None:
    player = Player(LINEAR.with_(gain=0.8, lag=21))
    assert player.frame.scene.outcome.accuracy == 1, "untrained, on the two sequences that are kept"
    found = of_frame(player.frame)
    assert found is not None
    assert found.learnt is None
    assert line(found)[1] == "2 of 2 answers right"
    assert "learnt" not in text(found)


def test_where_answers_are_numbers_the_error_tells() -> None:
    found = Player(Experiment(task="adding", lag=5, samples=200, hidden_size=4)).frame.scene
    found = prepare(found, Measure("outcome"))
    answers = reach(found).answers  # type: ignore[union-attr]
    assert answers is not None
    assert (answers.right, answers.sequences) == (None, 20)
    task = found.task
    y = found.model.forward(task.x[task.n_train :].swapaxes(0, 1)).swapaxes(0, 1)[:, -1, 0]
    assert answers.error == pytest.approx(float(((y - task.targets[task.n_train :, -1, 0]) ** 2).mean()))
    assert answers.baseline == 1 / 6
    assert not answers.learnt
    assert Answers(20, error=1 / 61, baseline=1 / 6).learnt
    assert not Answers(20, error=1 / 59, baseline=1 / 6).learnt
    assert Answers(9, error=0.0, baseline=1 / 6).learnt is None
    assert not Answers(20, error=math.nan, baseline=1 / 6).learnt
    assert not Answers(20, error=math.inf, baseline=1 / 6).learnt


def test_a_constant_answer_has_learnt_nothing_however_often_it_is_right() -> None:
    """Copying wants blanks at most steps."""
    task: Task = Run(Experiment(task="copying", samples=200)).task
    blank = constant(task)
    assert blank > 0.5
    assert not Answers(20, right=blank, constant=blank).learnt
    assert not Answers(20, right=0.95, constant=0.95).learnt
    assert Answers(20, right=0.99, constant=0.92).learnt


def test_right_answers_are_not_counted_while_someone_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "AT_ONCE", 0)
    player = Player(Experiment(task="recall", lag=5, samples=200))
    assert of_frame(player.frame) is not None
    assert of_frame(player.frame).answers is None, "the first scene is on the screen before anything slow"
    found = of_frame(player.do(Train("batch")))
    assert found is not None
    assert found.answers is not None
    assert found.answers.right == player.frame.scene.outcome.accuracy


SETTINGS = [
    *(LINEAR.with_(gain=gain, lag=lag) for gain in (0.01, 0.5, 1.0, 3.0) for lag in (1, 3, 200)),
    LINEAR.with_(truncate="5,5"),
    LINEAR.with_(truncate="1,1"),
    LINEAR.with_(samples=200),
    LINEAR.with_(samples=200, cell="lstm"),
    Experiment(task="adding", lag=30, samples=200),
    Experiment(task="copying", samples=200),
    Experiment(task="captions", samples=30),
]


@pytest.mark.parametrize("settings", SETTINGS, ids=range(len(SETTINGS)))
def test_it_fits_its_row_and_ends_with_a_whole_claim(settings: Experiment) -> None:
    found = of_frame(Player(settings).frame)
    if found is None:
        pytest.skip("no lag")
    whole = {arrival(found)[0] + "; " + sends(found), *arrival(found), ""}
    for learnt in (found, replace(found, answers=Answers(40, right=1.0, constant=0.3))):
        answers = {"", *(answers_texts(learnt.answers) if learnt.answers else ())}
        for width in WIDTHS:
            measured, answer = line(learnt, width)
            assert measured in whole
            assert answer in answers
            assert len(measured) + (5 + len(answer) if answer else 0) <= width
        measured, answer = line(learnt, 50)
        assert measured, "there is something to read at 60 columns"
        assert answer or learnt.answers is None


def test_it_neither_predicts_nor_forbids() -> None:
    for settings in SETTINGS:
        found = of_frame(Player(settings).frame)
        for width in WIDTHS if found else ():
            assert not re.search(r"\b(can|cannot|yet|will|needs?)\b", text(found, width))  # type: ignore[union-attr]


def test_a_sequence_of_its_own_has_its_own_step() -> None:
    """Adding: the earlier of the two marks."""
    player = Player(Experiment(task="adding", lag=30, samples=200, hidden_size=4))
    for sample in range(1, 6):
        frame = player.do(ShowSample(1))
        marks = np.flatnonzero(frame.scene.task.x[sample, :, 1]) + 1
        assert of_frame(frame) is not None
        assert of_frame(frame).step == marks[0]


def test_an_answer_judged_before_its_letter_came_hangs_on_nothing() -> None:
    assert of_frame(Player(LINEAR.with_(seq_len=30, loss_at="3")).frame) is None


@pytest.mark.parametrize(("start", "there", "words"), [
    (math.nan, math.nan, "the gradient is nan 20 steps back"),
    (1.0, math.nan, "the gradient is nan 20 steps back"),
    (math.inf, math.inf, "the gradient overflows 20 steps back"),
    (1.0, math.inf, "the gradient overflows 20 steps back"),
    (1.0, 2e-200, "2.0e-200 of the gradient arrives 20 steps back"),
    (1.0, 0.0, "hardly anything of the gradient arrives 20 steps back"),
    (1e-200, 1e119, "the gradient overflows 20 steps back"),
])  # fmt: skip
def test_what_is_no_number_says_what_it_is(start: float, there: float, words: str) -> None:
    scene = Player(LINEAR).frame.scene
    norms = scene.gradient(21).norms.copy()
    norms[21], norms[1] = start, there
    found = reach(with_known(scene, {Measure("gradient", 21): replace(scene.gradient(21), norms=norms)}))
    assert found is not None
    assert arrival(found)[0] == words


@pytest.mark.parametrize("task", ["sine", "names"])
def test_a_task_without_a_known_lag_has_none(task: str) -> None:
    assert of_frame(Player(Experiment(task=task)).frame) is None
