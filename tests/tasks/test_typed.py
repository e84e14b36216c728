"""What a person types for a network to read: symbols, numbers, a moved step; and one line for what is none."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.experiment.build import build_task, resolved
from rnnviz.experiment.experiment import Experiment
from rnnviz.tasks.recorded import read_by
from rnnviz.tasks.typed import answered_by_itself, with_typed


def task_of(name, **settings):
    return build_task(resolved(Experiment(task=name, **settings)))


def sequence(task, i=0):
    n = int(task.lengths[i])
    return task.x[i, :n], task.targets[i, :n], task.loss_mask[i, :n]


def test_a_name_is_read_letter_by_letter_and_has_the_class_that_was_typed():
    task = with_typed(task_of("names"), 2, "Rossi = italian")
    x, targets, mask = sequence(task, 2)
    assert [task.vocab[k] for k in x.argmax(axis=1)] == list("rossi")
    assert (x.sum(axis=1) == 1).all()
    assert {task.labels[k] for k in targets} == {"Italian"}
    assert mask.tolist() == [False] * 4 + [True]
    assert not task.typed.is_own_answer
    assert "Rossi = italian" in task.in_words(2)
    assert "Rossi" not in task.in_words(1)


def test_without_a_class_the_networks_own_answer_stands_for_it():
    task = with_typed(task_of("names"), 0, "Ng")
    assert task.typed.is_own_answer
    y = np.zeros((2, len(task.labels)))
    y[1, 3] = 2.0
    assert sequence(answered_by_itself(task, y))[1].tolist() == [0, 3]


def test_a_longer_name_than_any_makes_room_and_the_others_stay():
    whole = task_of("names")
    task = with_typed(whole, 0, "a" * 30)
    assert task.seq_len == 30
    np.testing.assert_array_equal(task.x[1:, : whole.seq_len], whole.x[1:])
    assert not task.x[1:, whole.seq_len :].any()
    assert task.original is whole


def test_what_predicts_its_next_value_is_its_own_target():
    x, targets, mask = sequence(with_typed(task_of("sine"), 0, "0.1, 0.2 -0.3"))
    assert x[:, 0].tolist() == [0.1, 0.2]
    assert targets[:, 0].tolist() == [0.2, -0.3]
    assert mask.all()
    task = with_typed(task_of("characters"), 1, "the sea")
    x, targets, _ = sequence(task, 1)
    assert "".join(task.vocab[k] for k in x.argmax(axis=1)) == "the se"
    assert "".join(task.vocab[k] for k in targets) == "he sea"


@pytest.mark.parametrize(
    ("name", "text", "step", "feature"), [("sine", "7 = 0.5", 7, 0), ("adding", "x3[0]=0.5", 3, 0)]
)
def test_a_moved_value_is_all_that_changes_and_one_move_follows_another(name, text, step, feature):
    whole = task_of(name)
    task = with_typed(whole, 1, text)
    assert task.x[1, step - 1, feature] == 0.5
    changed = task.x != whole.x
    assert changed.sum() == 1
    np.testing.assert_array_equal(task.targets, whole.targets)
    again = with_typed(task, 1, "1 = 0.25")
    assert (again.x != whole.x).sum() == 2
    assert again.original is whole


def test_a_moved_symbol():
    task = with_typed(task_of("recall"), 0, "2 = B")
    assert task.vocab[task.x[0, 1].argmax()] == "B"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("names", "O'Neil", "not a symbol that this network reads: a b c"),
        ("names", "Rossi = Klingon", "not a class; choose from Dutch"),
        ("names", " = Dutch", "nothing was typed"),
        ("names", "a" * 3000, "at most 2000"),
        ("names", "99 = a", "has the steps 1 to"),
        ("names", "1 = ab", "type one symbol"),
        ("sine", "0.1 zero", "'zero' is not a number"),
        ("sine", "1e999", "is not a number"),
        ("sine", "nan", "is not a number"),
        ("sine", "0.5", "at least two"),
        ("sine", "1[1] = 3", "x[0] to x[0]"),
        ("sine", "1 2; 3 4", "this network reads one number"),
        ("adding", "1 2; 3 4", "type 30, as many as this sequence has"),
        ("adding", "1 2 3", "reads 2 numbers, and a semicolon"),
    ],
)
def test_what_is_no_sequence_is_one_line(name, text, said):
    with pytest.raises(InputError) as error:
        with_typed(task_of(name), 0, text)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_without_targets_any_length_is_read():
    task = read_by(np.zeros((2, 5, 2)), np.array([5, 5]), "layer", ("a", "b"))
    typed = with_typed(task, 1, "1 2; 3 4; 5 6; 7 8; 9 10; 11 12; 13 14")
    assert typed.lengths.tolist() == [5, 7]
    assert typed.x[1, 6].tolist() == [13, 14]
    assert typed.x[0].shape == (7, 2)
