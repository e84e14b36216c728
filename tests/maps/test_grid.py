"""The runs of a map: their order, their keys, and what is no map."""

import pytest

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import train
from rnnviz.maps.axis import Axis
from rnnviz.maps.grid import GridSpec, Site, canonical, key_of
from tests.maps.maps_here import TINY, spec


def test_the_first_seed_comes_everywhere_before_the_next():
    sites = list(spec("gain=0.5:1.5:3").sites())
    assert sites[:4] == [Site("rnn", 0, 0.5, 2), Site("rnn", 0, 1.0, 2), Site("rnn", 0, 1.5, 2), Site("rnn", 0, 0.5, 3)]
    assert [site.seed for site in sites] == [0] * 12 + [1] * 12
    assert len(sites) == len(spec("gain=0.5:1.5:3")) == 24


def test_a_site_runs_the_experiment_that_a_person_would_ask_for():
    site = Site("gru", 1, 1.5, 3)
    assert spec().experiment(site) == TINY.with_(cell="gru", seed=1, gain=1.5, lag=3)


def test_seeds_follow_that_of_the_base():
    assert list(spec(base=TINY.with_(seed=7), seeds=3).seed_numbers) == [7, 8, 9]


def test_a_map_of_one_axis():
    one = spec(y=None)
    assert [site.y for site in one.sites()] == [None] * 8
    assert len(list(one.jobs())) == 8


def test_where_an_axis_has_no_effect_a_run_counts_once():
    """An RNN has no forget gate: its column is one run, whatever the forget bias."""
    whole = spec(x="forget_bias=0:2:3", y=None, cells=("rnn", "lstm"), seeds=2)
    assert len(whole) == 12
    assert [(job.site.cell, job.site.x, job.site.seed) for job in whole.jobs()] == [
        ("rnn", 0.0, 0), ("lstm", 0.0, 0), ("lstm", 1.0, 0), ("lstm", 2.0, 0),
        ("rnn", 0.0, 1), ("lstm", 0.0, 1), ("lstm", 1.0, 1), ("lstm", 2.0, 1),
    ]  # fmt: skip
    assert whole.key(Site("rnn", 0, 0.0)) == whole.key(Site("rnn", 0, 2.0)) != whole.key(Site("rnn", 1, 0.0))


@pytest.mark.parametrize("changes", [{"forget_bias": 3.0}, {"momentum": 0.0}, {"lag": 3, "seq_len": 4}, {"noise": 2.0}])
def test_experiments_with_one_key_have_the_same_numbers(changes):
    first = TINY.with_(lag=3)
    second = first.with_(**changes)
    assert key_of(first) == key_of(second)
    assert canonical(first) == canonical(second)
    assert train(first).history == train(second).history == train(canonical(second)).history


@pytest.mark.parametrize(
    "changes", [{"gain": 1.1}, {"seed": 1}, {"epochs": 3}, {"cell": "gru"}, {"lag": 4}, {"dtype": "float32"}]
)
def test_what_changes_the_numbers_changes_the_key(changes):
    assert key_of(TINY) != key_of(TINY.with_(**changes))


def test_an_experiment_that_cannot_be_run_has_a_key_too():
    impossible = TINY.with_(lag=9, seq_len=5)
    assert canonical(impossible) == impossible
    assert key_of(impossible) != key_of(TINY)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: spec(x="gain=1,2", y="gain=1,2"), "gain: is on both axes"),
        (lambda: spec(base=TINY.with_(gain=0.5)), "gain: is an axis; leave its other value out"),
        (lambda: spec(cells=("rnn", "elman")), "cell: 'elman' is unknown; choose from"),
        (lambda: spec(seeds=0), "seeds: 0 is not how many repeats; use 1 to 10,000"),
        (lambda: spec(seeds=True), "seeds: True is not how many repeats"),
        (lambda: spec(base=TINY.with_(seed=2**32 - 1)), "seed: 4294967296 is out of range"),
        (lambda: spec(x="gain=0:1:1000", y="noise=0:1:1000", seeds=2), "the map has 4,000,000 points; at most"),
        (lambda: spec(x="points=20:30:3", y=None).check(), "points: has no effect here: only the sine has points"),
        (lambda: spec(x="lag=9:12:3", y=None, base=TINY.with_(seq_len=5)).check(), "lag: 9 does not fit into 5 steps"),
        (lambda: spec(x="gain=1,2", y=None, base=Experiment()).check(), "validation_split: leaves 4 sequences"),
    ],
)
def test_what_is_no_map_is_one_clear_line(make, words):
    with pytest.raises(InputError) as error:
        make()
    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)


def test_an_axis_with_an_effect_for_one_of_the_cells_is_one():
    spec(x="forget_bias=0:2:3", y=None, cells=("rnn", "lstm")).check()
    with pytest.raises(InputError, match="forget_bias: has no effect here: only an LSTM has a forget gate"):
        spec(x="forget_bias=0:2:3", y=None, cells=("rnn", "gru")).check()


def test_a_map_of_some_points_that_cannot_be_run_is_one():
    GridSpec(TINY.with_(seq_len=5), Axis.parse("lag=2:9:3")).check()


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        ({}, {}, None),
        ({}, {"seeds": 3}, None),
        ({}, {"x": "gain=0.5:1.5:5"}, None),
        ({}, {"cells": ("gru", "lstm", "rnn")}, None),
        ({"seeds": 3}, {}, "it has 3 seeds, and this one 2"),
        ({"x": "gain=0.5:1.5:5"}, {}, "its axis gain has 5 values, and this one 2"),
        ({"cells": ("rnn", "lstm")}, {}, "it has the cell lstm, too"),
        ({"y": None}, {}, "its y axis is not there"),
        ({"x": "noise=0:1:3"}, {}, "its x axis is noise"),
        ({"base": TINY.with_(epochs=5)}, {}, "its epochs is 5"),
    ],
)
def test_what_continues_a_map(before, now, reason):
    assert spec(**now).not_extending(spec(**before)) == reason
