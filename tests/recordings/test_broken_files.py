"""Files that are no records, or broken, or made to do harm: one line that names the file, and little memory."""

from __future__ import annotations

import contextlib
import json
import os
import re
import struct
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import load, load_file, save, save_file

from rnnviz.errors import InputError
from rnnviz.recordings import recording, store
from rnnviz.recordings.recorder import Recorder
from rnnviz.recordings.recording import Recording
from tests.recordings.records import random_record

NAME = "000000000007-a.safetensors"
CONTENT = b"".join(store.encode(7, 0.5, {"lstm": random_record(notes=("One.",))}, {"lr": 0.1}))


def parts(content=CONTENT):
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def joined(head, data):
    text = json.dumps(head).encode() if isinstance(head, dict) else head
    return struct.pack("<Q", len(text)) + text + data


def with_metadata(**changes):
    """The content with other metadata; None removes a key."""
    head, data = parts()
    about = json.loads(head["__metadata__"]["rnnviz"]) | changes
    about = {key: value for key, value in about.items() if value is not None}
    return joined({**head, "__metadata__": {"rnnviz": json.dumps(about)}}, data)


def with_layer(**changes):
    head, _ = parts()
    (layer,) = json.loads(head["__metadata__"]["rnnviz"])["layers"]
    return with_metadata(layers=[layer | changes])


def with_entry(name="0.x", **changes):
    head, data = parts()
    return joined({**head, name: {**head.get(name, {}), **changes}}, data)


def with_text(text):
    head, data = parts()
    return joined({**head, "__metadata__": {"rnnviz": text}}, data)


def with_arrays(**changes):
    arrays = {name: array for name, array in {**load(CONTENT), **changes}.items() if array is not None}
    return save(arrays, parts()[0]["__metadata__"])


