"""A pickle that would act, by each opcode that can, acts in Python's own Unpickler and does nothing here."""

from __future__ import annotations

import copyreg
import io
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.weights import inert_pickle, read
from rnnviz.weights.inert_pickle import BrokenPickleError, Named, Object, load
from tests.weights import made
from tests.weights.made import STOP, text

CODES = (240, 40_000, 3_000_000)
HERE = b"tests.weights.payloads"


def payloads(marker: str) -> dict[str, bytes]:
    """opcode -> what makes the folder `marker` in Python's Unpickler"""
    path, mkdir = text(marker), b"cos\nmkdir\n"
    new, state, item = (b"c" + HERE + b"\n" + name + b"\n" for name in (b"New", b"State", b"Item"))
    return {
        "REDUCE": mkdir + path + b"\x85R",
        "STACK_GLOBAL": text("os") + text("mkdir") + b"\x93" + path + b"\x85R",
        "INST": b"(" + path + b"ios\nmkdir\n",
        "OBJ": b"(" + mkdir + path + b"o",
        "NEWOBJ": new + path + b"\x85\x81",
        "NEWOBJ_EX": new + b")}" + text("path") + path + b"s\x92",
        "BUILD": state + b")\x81" + path + b"b",
        "SETITEM": item + b")\x81" + text("a") + path + b"s",
        "SETITEMS": item + b")\x81(" + text("a") + path + b"u",
        "APPEND": item + b")\x81" + path + b"a",
        "APPENDS": item + b")\x81(" + path + b"e",
        "EXT1": b"\x82" + CODES[0].to_bytes(1, "little") + path + b"\x85R",
        "EXT2": b"\x83" + CODES[1].to_bytes(2, "little") + path + b"\x85R",
        "EXT4": b"\x84" + CODES[2].to_bytes(4, "little") + path + b"\x85R",
        "in a memo": mkdir + b"q\x070" + path + b"q\x080h\x07h\x08\x85R",
        "a call of a call": b"cfunctools\npartial\n" + mkdir + path + b"\x86R)R",
        "getattr": b"cbuiltins\ngetattr\ncimportlib\nimport_module\n" + text("os") + b"\x85R"
        + text("mkdir") + b"\x86R" + path + b"\x85R",
        "eval": b"cbuiltins\neval\n" + text(f"__import__('os').mkdir({marker!r})") + b"\x85R",
        "exec": b"cbuiltins\nexec\n" + text(f"import os; os.mkdir({marker!r})") + b"\x85R",
    }  # fmt: skip


NAMES = tuple(payloads("x"))


@pytest.fixture(autouse=True)
def extensions():
    """os.mkdir by a code number, which the names of a pickle do not show."""
    copyreg.add_extension("os", "mkdir", CODES[0])
    copyreg._inverted_registry.update(dict.fromkeys(CODES, ("os", "mkdir")))  # type: ignore[attr-defined]
    yield
    copyreg.remove_extension("os", "mkdir", CODES[0])
    for code in CODES[1:]:
        copyreg._inverted_registry.pop(code, None)  # type: ignore[attr-defined]
    copyreg._extension_cache.clear()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_a_pickle_names_is_run(name: str, tmp_path: Path) -> None:
    marker = tmp_path / "it-ran"
    payload = b"\x80\4" + payloads(str(marker))[name] + STOP
    pickle.loads(payload)
    assert marker.is_dir()  # it is a real payload
    os.rmdir(marker)
    load(payload)
    assert not marker.exists()
    arrays = made.rnn()
    for more in ({"a": payloads(str(marker))[name]}, {"rnn.weight_ih_l0": payloads(str(marker))[name]}):
        path = made.write(tmp_path / "model.pt", made.torch_members(arrays, more))
        file = read(path)
        assert len(file.layers) == ("a" in more)
        for layer in file.layers:
            np.testing.assert_array_equal(layer.weights["weight_hh_l0"], arrays["rnn.weight_hh_l0"])
    path = made.write(tmp_path / "model.pt", {"data.pkl": payload})
    with pytest.raises(InputError, match="no recurrent layer"):
        read(path).layer()
    assert not marker.exists()


