"""The folder of a map: nothing computed twice, nothing lost, nothing of others overwritten."""

import json
import os
import re
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.maps.point import FAILED, STATUSES, Point
from rnnviz.maps.result import MapResult
from rnnviz.maps.run import shard_of
from rnnviz.maps.store import Store, merged
from tests.maps.maps_here import TINY, filled, numbers, spec


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder of a whole map."""
    store = Store.open(tmp_path_factory.mktemp("done"), spec())
    assert filled(store) == 16
    store.close()
    return store.folder


@pytest.fixture(scope="module")
def whole(done):
    return numbers(Store.read(done))


@pytest.fixture
def copy(done, tmp_path):
    return shutil.copytree(done, tmp_path / "copy")


def test_a_map_that_was_stopped_continues_where_it_was(tmp_path, whole):
    parts = 0
    for stop in (5, 7, None):
        store = Store.open(tmp_path / "map", spec())
        parts += filled(store, stop)
        store.close()
    assert parts - 16 <= 2 * 2  # what was handed over when it was stopped
    assert numbers(Store.read(tmp_path / "map")) == whole
    assert len((tmp_path / "map" / "points.jsonl").read_text().splitlines()) == 16


def test_what_is_read_is_what_was_computed(tmp_path):
    store = Store.open(tmp_path, spec(x="gain=0,1.5", y=None, cells=("rnn",), seeds=1))
    filled(store)
    again = Store.read(tmp_path)
    assert [point.to_json() for point in again] == [point.to_json() for point in store]
    assert again.spec == store.spec
    assert next(iter(again)).factor_before == 0.0
    assert [point.horizon_before for point in again][1] == np.inf


@pytest.mark.parametrize(
    ("more", "new"),
    [({"seeds": 3}, 8), ({"x": "gain=0.5:1.5:3"}, 8), ({"cells": ("mingru", "rnn", "gru"), "y": "lag=2,3,4"}, 14)],
)
def test_a_larger_map_computes_what_is_new_alone(copy, whole, more, new):
    """minGRU has no W_hh, so that its two gains are one run."""
    larger = Store.open(copy, spec(**more))
    assert filled(larger) == new
    assert Store.read(copy).spec == spec(**more)
    at_once = Store(spec(**more))
    filled(at_once)
    assert numbers(larger) == numbers(at_once)
    assert whole.items() <= numbers(larger).items()


def test_shards_together_are_the_whole(tmp_path, whole):
    for i in (1, 2, 3):
        store = Store.open(tmp_path / str(i), spec())
        assert filled(store, jobs=store.missing(shard_of(spec().jobs(), (i, 3)))) in (5, 6)
        store.close()
    together = merged(tmp_path / "all", [tmp_path / str(i) for i in (3, 1, 2, 3)])
    assert numbers(together) == whole
    assert together.missing() == []
    together.close()
    merged(tmp_path / "all", [tmp_path / "1"]).close()
    assert len((tmp_path / "all" / "points.jsonl").read_text().splitlines()) == 16


def test_maps_of_different_specs_are_not_put_together(tmp_path):
    for name, more in (("a", {}), ("b", {"base": TINY.with_(epochs=3)})):
        Store.open(tmp_path / name, spec(**more)).close()
    with pytest.raises(InputError, match=r"is another map than .*: its epochs is 3"):
        merged(tmp_path / "all", [tmp_path / "a", tmp_path / "b"])
    Store.open(tmp_path / "c", spec(), "numba").close()
    with pytest.raises(InputError, match="was computed with the engine numba, others numpy"):
        merged(tmp_path / "all", [tmp_path / "a", tmp_path / "c"])
    assert not (tmp_path / "all").exists()


def test_a_torn_line_is_as_if_it_were_not_there(copy, whole):
    path = copy / "points.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    assert filled(Store.open(copy, spec())) == 1
    assert numbers(Store.read(copy)) == whole


def test_a_point_that_is_there_twice_counts_once(copy, whole):
    path = copy / "points.jsonl"
    path.write_text(path.read_text() * 2)
    store = Store.read(copy)
    assert len(store) == 16
    assert numbers(store) == whole
    assert not store.add(next(iter(store)))


def test_a_point_that_fails_is_one_finding(tmp_path):
    store = Store.open(tmp_path, spec(x="lag=2,9", y=None, cells=("rnn",), base=TINY.with_(seq_len=5)))
    filled(store)
    assert [point.status == FAILED for point in store] == [False, True, False, True]
    assert MapResult.of(store).errors == {"lag: 9 does not fit into 5 steps; use at most 4, or more steps": 2}
    assert np.isnan(MapResult.of(store).share[0, 0, 1])


# -- what is refused -----------------------------------------------------------------------------------------


def test_a_folder_of_something_else_is_refused_and_stays(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not the folder of a map, and not empty; name another"):
        Store.open(tmp_path, spec())
    assert os.listdir(tmp_path) == ["notes.txt"]
    with pytest.raises(InputError, match="is not the folder of a map"):
        Store.open(tmp_path, spec(), None, lambda: pytest.fail("compiled for nothing"))
    with pytest.raises(InputError, match=r"notes\.txt: "):
        Store.open(tmp_path / "notes.txt", spec())
    with pytest.raises(InputError, match="is not the folder of a map"):
        Store.read(tmp_path)


def test_what_a_process_left_that_was_killed_at_once_is_nothing(tmp_path):
    for name in (".lock", ".map-q7_x.toml"):
        (tmp_path / name).touch()
    Store.open(tmp_path, spec()).close()
    assert Store.read(tmp_path).spec == spec()


def test_another_map_is_refused_and_stays(tmp_path):
    Store.open(tmp_path, spec()).close()
    before = (tmp_path / "map.toml").read_text()
    with pytest.raises(InputError, match="holds another map: its epochs is 1; name another folder"):
        Store.open(tmp_path, spec(base=TINY.with_(epochs=3)))
    assert (tmp_path / "map.toml").read_text() == before


def test_a_map_of_another_version_is_shown_and_does_not_continue(copy, tmp_path):
    path = copy / "map.toml"
    path.write_text(path.read_text().replace('rnnviz = "', 'rnnviz = "9.'))
    assert len(Store.read(copy)) == 16
    with pytest.raises(InputError, match=r"was computed by rnnviz 9\..*: numbers may differ, so name another folder"):
        Store.open(copy, spec(seeds=3))
    with pytest.raises(InputError, match=r"was computed by rnnviz 9\."):
        merged(tmp_path / "all", [copy])


def test_a_map_is_one_process_s_at_a_time(tmp_path):
    first = Store.open(tmp_path, spec())
    with pytest.raises(InputError, match="another rnnviz computes this map"):
        Store.open(tmp_path, spec())
    first.close()
    Store.open(tmp_path, spec()).close()


def test_a_folder_that_cannot_be_written_is_one_clear_line():
    with pytest.raises(InputError, match=r"^/proc/map: cannot be made: "):
        Store.open("/proc/map", spec())


def test_a_full_disk_is_one_clear_line_and_the_map_continues_later(tmp_path, whole):
    store = Store.open(tmp_path, spec())
    resource = pytest.importorskip("resource")  # not on Windows
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # the third point does not fit
    try:
        with pytest.raises(InputError, match=r"points\.jsonl: cannot be written: "):
            filled(store)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    store.close()
    assert (tmp_path / "points.jsonl").stat().st_size == 1000
    store = Store.open(tmp_path, spec())
    assert 0 < len(store) < 5
    filled(store)
    assert numbers(Store.read(tmp_path)) == whole


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("rnnviz = ", "made_by = ", "does not name the version of rnnviz"),
        ('engine = "numpy"', 'engine = "abacus"', "engine: 'abacus' is unknown"),
        ('"gain"', '"gian"', "unknown setting 'gian'; did you mean gain?"),
        ("seeds = 2", 'seeds = "2"', "seeds: '2' is not how many repeats"),
        ("[x]", "[z]", "has no x axis"),
        ("hidden_size = 3", "hidden_size = 3000", "hidden_size: 3000 is out of range"),
        ('cells = ["rnn", "gru"]', "cells = [1]", "cell: 1 is not text"),
        ('cells = ["rnn", "gru"]', 'cells = [["rnn"]]', "cell: ['rnn'] is not text"),
        ('cells = ["rnn", "gru"]', 'cells = ["own.py"]', "cell: 'own.py' is unknown"),
        ("seeds = 2", "seeds = 2]", "not valid TOML"),
    ],
)
def test_a_broken_spec_is_one_clear_line(tmp_path, old, new, words):
    Store.open(tmp_path, spec()).close()
    path = tmp_path / "map.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        Store.read(tmp_path)
    assert words in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[]", "line 1: is no point of a map"),
        ('{"key": "a", "cell": "rnn", "seed": 0, "status": "done"}', "status: 'done' is unknown"),
        ('{"key": "a", "cell": "rnn", "seed": "0", "status": "not"}', "'0' is not a whole number"),
        ('{"key": "a", "cell": "rnn", "seed": 0, "status": "not", "loss": "low"}', "'low' is not a number"),
        (f'{{"key": "a", "cell": "rnn", "seed": 0, "status": "not", "loss": 1{400 * "0"}}}', "is not a number"),
        (f'{{"key": "a", "cell": "rnn", "seed": 0, "status": "not", "epoch": 1{400 * "0"}}}', "is not a whole number"),
    ],
)
def test_a_line_of_something_else_is_one_clear_line(tmp_path, line, words):
    Store.open(tmp_path, spec()).close()
    (tmp_path / "points.jsonl").write_text(line + "\n")
    with pytest.raises(InputError) as error:
        Store.read(tmp_path)
    assert words in str(error.value)


def test_a_line_has_each_field_once_and_is_read_back_exactly():
    point = Point("k", "rnn", 0, 0.1, "sgd", "diverged", 3, np.inf, None, np.nan, 1 / 3, error='a "b"\x1b')
    again = Point.from_json(json.loads(point.to_json()))
    assert again.to_json() == point.to_json()
    assert (again.horizon_after, again.loss, again.error) == (1 / 3, np.inf, 'a "b"\x1b')


def test_the_page_describes_every_field_of_a_line():
    page = (Path(__file__).parents[2] / "docs" / "map.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", page.partition("`points.jsonl` has")[2], re.MULTILINE)
    described = [name.strip("` ") for cell in cells for name in cell.split(",")]
    assert described == [field.name for field in fields(Point)]
    assert all(f"`{status}`" in page for status in STATUSES)


def test_a_line_decides_neither_what_ran_nor_what_the_terminal_does(tmp_path):
    one = spec(x="gain=0.5,1", y=None, cells=("rnn",), seeds=1)
    store = Store.open(tmp_path / "map", one)
    key = next(one.jobs()).key
    store.add(Point(key, "\x1b[2J", 7, "\x1b[2J", status="failed", error="\x1b[2J\r\n"))
    found = MapResult.of(Store.read(tmp_path / "map"))
    assert "\x1b" not in found.to_csv()
    assert found.to_csv().splitlines()[1].startswith("rnn,0,0.5,failed,")