def read(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    record = Recording.open(tmp_path)[0]
    return record.loss, record.layer()


def test_the_content_itself_is_a_record(tmp_path):
    loss, layer = read(tmp_path, CONTENT)
    assert (loss, layer.notes) == (0.5, ("One.",))
    head, data = parts()
    assert read(tmp_path, joined(head, data))[0] == 0.5


HUGE = 2**62
BAD = {
    "empty": (b"", "it ends after 0 bytes"),
    "seven bytes": (b"1234567", "it ends after 7 bytes"),
    "zeros": (bytes(4000), "its header cannot be read"),
    "text": (b"step,loss\n1,0.5\n" * 100, "its header alone should have"),
    "a header that is too long": (struct.pack("<Q", 2**63) + CONTENT[8:], "its header alone should have 9,223,372"),
    "a header of a byte less": (struct.pack("<Q", len(CONTENT)) + CONTENT[8:], "its header alone should have"),
    "not JSON": (joined(b"{nonsense", b""), "its header cannot be read"),
    "not UTF-8": (joined(b'{"a": "\xff"}', b""), "its header cannot be read"),
    "a list": (joined(b"[]", b""), "its header is not a JSON object"),
    "deep": (joined(b"[" * 100_000, b""), "its header cannot be read"),
    "a long number": (joined(b'{"a": ' + b"9" * 10_000 + b"}", b""), "its header cannot be read"),
    "of another program": (save({"a": np.ones(3)}), "it is no record: its header lacks 'rnnviz'"),
    "other metadata": (save({"a": np.ones(3)}, {"format": "pt"}), "it is no record: its header lacks 'rnnviz'"),
    "metadata as a list": (joined({"__metadata__": [1]}, b""), "its header lacks 'rnnviz'"),
    "nan in the metadata": (with_text('{"version": 1, "step": 7, "loss": NaN}'), "'NaN is not JSON'"),
    "infinity in the metadata": (with_text('{"version": 1, "step": -Infinity}'), "-Infinity is not JSON"),
    "metadata is no object": (with_text("7"), "'rnnviz' in its header is not a JSON object"),
    "half a character": (with_layer(name="\ud800"), "'rnnviz' in its header cannot be read"),
    "a newer version": (with_metadata(version=2), "written by a newer rnnviz (version 2, this one reads 1)"),
    "no version": (with_metadata(version=None), "version: None is not a whole number"),
    "version 0": (with_metadata(version=0), "version: 0"),
    "no step": (with_metadata(step=None), "step: None is not a whole number"),
    "a step as a text": (with_metadata(step="7"), "step: '7' is not a whole number"),
    "step True": (with_metadata(step=True), "step: True is not a whole number"),
    "another step": (with_metadata(step=8), "the step in its header is 8, not that of its name"),
    "a loss that is a list": (with_metadata(loss=[1]), "loss: [1] is not a number"),
    "a loss that is a word": (with_metadata(loss="low"), "loss: 'low' is not a number"),
    "a loss of 5,000 digits": (with_text('{"version":1,"step":7,"loss":1' + "0" * 4000 + "}"), "a number this long"),
    "extra": (with_metadata(extra=[1]), "extra: [1] is not a dict"),
    "layers": (with_metadata(layers={"a": 1}), "layers: {'a': 1} is not a list"),
    "a layer": (with_metadata(layers=["lstm"]), "layers: 'lstm' is not a layer"),
    "two of one name": (with_metadata(layers=[{"name": "a", "cell": "rnn"}] * 2), "layers: two have the same name"),
    "a name that is a number": (with_layer(name=7), "name: 7 is not a str"),
    "another cell": (with_layer(cell="gru"), "weight_hh_l0: shape (12, 3)"),
    "an unknown cell": (with_layer(cell="qrnn"), "cell: 'qrnn' is unknown"),
    "an unknown activation": (with_layer(activation="exec"), "activation: 'exec' is unknown"),
    "notes": (with_layer(notes=[1]), "notes: not all are texts"),
    "total": (with_layer(total=1), "total: 1 is not a whole number of at least 3"),
    "agreement": (with_layer(agreement=-1), "agreement: -1.0 is not a relative difference"),
    "another dtype": (with_entry(dtype="BF16"), "is not an array of F16, F32"),
    "a dtype that is a list": (with_entry(dtype=["F32"]), "is not an array of F16, F32"),
    "a lying shape": (with_entry(shape=[5, 3, 3]), "does not fit into the file"),
    "a huge shape": (with_entry(shape=[HUGE, HUGE, 2]), "does not fit into the file"),
    "a negative shape": (with_entry(shape=[-5, -3, 2]), "is not an array of"),
    "a shape of nothing": (with_entry(shape=None), "is not an array of"),
    "many axes": (with_entry(shape=[30] + [1] * 100), "does not fit into the file"),
    "offsets beyond": (with_entry(data_offsets=[HUGE, HUGE + 240]), "does not fit into the file"),
    "offsets backwards": (with_entry(data_offsets=[240, 0]), "does not fit into the file"),
    "offsets below 0": (with_entry(data_offsets=[-240, 0]), "is not an array of"),
    "one offset": (with_entry(data_offsets=[0]), "is not an array of"),
    "an entry that is a number": (joined({**parts()[0], "0.x": 7}, parts()[1]), "'0.x': 7 is not an array"),
    "an array over another": (with_entry("0.z", dtype="F64", shape=[1], data_offsets=[0, 8]), "overlap, or leave gaps"),
    "more at the end": (CONTENT + b"more", "its arrays take"),
    "x is missing": (with_arrays(**{"0.x": None}), "0.x is missing"),
    "direct is missing": (with_arrays(**{"0.direct": None}), "0.direct is missing"),
    "a weight is missing": (with_arrays(**{"0.weights.weight_hh_l0": None}), "weights: weight_hh_l0 is missing"),
    "lengths": (with_arrays(**{"0.lengths": np.array([9, 1, 1])}), "lengths: they must lie between 1 and 5"),
    "lengths as floats": (with_arrays(**{"0.lengths": np.ones(3)}), "lengths: is not an array of whole numbers"),
    "no steps": (with_arrays(**{"0.x": np.ones((0, 3, 2))}), "x: shape (0, 3, 2)"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_line(tmp_path, content, message):
    with pytest.raises(InputError, match=re.escape(message)) as error:
        read(tmp_path, content)
    line = str(error.value)
    assert line.startswith(str(tmp_path / NAME))
    assert "\n" not in line
    assert len(line) < len(str(tmp_path)) + 400
    assert "delete it" in line or "install a newer" in line


def test_a_file_truncated_anywhere(tmp_path):
    for size in range(0, len(CONTENT), 23):
        with pytest.raises(InputError, match="the file is broken"):
            read(tmp_path, CONTENT[:size])


def test_a_large_file_truncated_at_every_kilobyte(tmp_path):
    content = b"".join(store.encode(7, 0.5, {"lstm": random_record(T=40, B=4, H=16)}, {}))
    for size in range(0, len(content), 1024):
        with pytest.raises(InputError, match="the file is broken"):
            read(tmp_path, content[:size])
    assert len(content) > 30_000


def test_one_byte_changed_anywhere_is_read_or_refused(tmp_path):
    rng = np.random.default_rng(0)
    head = 8 + struct.unpack("<Q", CONTENT[:8])[0]
    for _ in range(150):
        content = bytearray(CONTENT)
        content[int(rng.integers(0, head))] = int(rng.integers(0, 256))
        with contextlib.suppress(InputError):
            read(tmp_path, bytes(content))


def test_a_lie_about_sizes_takes_no_memory(tmp_path):
    """A file of 16 GiB on paper, with a header that is as long as that; and one whose arrays would be."""
    for content in (struct.pack("<Q", 2**34 - 8) + CONTENT[8:], CONTENT):
        with open(tmp_path / NAME, "wb") as file:
            file.write(content)
            file.truncate(2**34)
        tracemalloc.start()
        with pytest.raises(InputError):
            Recording.open(tmp_path)[0].layer()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 5 * 2**20


def test_a_record_larger_than_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnviz.nn.checks.memory_limit", lambda: 2_000)
    with pytest.raises(InputError, match="record: would take"):
        read(tmp_path, CONTENT)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "device", "dangling link"])
def test_what_is_no_file(tmp_path, kind):
    (tmp_path / "there").write_bytes(CONTENT)
    run = tmp_path / "run"
    run.mkdir()
    path = run / NAME
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to({"link": tmp_path / "there", "device": "/dev/zero"}.get(kind, tmp_path / "nothing"))
    with pytest.raises(InputError, match=f"{re.escape(str(path))}: it is a (link|pipe|folder).*; a record is a file"):
        Recording.open(run)[0].layer()


def test_what_other_programs_wrote_is_read_and_the_other_way_round(tmp_path):
    """The files are those of the safetensors library, which checks them by itself as well."""
    with Recorder(tmp_path / "ours") as recorder:
        recorder.add(step=7, layers={"lstm": random_record()})
    (path,) = (tmp_path / "ours").glob("*.safetensors")
    arrays = load_file(path)
    assert arrays["0.x"].shape == (5, 3, 2)
    (tmp_path / "theirs").mkdir()
    about = {"version": 1, "step": 7, "layers": [{"name": "lstm", "cell": "lstm"}], "of a later version": [1]}
    arrays["0.of a later version"] = np.ones(2)
    save_file(arrays, tmp_path / "theirs" / "7.safetensors", {"rnnviz": json.dumps(about), "format": "np"})
    record = Recording.open(tmp_path / "theirs")[-1]
    assert (record.step, record.loss, dict(record.extra)) == (7, None, {})
    np.testing.assert_array_equal(record.trace().h, Recording.open(tmp_path / "ours")[0].trace().h)


def test_half_precision_is_read(tmp_path):
    _, layer = read(tmp_path, with_arrays(**{"0.x": np.ones((5, 3, 2), np.float16)}))
    assert layer.x.dtype == np.float32


# -- folders -------------------------------------------------------------------------------------------


def test_a_folder_that_is_no_recording(tmp_path):
    for path, message in [
        (tmp_path / "none", "No such file or directory"),
        (tmp_path, "is no recording; rnnviz.watch and rnnviz.Recorder make one"),
        ("a\0b", "null"),
        ("x" * 3000, "name too long"),
    ]:  # fmt: skip
        with pytest.raises(InputError, match=message):
            Recording.open(path)
    (tmp_path / "model.safetensors").write_bytes(CONTENT)
    with pytest.raises(InputError, match="is no recording"):
        Recording.open(tmp_path)
    with pytest.raises(InputError, match="Not a directory"):
        Recording.open(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"version": 2}', "written by a newer rnnviz"),
        ("{}", "it is broken"),
        ("", "it is broken"),
        ("[1]", "it is broken"),
        ("[" * 100_000, "it is broken"),
        ('{"version": 1, "about": 3}', "it is broken"),
        ('{"version": 1, "note": 3}', "it is broken"),
        ('{"version": 1, "kept_every": 0}', "it is broken"),
        ('{"version": 1, "kept_every": true}', "it is broken"),
        ('{"version": 1, "kept_every": 1e400}', "it is broken"),
        ('{"version": "new"}', "it is broken"),
        ('{"version": 1, "note": "\\ud800"}', "it is broken"),
        ('{"version": 1, "about": {"a": ' + "9" * 5000 + "}}", "it is broken"),
        (" " * 2_000_000, "it is too long"),
    ],
)
def test_a_broken_marker(tmp_path, text, message):
    (tmp_path / "recording.json").write_text(text)
    for attempt in (lambda: Recording.open(tmp_path), lambda: Recorder(tmp_path, append=True)):
        with pytest.raises(InputError, match=message) as error:
            attempt()
        assert str(tmp_path / "recording.json") in str(error.value)
        assert len(str(error.value)) < len(str(tmp_path)) + 300