@pytest.mark.parametrize("id", [b"P../../etc/passwd\n", text("x") + b"Q", b"(" + text("storage") + b"tQ", b"NQ", b")Q"])
def test_a_persistent_id_is_kept_and_not_followed(id: bytes, tmp_path: Path) -> None:
    path = made.write(tmp_path / "model.pt", made.torch_members(made.rnn(), {"a": id}))
    assert read(path).layer().name == "rnn"


def test_a_module_that_is_named_is_not_imported(tmp_path: Path) -> None:
    for opcodes in (b"cthis\nd\n", text("this") + text("d") + b"\x93", b"(ithis\nd\n"):
        load(b"\x80\4" + opcodes + STOP)
        assert "this" not in sys.modules


def test_what_is_harmless_is_read_as_it_is() -> None:
    value = {"a": [1, -(2**70), 2.5, None, True], "b": ("é", b"x", bytearray(b"y")), "c": {"d": {}}}
    for protocol in range(6):
        found = load(pickle.dumps(value, protocol))
        if protocol == 5:
            assert found == value
        assert found["a"] == value["a"]
    assert load(pickle.dumps({1: 2, "a": 3})) == {"a": 3}
    assert load(pickle.dumps({1, 2})) in ([1, 2], [2, 1])
    assert load(pickle.dumps(print)) == Named("builtins", "print")
    made_object = load(pickle.dumps(io.BytesIO(b"x")))
    assert isinstance(made_object, Object)


@pytest.mark.parametrize(
    "content",
    [
        b"", b".", b"N", b"\x80", b"t.", b"(.", b"R.", b"NR.", b"h\x05.", b"}a.", b"Na.", b"]s.", b"NNs.", b"u.", b"o.",
        b"(o.", b"b.", b"\x95" + b"\xff" * 8, b"\x8d" + b"\xff" * 8 + b"x.", b"X\xff\xff\xff\x7fx.",
        b"\x8b\xff\xff\xff\x7f.", b"\x96\0\0\0\x80\0\0\0\0.", b"T\xff\xff\xff\xff.", b"I99x\n.", b"F1x\n.",
        b"X\1\0\0\0\xff.", b"\xff.", b"cos\n.", b"}(Nu.", b"\x93.", b"Sx\n.", b"I" + b"9" * 10_000 + b"\n.",
    ],
)  # fmt: skip
def test_a_broken_pickle_is_one_line(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(BrokenPickleError):
        load(content)
    path = made.write(tmp_path / "model.pt", {"data.pkl": content})
    with pytest.raises(InputError, match=r"data\.pkl cannot be read") as error:
        read(path)
    assert "\n" not in str(error.value)


def test_a_pickle_that_contains_itself_and_one_that_is_deep(tmp_path: Path) -> None:
    loop = b"}q\1" + text("a") + b"h\1s" + text("b") + b"]h\1as"
    path = made.write(tmp_path / "loop.pt", {"data.pkl": loop + STOP})
    assert read(path).layers == ()
    for deep in (b"]" * 200_000 + b"a" * 199_999, b"N" + b"\x85" * 200_000):
        path = made.write(tmp_path / "deep.pt", {"data.pkl": deep + STOP})
        assert read(path).layers == ()
    laughs = b"]q\0" + b"".join(
        b"]q" + bytes([n + 1]) + b"(" + b"h" + bytes([n]) + (b"h" + bytes([n])) * 9 + b"e" for n in range(60)
    )
    path = made.write(tmp_path / "laughs.pt", {"data.pkl": laughs + STOP})
    assert read(path).layers == ()


def test_the_number_of_opcodes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inert_pickle, "MOST_STEPS", 1000)
    load(b"}" * 900 + STOP)
    with pytest.raises(BrokenPickleError, match="more than 1,000 opcodes"):
        load(b"}" * 1100 + STOP)
