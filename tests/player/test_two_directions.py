"""A bidirectional experiment: trained, shown one direction at a time, in the order of time, and what it refuses."""

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.experiment.build import build_model, build_task, build_training, resolved, trace_of
from rnnviz.experiment.evaluate import accuracy, outputs
from rnnviz.experiment.experiment import TASKS, Experiment
from rnnviz.nn import Data
from rnnviz.nn.training import evaluate
from rnnviz.plain.mask import Mask
from rnnviz.plain.moment import moment
from rnnviz.plain.rows import row
from rnnviz.player.kinds.experiment import cannot
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, Go, Left, Measure, Right, Seek, ShowGradient, Train, Undo
from rnnviz.scene.cursor import Phase
from rnnviz.tasks.reversed import from_the_end
from rnnviz.tui.geometry import Columns, columns_of
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels import BY_ID, why_not
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.score import draw
from rnnviz.tui.view import EVERYTHING
from rnnviz.tui.voice import VOICE
from rnnviz.views.perturbation import known
from rnnviz.views.prepare import prepare
from rnnviz.views.reach import of_frame
from rnnviz.words.narration import narrate

BOTH = Experiment(bidirectional=True, loss_at="4", hidden_size=6)


def shown(way, experiment=BOTH, **settings):
    return Player(experiment.with_(view_direction=way, **settings))


def test_a_change_of_the_shown_direction_keeps_the_training_and_the_time_of_the_loss():
    player = Player(BOTH.with_(loss_at="every"))
    ahead = player.do(Train("epoch", 2))
    player.do(ShowGradient(3))
    back = player.do(Change((("view_direction", "backward"),)))
    assert back.cursor.epoch == 2
    assert (back.scene.reads_back, back.scene.time(back.loss_step)) == (True, 3)
    assert back.ghost is None
    assert back.scene.loss == ahead.scene.loss
    assert np.array_equal(back.scene.trace.y, ahead.scene.trace.y[::-1])
    assert back.scene.outcome.error == ahead.scene.outcome.error
    assert np.array_equal(back.scene.outcome.fit, ahead.scene.outcome.fit)
    assert player.do(Undo()).loss_step == 3
    player.do(Change((("view_direction", "backward"),)))
    assert player.do(Train("epoch")).cursor.epoch == 3


def test_each_directions_gradient_lies_on_its_own_side_of_the_loss():
    """Both pictures have time from left to right: the bars of one end at the loss, those of the other begin there."""
    columns = {}
    for way in ("forward", "backward"):
        frame = shown(way).do(Go("backward", 0))
        lines = draw(frame, 80, 19, Palette()).plain()
        cols = columns_of(frame, 80)
        at = next(y for y, line in enumerate(lines) if "10^" in line)
        columns[way] = {frame.scene.time(t) for t in cols.steps if lines[at][cols.x(t)] not in " "}
        axis = [int(word) for word in lines[at + 1][8:60].split()]
        assert axis == sorted(axis)
        assert lines[at + 1].startswith("time t ◀" if way == "forward" else "time t ▶")
        assert any("‖∂L₄/∂h‖" in line for line in lines)
    assert columns == {"forward": set(range(5)), "backward": set(range(4, 12))}


def test_the_side_and_the_words_name_the_time():
    frame = shown("backward").do(Seek(3))
    first, second = narrate(frame, VOICE)
    assert first == "Backward: h₈ combines h₉ and x₈: tanh(W_ih·x₈ + W_hh·h₉ + b)"
    assert second == "The output also reads the forward direction's h₈, which knows x₁ to x₈."
    assert "t = 8    ◀ reading" in draw(frame, 80, 19, Palette()).plain()[0]
    assert narrate(shown("forward").do(Seek(3)), VOICE) == (
        "Forward: h₃ combines h₂ and x₃: tanh(W_ih·x₃ + W_hh·h₂ + b)",
        "The output also reads the backward direction's h₃, which knows x₃ to x₁₀.",
    )
    player = shown("backward")
    player.do(Go("backward", 2))
    first, second = narrate(player.frame, VOICE)
    assert first.startswith("5 steps later, ")
    assert "back" not in first + second
    first, second = narrate(player.do(Seek(9)), VOICE)
    assert first == "The error of step 4 cannot reach step 2: this direction reads it later."
    assert second == "→ continues forward in time."
    player.do(Go("backward", 7))
    assert narrate(player.frame, VOICE)[0] == "Backward: the error of step 4 reaches h₄ through the readout alone."
    assert narrate(player.do(Seek(0)), VOICE)[0].startswith("7 steps later")
    assert (
        narrate(shown("backward").frame, VOICE)[0] == "Backward: h₁₁, the memory before the last input, is all zeros."
    )