def test_a_marker_that_is_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "recording.json")
    with pytest.raises(InputError, match="it is a pipe"):
        Recording.open(tmp_path)


def test_other_files_in_the_folder_are_left_out(tmp_path):
    for name in (NAME, "notes.txt", ".writing-1.a-000000000009-b.safetensors", "9999999999999.safetensors",
                 "x-000000000008.safetensors", "٧.safetensors", "000000000008-a.safetensors.part"):  # fmt: skip
        (tmp_path / name).write_bytes(CONTENT)
    assert Recording.open(tmp_path).steps == (7,)


def test_a_record_that_has_gone_is_one_line(tmp_path):
    (tmp_path / NAME).write_bytes(CONTENT)
    found = Recording.open(tmp_path)
    record = found[0]
    (tmp_path / NAME).unlink()
    with pytest.raises(InputError, match=r"is gone; .*; call refresh\(\)"):
        record.layer()
    (tmp_path / "recording.json").write_text('{"version": 1}')
    assert found.refresh()
    assert (len(found), found.steps) == (0, ())
    with pytest.raises(IndexError):
        found[0]
    assert recording.Record(tmp_path / NAME).step == 7


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path):
    (tmp_path / NAME).write_bytes(CONTENT)
    (tmp_path / NAME).chmod(0)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        Recording.open(tmp_path)[0].layer()


def test_nothing_but_names_is_read_to_open_a_recording(tmp_path):
    for step in range(1000):
        (tmp_path / f"{step}.safetensors").write_bytes(b"")
    assert Recording.open(tmp_path).steps == tuple(range(1000))
