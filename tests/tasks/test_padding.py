"""Sequences of unequal lengths in every task: which steps are left out, where the padding is, and what the network does
there."""

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.experiment.build import build_model, build_task, build_training, resolved, trace_of
from rnnviz.experiment.evaluate import continue_text, fit, outputs, self_fed
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.forecast import compare
from rnnviz.export import programs
from rnnviz.nn import engine
from rnnviz.tasks.catalog import PAD
from tests.nn.cells_here import CELLS as COMPILED

#: Of every task: the settings under which its sequences are of unequal lengths.
UNEQUAL = {
    "sine": {"seq_len": 12, "shortest": 4},
    "recall": {"seq_len": 12, "shortest": 4, "samples": 40},
    "adding": {"seq_len": 12, "shortest": 4, "samples": 40},
    "copying": {"seq_len": 12, "shortest": 8, "samples": 40},
    "names": {"samples": 40},
    "characters": {"seq_len": 12, "shortest": 4, "samples": 40},
    "captions": {"samples": 40},
}


def experiment(task, **settings):
    return resolved(Experiment(task=task, hidden_size=6, **UNEQUAL[task] | settings))


def ready(task, **settings):
    one = experiment(task, **settings)
    made = build_task(one)
    return made, build_training(one, build_model(one, made), made)


@pytest.mark.parametrize("task", UNEQUAL)
class TestEveryTask:
    def test_masked_sequences_train_the_network_that_packed_ones_train(self, task):
        _, packed = ready(task)
        for padding in ("after", "before"):
            made, masked = ready(task, mask="copy", padding=padding)
            assert (made.lengths == made.seq_len).all()
            masked.run_epoch(), packed.run_epoch()
            assert masked.history == packed.history
            for name, w in packed.model.params.items():
                assert np.array_equal(w, masked.model.params[name])
            packed = ready(task)[1]

    def test_the_trace_of_a_masked_sequence_is_that_of_the_packed_one_with_copies(self, task):
        packed, training = ready(task)
        training.run_epoch()
        i = int(packed.lengths.argmin())
        alone = trace_of(training.model, packed, i)
        n = alone.T
        for padding in ("after", "before"):
            made = build_task(experiment(task, mask="copy", padding=padding))
            trace, (first, last) = trace_of(training.model, made, i), made.span(i)
            assert (trace.T, last - first + 1) == (made.seq_len, n)
            np.testing.assert_allclose(trace.h[first - 1 : last + 1], alone.h, rtol=0, atol=1e-14)
            assert trace.loss == pytest.approx(alone.loss, rel=1e-12)
            for name, gradient in alone.grads.items():
                np.testing.assert_allclose(trace.grads[name], gradient, rtol=0, atol=1e-13)
            assert not trace.grad_x[[t - 1 for t in range(1, made.seq_len + 1) if made.is_padding(i, t)]].any()

    def test_the_outputs_of_the_whole_task_are_those_of_its_traces(self, task):
        _, training = ready(task, learning_rate=0.1)
        training.run_epoch()  # so that its biases are not 0
        for mask, padding in (("packed", "after"), ("copy", "after"), ("copy", "before"), ("none", "before")):
            made = build_task(experiment(task, mask=mask, padding=padding))
            y = outputs(training.model, made)
            for i in (0, int(made.span(1)[1] < made.span(0)[1]), 3):
                trace = trace_of(training.model, made, i)
                np.testing.assert_allclose(y[i, : trace.T], trace.y[:, 0], rtol=0, atol=1e-12)

    def test_a_network_that_reads_the_padding_becomes_another_network(self, task):
        """The bias acts at each padded step, once it is not 0. Tasks with a loss at every own step do not see what
        comes after it."""
        found = {}
        for mask, padding in (("packed", "after"), ("none", "before"), ("none", "after")):
            _, training = ready(task, mask=mask, padding=padding, learning_rate=0.1)
            training.run_epoch()
            found[mask, padding] = training.model.params["rnn.bias_ih_l0"]
        assert not np.allclose(found["packed", "after"], found["none", "before"], atol=1e-6)
        judged_at_the_end = task in ("recall", "adding", "names")
        assert np.allclose(found["packed", "after"], found["none", "after"], atol=1e-6) != judged_at_the_end

    def test_padding_is_marked_is_zeros_and_carries_no_loss_but_at_the_end(self, task):
        for mask in ("copy", "none"):
            for padding in ("after", "before"):
                made = build_task(experiment(task, mask=mask, padding=padding))
                for i in range(5):
                    padded = np.array([made.is_padding(i, t) for t in range(1, made.seq_len + 1)])
                    first, last = made.span(i)
                    assert not padded[first - 1 : last].any()
                    assert padded.sum() == made.seq_len - (last - first + 1)
                    assert [token == PAD for token in made.tokens(i)] == padded.tolist()
                    assert not made.x[i, padded].any()
                    assert not made.loss_mask[i, :-1][padded[:-1]].any()
                    assert made.loss_mask[i].any()

    def test_what_a_sequence_says_in_words_does_not_depend_on_its_padding(self, task):
        made = [
            build_task(experiment(task, mask=mask, padding=padding))
            for mask, padding in (("packed", "after"), ("copy", "after"), ("none", "after"))
        ]
        for i in range(5):
            assert len({one.describe(i) for one in made}) == 1
            k = int(np.flatnonzero(made[0].loss_mask[i])[-1]) + 1
            assert made[0].needs(i, k) == made[1].needs(i, k)

    def test_padding_before_moves_the_steps_that_an_answer_needs(self, task):
        packed, before = (build_task(experiment(task, mask=mask, padding="before")) for mask in ("packed", "copy"))
        for i in range(5):
            k, by = int(np.flatnonzero(packed.loss_mask[i])[-1]) + 1, before.span(i)[0] - 1
            assert before.needs(i, k + by) == tuple(t + by for t in packed.needs(i, k))
            assert before.describe(i) == packed.describe(i) or task == "adding"  # its words name the steps