def test_the_arrows_go_with_the_picture():
    player = shown("backward")
    assert player.do(Left()).cursor.t == 1
    assert player.do(Left()).cursor.t == 2
    assert player.do(Right()).cursor.t == 1
    player.do(Go("loss"))
    assert player.do(Right()).cursor.phase is Phase.BACKWARD
    assert player.frame.cursor.t == 10
    assert player.do(Right()).cursor.t == 9


def test_mirrored_columns():
    for cols in (Columns(10, 4, 0, 11, True), Columns(10, 1, 20, 30, True), Columns(10, 4, 0, 11)):
        assert [cols.x(t) for t in cols.steps] == list(range(10, cols.end, cols.width))
        assert all(cols.step_at(cols.x(t) + cols.width - 1) == t for t in cols.steps)
    cols = Columns(10, 4, 0, 11, True)
    assert cols.upto(0) == (50, 54)
    assert cols.upto(10) == (10, 54)
    assert Columns(10, 4, 0, 11).upto(0) == (10, 14)
    assert Columns(10, 1, 20, 30, True).upto(5) == (40, 40)


def test_a_task_from_the_end_is_the_same_task():
    task = build_task(resolved(Experiment(task="names", samples=20)))
    turned = from_the_end(task)
    for i in range(5):
        n = int(task.lengths[i])
        assert turned.tokens(i)[:n] == task.tokens(i)[:n][::-1]
        assert turned.tokens(i)[n:] == task.tokens(i)[n:]
        assert turned.in_words(i) == task.in_words(i)
        assert turned.loss_mask[i].tolist()[:n] == task.loss_mask[i, :n].tolist()[::-1]
        assert np.array_equal(turned.x[i, :n], task.x[i, :n][::-1])
    adding = build_task(resolved(Experiment(task="adding", samples=20, loss_at="1")))
    back, T = from_the_end(adding), adding.seq_len
    both = adding.needs(0, T)
    assert len(both) == 2
    assert back.needs(0, T) == tuple(sorted(T + 1 - t for t in both))
    assert back.needs(0, T + 1 - both[1]) == (T + 1 - both[1],)
    assert back.needs(0, T - both[1]) == ()
    assert back.original is adding


def test_sequences_of_unequal_lengths_are_read_from_their_own_ends():
    """In training, in validation, in the answers, and in what is shown: the loss of each sequence by itself."""
    e = resolved(Experiment(task="recall", lag=6, samples=12, shortest=8, bidirectional=True,
                            seq_len=12, hidden_size=5, init="pytorch"))  # fmt: skip
    task = build_task(e)
    model = build_model(e, task)
    training = build_training(e, model, task)
    losses, answers = [], []
    for i in range(len(task)):
        trace = trace_of(model, task, i)
        first, last = task.span(i)
        alone = model.forward(task.x[i, first - 1 : last, None])
        at = task.answer_at(i)
        np.testing.assert_allclose(trace.y[last - 1], alone[-1], rtol=1e-12)
        losses.append(trace.loss)
        answers.append(alone[-1, 0])
        np.testing.assert_allclose(outputs(model, task)[i, last - 1], alone[-1, 0], rtol=1e-12)
        assert trace_of(model, from_the_end(task), i).loss == pytest.approx(trace.loss, rel=1e-13)
        assert at >= last - 1
    assert evaluate(model, training.train) == pytest.approx(np.mean(losses[: task.n_train]), rel=1e-12)
    both = [training, build_training(e, model, task)]
    both[0].engine, both[1].engine = "numpy", "numba"
    assert both[0].run_batch() == pytest.approx(both[1].run_batch(), rel=1e-12)
    first = both[0].batch_indices(0, 0)
    fresh = build_training(e, model, task)
    assert fresh.run_batch() == pytest.approx(np.mean([losses[i] for i in first]), rel=1e-12)
    read_on = Data(task.x, task.targets, task.loss_mask, task.loss)  # zeros behind the end are another network's input
    assert abs(evaluate(model, read_on) - np.mean(losses)) > 1e-4
    with pytest.raises(InputError, match="mask: the backward direction begins at a sequence's own end"):
        resolved(e.with_(mask="copy"))


