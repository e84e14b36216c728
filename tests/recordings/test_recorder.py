"""What a recorder writes, refuses, and throws away when it is full."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

import rnnviz
from rnnviz.errors import InputError
from rnnviz.recordings.recorder import Recorder, size
from rnnviz.recordings.recording import Recording
from tests.recordings.records import random_record

LAYERS = {"lstm": random_record(cell="rnn")}
BYTES = 1600  # of a record of these layers, a little more


def fill(recorder, steps):
    return [step for step in steps if recorder.add(step=step, layers=LAYERS)]


def total(folder):
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def test_the_size_of_a_record_in_these_tests(tmp_path):
    fill(Recorder(tmp_path / "run"), [1])
    assert BYTES - 200 < total(tmp_path / "run") <= BYTES


def test_a_recording_grows_while_it_is_read(tmp_path):
    with Recorder(tmp_path / "run") as recorder:
        found = Recording.open(tmp_path / "run")
        assert (len(found), found.refresh(), list(found)) == (0, False, [])
        fill(recorder, [10, 20])
        assert len(found) == 0
        assert found.refresh()
        assert [record.step for record in found] == [10, 20]
        assert not found.refresh()
        assert (found[0].step, found[-1].step, [r.step for r in found[1:]]) == (10, 20, [20])
        with pytest.raises(IndexError):
            found[2]


def test_steps_are_in_order_whatever_the_order_of_writing(tmp_path):
    with Recorder(tmp_path / "run") as recorder:
        fill(recorder, [30, 999_999_999_999, 4, 30, 1_000, 0])
    assert Recording.open(tmp_path / "run").steps == (0, 4, 30, 30, 1_000, 999_999_999_999)


# -- the limit -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [1, 2, 5, 10])
def test_a_full_recording_drops_every_second_record_and_keeps_covering_the_training(tmp_path, room):
    recorder = Recorder(tmp_path / "run", limit=room * BYTES)
    for number in range(100):
        recorder.add(step=100 * number, layers=LAYERS)
        assert total(tmp_path / "run") <= room * BYTES
        steps = np.array(Recording.open(tmp_path / "run").steps)
        assert len(steps) >= max(1, min(number + 1, room) // 2)
        gaps = np.unique(np.diff(steps))
        assert steps[0] == 0
        assert len(gaps) <= 1, "evenly over the training"
        if len(gaps):
            assert 100 * number - steps[-1] < gaps[0], "up to now"
    assert recorder.stopped == ""
    assert Recording.open(tmp_path / "run").note == ""


def test_a_recorder_says_which_records_it_would_keep(tmp_path):
    recorder = Recorder(tmp_path / "run", limit=4 * BYTES)
    fill(recorder, range(5))
    expected = []
    for step in range(5, 25):
        expected.append(recorder.next_is_kept())
        if not expected[-1]:
            assert not recorder.add(step=step), "which then needs no layers"
        else:
            fill(recorder, [step])
    assert any(expected)
    assert not all(expected)


def test_a_record_larger_than_the_limit_ends_recording(tmp_path, capsys):
    recorder = Recorder(tmp_path / "run", limit=500)
    assert not recorder.add(step=3, layers=LAYERS)
    assert not recorder.add(step=4, layers=LAYERS)
    assert "more than the limit of 500" in recorder.stopped
    assert capsys.readouterr().err.count("\n") == 1
    assert "Recording ended at step 3: a record takes" in Recording.open(tmp_path / "run").note


@pytest.mark.parametrize(
    ("limit", "count"),
    [
        ("1 GB", 10**9),
        ("1.5 MB", 1_500_000),
        ("20kb", 20_000),
        (" .5 GiB ", 2**29),
        (7, 7),
        ("3 B", 3),
        ("2 tb", 2 * 10**12),
    ],
)
def test_sizes(limit, count):
    assert size(limit) == count


@pytest.mark.parametrize(
    "limit", [0, -1, True, None, "", "GB", "1", "one GB", "1 XB", "-1 GB", "nan GB", "0 GB", 1.5, "1e3 MB"]
)
def test_no_sizes(tmp_path, limit):
    with pytest.raises(InputError, match=r"limit: .* is not a size, like"):
        Recorder(tmp_path / "run", limit=limit)
    assert not (tmp_path / "run").exists()


# -- arguments -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step": -1}, "step: -1 is not"),
        ({"step": 1.5}, "step: 1.5 is not"),
        ({"step": 10**12}, "step: 1000000000000 is more than"),
        ({"step": 1, "loss": "low"}, "loss: 'low' is not a number"),
        ({"step": 1, "loss": [1.0, 2.0]}, r"loss: \[1.0, 2.0\] is not a number"),
        ({"step": 1, "layers": {"a": 3}}, "layers: 'a': 3 is not a LayerRecord"),
        ({"step": 1, "layers": {3: LAYERS["lstm"]}}, "layers: 3: .* is not a LayerRecord under a name"),
        ({"step": 1, "layers": [1]}, r"layers: \[1\] is not a dict"),
        ({"step": 1, "extra": {"lr": object()}}, "extra: lr: .* is not a number, a text"),
        ({"step": 1, "extra": {"lr": {"a": 1}}}, "extra: lr: "),
        ({"step": 1, "extra": [1]}, r"extra: \[1\] is not a dict"),
    ],
)
def test_bad_arguments(tmp_path, arguments, message):
    with Recorder(tmp_path / "run") as recorder:
        with pytest.raises(InputError, match=message):
            recorder.add(**arguments)
        assert fill(recorder, [7]) == [7], "and it works as before"
    assert Recording.open(tmp_path / "run").steps == (7,)


def test_after_it_is_closed(tmp_path):
    recorder = Recorder(tmp_path / "run")
    recorder.close()
    recorder.close()
    with pytest.raises(InputError, match="it is closed"):
        recorder.add(step=1)


def test_extra_values(tmp_path):
    values = {"lr": 1e-3, "text": "warm-up", "flag": True, "none": None, "list": [1, 2.5, "a"], "whole": 7,
              "numpy": np.float32(0.5), "nan": float("nan"), "array": np.array([2.0])}  # fmt: skip
    with Recorder(tmp_path / "run") as recorder:
        recorder.add(step=1, loss=np.array(np.inf), extra=values)
    record = Recording.open(tmp_path / "run")[0]
    assert record.loss == np.inf
    assert np.isnan(record.extra["nan"])
    assert {key: value for key, value in record.extra.items() if key != "nan"} == {
        **{key: values[key] for key in ("lr", "text", "flag", "none", "whole")},
        "list": (1, 2.5, "a"), "numpy": 0.5, "array": 2.0,
    }  # fmt: skip
    assert (record.layers, record.extra["flag"]) == ((), True)
    with pytest.raises(InputError, match=r"layer: None is not in .*; choose from none"):
        record.trace()


def test_bad_about(tmp_path):
    for about in ({"a": object()}, {"a": float("nan")}, {"a": {1, 2}}):
        with pytest.raises(InputError, match="about: "):
            Recorder(tmp_path / "run", about=about)
    Recorder(tmp_path / "run", about={"layers": [1, 2], "text": "ü"})
    Recorder(tmp_path / "run", append=True, about={"layers": [1, 2], "more": 1})
    assert Recording.open(tmp_path / "run").about == {"layers": [1, 2], "text": "ü", "more": 1}


# -- folders -------------------------------------------------------------------------------------------


def test_a_recording_is_not_written_over(tmp_path):
    with Recorder(tmp_path / "run") as recorder:
        fill(recorder, [1, 2])
    with pytest.raises(InputError, match="already holds a recording; choose another folder, or append=True"):
        Recorder(tmp_path / "run")
    (tmp_path / "run" / "recording.json").unlink()
    with pytest.raises(InputError, match="already holds a recording"):
        Recorder(tmp_path / "run")
    with Recorder(tmp_path / "run", append=True) as recorder:
        fill(recorder, [3])
    assert Recording.open(tmp_path / "run").steps == (1, 2, 3)


def test_a_recording_that_was_thinned_out_stays_so(tmp_path):
    fill(Recorder(tmp_path / "run", limit=4 * BYTES), range(12))
    before = Recording.open(tmp_path / "run").steps
    again = Recorder(tmp_path / "run", limit=100 * BYTES, append=True)
    assert fill(again, range(100, 112)) == [100, 104, 108]
    assert before == (0, 4, 8)


@pytest.mark.parametrize("append", [False, True])
def test_a_folder_with_something_else_in_it(tmp_path, append):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(InputError, match="holds other files; choose a new folder"):
        Recorder(tmp_path, append=append)
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_a_folder_that_is_a_file_and_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file", tmp_path / "file" / "run", "/dev/null/run", "a\0b", tmp_path / ("x" * 300)):
        with pytest.raises(InputError):
            Recorder(path)


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".nfs000").write_bytes(b"")
    fill(Recorder(tmp_path / "run"), [1])
    assert len(Recording.open(tmp_path / "run")) == 1


def test_leftovers_of_a_writer_that_is_gone_are_removed(tmp_path):
    recorder = Recorder(tmp_path / "run")
    fill(recorder, [1])
    host = recorder._writer.partition(".")[2]
    old = time.time() - 120
    gone, alive, young, elsewhere, older, odd = (
        tmp_path / "run" / f".writing-{name}-000000000009-a.safetensors"
        for name in (
            f"999999999.{host}",
            f"{os.getpid()}.{host}",
            f"999999998.{host}",
            "1.otherhost",
            "2.otherhost",
            "x",
        )
    )
    for path in (gone, alive, young, elsewhere, older, odd):
        path.write_bytes(b"half a rec")
        if path is not young:
            os.utime(path, (old, old) if path is not older else (0, 0))
    assert Recording.open(tmp_path / "run").steps == (1,)
    Recorder(tmp_path / "run", append=True)
    assert [path.exists() for path in (gone, alive, young, elsewhere, older, odd)] == [
        False, True, True, True, False, True,
    ]  # fmt: skip


def test_a_folder_that_disappears_ends_recording_not_training(tmp_path, capsys):
    recorder = Recorder(tmp_path / "run")
    fill(recorder, [1])
    for path in (tmp_path / "run").iterdir():
        path.unlink()
    (tmp_path / "run").rmdir()
    assert fill(recorder, range(2, 10)) == []
    assert not recorder.next_is_kept()
    line = (
        f"rnnviz: {tmp_path / 'run'}: Recording ended at step 2: No such file or directory. The training continues.\n"
    )
    assert capsys.readouterr().err == line


def test_public_names():
    assert rnnviz.Recorder is Recorder
    assert rnnviz.Recording is Recording
    assert rnnviz.LayerRecord is type(LAYERS["lstm"])


def test_texts_that_are_no_unicode_are_written_as_question_marks(tmp_path):
    """As in the name of a script that is not UTF-8."""
    text = b"train-\xff.py".decode("utf-8", "surrogateescape")
    with Recorder(tmp_path / "run", about={"script": text}) as recorder:
        recorder.add(step=1, layers={text: random_record(notes=(text, "ü"))}, extra={"file": text})
    recording = Recording.open(tmp_path / "run")
    assert recording.about == {"script": "train-?.py"}
    assert recording[0].layers == ("train-?.py",)
    assert recording[0].notes() == ("train-?.py", "ü")
    assert recording[0].extra == {"file": "train-?.py"}


def test_texts_that_no_reader_would_take(tmp_path):
    with Recorder(tmp_path / "run") as recorder, pytest.raises(InputError, match="record: names, notes and extra take"):
        recorder.add(step=1, extra={"text": "x" * 2**21})


def test_a_recording_resumed_with_a_smaller_limit_is_thinned_out(tmp_path):
    fill(Recorder(tmp_path / "run"), range(20))
    fill(Recorder(tmp_path / "run", append=True, limit=6 * BYTES), range(20, 30))
    assert total(tmp_path / "run") <= 6 * BYTES
    steps = Recording.open(tmp_path / "run").steps
    assert steps[0] == 0
    assert steps[-1] > 20
    assert np.diff(steps).max() <= 16


def test_a_marker_that_is_damaged_meanwhile_ends_recording_not_training(tmp_path, capsys):
    recorder = Recorder(tmp_path / "run", limit=3 * BYTES)
    fill(recorder, [1, 2])
    (tmp_path / "run" / "recording.json").write_text("{")
    assert fill(recorder, range(3, 20)) == [3]
    assert "Recording ended at step 4: " in capsys.readouterr().err
    assert "recording.json: it is broken" in recorder.stopped