@pytest.mark.parametrize("task", [name for name, settings in UNEQUAL.items() if "shortest" in settings])
class TestShortened:
    def test_lengths_are_drawn_from_the_shortest_to_the_longest(self, task):
        made = build_task(experiment(task, seed=3))
        assert made.lengths.min() >= UNEQUAL[task]["shortest"]
        assert set(made.lengths.tolist()) > {UNEQUAL[task]["shortest"], 12}

    def test_the_answers_stay(self, task):
        whole, short = build_task(experiment(task, shortest=None)), build_task(experiment(task))
        for i in range(5):
            n = int(short.lengths[i])
            assert np.array_equal(whole.targets[i, -1], short.targets[i, n - 1])
            kept = {tuple(x) for x in short.x[i, :n]}
            assert all(tuple(whole.x[i, t - 1]) in kept for t in whole.needs(i, whole.seq_len))
        assert (short.baseline == pytest.approx(whole.baseline)) == (task in ("recall", "adding"))

    def test_a_length_that_the_answers_do_not_allow_is_refused(self, task):
        least = {"sine": 1, "characters": 1, "copying": 7}.get(task, 2)
        build_task(experiment(task, shortest=least))
        for wrong in (13, least - 1):
            if wrong:
                with pytest.raises(
                    InputError, match=rf"^shortest: sequences of {wrong} steps? do not fit .*; use {least} to 12$"
                ):
                    build_task(experiment(task, shortest=wrong))


def test_equal_lengths_have_no_padding_and_the_default_changes_nothing():
    one, other = (build_task(experiment("sine", shortest=None, mask=mask)) for mask in ("packed", "none"))
    assert other.own_steps is None
    assert np.array_equal(one.x, other.x)
    assert Experiment().to_toml() == ""
    assert experiment("sine", shortest=12).shortest == 12


@pytest.mark.parametrize("task", ["names", "captions"])
def test_data_with_lengths_of_its_own_takes_no_shortest_length(task):
    with pytest.raises(InputError, match=f"^shortest: the task '{task}' does not use it"):
        experiment(task, shortest=3)


def test_a_truncated_masked_network_is_refused():
    with pytest.raises(InputError, match=r"^truncate: masked sequences are trained packed"):
        experiment("recall", mask="copy", truncate="2,4")


def test_a_program_of_another_framework_is_refused_where_it_would_read_something_else():
    assert "choose mask packed" in programs.cannot(build_task(experiment("names", mask="copy")))
    assert "shortest length" in programs.cannot(build_task(experiment("sine")))
    assert programs.cannot(build_task(experiment("names"))) is None


def test_numbered_loss_steps_count_from_a_sequences_own_first():
    for mask, padding in (("packed", "after"), ("copy", "before"), ("none", "before"), ("none", "after")):
        made = build_task(experiment("recall", mask=mask, padding=padding, loss_at="2,4"))
        for i in range(5):
            first, _ = made.span(i)
            assert np.flatnonzero(made.loss_mask[i]).tolist() == [first, first + 2]
    with pytest.raises(InputError, match=r"^loss_at: sequences of 4 steps never reach step 9"):
        build_task(experiment("recall", loss_at="9"))


def test_a_forecast_and_a_continued_text_do_not_depend_on_the_padding_of_masked_sequences():
    packed, training = ready("sine")
    training.run_epoch()
    model = training.model
    for padding in ("after", "before"):
        masked = build_task(experiment("sine", mask="copy", padding=padding))
        np.testing.assert_allclose(fit(model, packed), fit(model, masked), rtol=0, atol=1e-12)
        np.testing.assert_allclose(self_fed(model, packed), self_fed(model, masked), rtol=0, atol=1e-12)
        one, other = (compare(model, task) for task in (packed, masked))
        assert one.error == pytest.approx(other.error, rel=1e-9)
        assert (one.last_value, one.seasonal) == (other.last_value, other.seasonal)
    text, training = ready("characters")
    for padding in ("after", "before"):
        masked = build_task(experiment("characters", mask="copy", padding=padding))
        assert continue_text(training.model, text, 1, 20) == continue_text(training.model, masked, 1, 20)


def test_the_value_before_each_target_is_found_wherever_the_padding_is():
    for mask, padding in (("packed", "after"), ("copy", "after"), ("none", "before")):
        made = build_task(experiment("sine", mask=mask, padding=padding))
        last = made.past(slice(None), 1)
        for i in range(5):
            first, end = made.span(i)
            assert np.array_equal(last[i, first - 1 : end, 0], made.x[i, first - 1 : end, 0])


@pytest.mark.skipif("rnn" not in COMPILED, reason="needs the kernels of rnn")
@pytest.mark.parametrize("mask", ["packed", "copy", "none"])
def test_both_engines_train_the_same(mask):
    made = []
    for name in ("numpy", "numba"):
        with engine.chosen(name):
            _, training = ready("recall", mask=mask, padding="before", learning_rate=0.1)
            training.run_epoch(), training.run_epoch()
            made.append(training.model.params)
    for name, w in made[0].items():
        np.testing.assert_allclose(w, made[1][name], rtol=0, atol=1e-12)