def test_answers_are_those_of_the_whole_network():
    player = shown("backward", Experiment(task="names", samples=40, bidirectional=True, hidden_size=4))
    scene = player.do(Measure("outcome")).scene
    assert scene.outcome.accuracy == accuracy(scene.model, scene.task.of)


def test_a_moved_state_of_one_direction_leaves_the_others_part_of_the_output():
    e = Experiment(task="recall", lag=5, samples=20, bidirectional=True, hidden_size=6)
    scene = prepare(Player(e).frame.scene, Measure("perturbed", 3, (1, 100)))
    found = known(scene, 3, (1, 100))
    trace, k = scene.trace, scene.last_loss_step
    other = trace_of(scene.model, scene.task, found.other)
    run = trace.engine.forward(
        trace.spec, trace.params, np.ascontiguousarray(trace.x[3:]), other.forward.layers[0].h[3][None]
    )
    y = run.y[k - 4] + trace.rest[k - 1]
    assert found.answers[1] == scene.task.answers(y)[0]


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "mingru"])
def test_what_it_cannot_show_says_why_in_one_line(cell):
    for way in ("forward", "backward"):
        player = shown(way, Experiment(task="names", samples=20, bidirectional=True, cell=cell, hidden_size=4))
        player.do(Go("backward", 1))
        reasons = {name: why_not(panel, player.frame) for name, panel in BY_ID.items()}
        refused = {name for name, why in reasons.items() if why}
        assert {"network", "diagnosis", "self-fed"} <= refused
        assert ({"triangle", "neuron", "words"} <= refused) == (way == "backward")
        assert "ledger" not in refused
        for why in cannot(player.frame.requested).values():
            assert len(VOICE.say(why)) <= 78, why


@pytest.mark.parametrize(("setting", "value"), [("num_layers", 2), ("truncate", "2,4"), ("carry", True)])
def test_what_it_cannot_be_combined_with(setting, value):
    with pytest.raises(InputError, match=f"{setting}: a bidirectional .*; switch one of the two off"):
        Player(BOTH.with_(**{setting: value}))
    player = Player(BOTH)
    with pytest.raises(InputError, match=setting):
        player.do(Change(((setting, value),)))
    assert player.frame.experiment.bidirectional


@pytest.mark.parametrize("task", [name for name in TASKS if name != "sine"] + ["sine"])
def test_every_task_is_drawn_in_both_directions(task):
    few = {} if task == "sine" else {"samples": 12}
    for loss_at in ("every", "last", "2"):
        for way in ("forward", "backward"):
            e = Experiment(task=task, bidirectional=True, view_direction=way, loss_at=loss_at, hidden_size=3, **few)
            player = Player(e)
            for command in (Seek(2), Go("loss"), Go("backward", 1), Seek(0), ShowGradient("total")):
                frame = player.do(command)
                assert draw(frame, 80, 19, Palette()).plain()
                assert all(len(line) <= 78 for line in narrate(frame, VOICE))
                for panel in BY_ID.values():
                    sheet_for(panel, frame, EVERYTHING, 80, 9, Palette())
                arrives = of_frame(frame)
                assert arrives is None or arrives.lag >= 0


def test_read_aloud_it_names_the_time_as_well():
    player, mask = shown("backward"), Mask()
    assert moment(player.frame, mask)[0] == "Step 11, behind the last of 10."
    assert moment(player.do(Seek(3)), mask)[0].startswith("Step 8 of 10: ")
    player.do(Go("backward", 5))
    assert moment(player.frame, mask)[0].startswith("On to step 6: ‖∂L₄/∂h₆‖ is ")
    lines = " ".join(row("gradient", player.frame, mask))
    assert "‖∂L₄/∂h‖ at each step." in lines
    assert "Steps 4 to 6: " in lines


def test_where_it_reads_the_input_after_the_answer_there_is_no_reach():
    frame = shown("backward", Experiment(bidirectional=True, task="recall", hidden_size=3)).do(Go("backward", 0))
    assert row("reach", frame, Mask()) == ["The answer depends on an input that this direction reads later."]


def test_the_defaults_write_nothing():
    assert Experiment().to_toml() == ""
    assert BOTH.with_(view_direction="backward").to_toml() == (
        'loss_at = "4"\nhidden_size = 6\nbidirectional = true\nview_direction = "backward"\n'
    )
