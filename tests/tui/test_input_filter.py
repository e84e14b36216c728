"""Bytes in, keys out: what real terminals send, and what no terminal should."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from textual import events
from textual.message import Message

from rnnviz.terminal import LARGEST
from rnnviz.tui import input_filter as module
from rnnviz.tui.input_filter import LONGEST, TYPED, Alive, Input


def events_of(*pieces: bytes) -> list[Message]:
    parser = Input()
    return [event for piece in pieces for event in parser.feed(piece)]


def keys_of(*pieces: bytes) -> list[str]:
    return [event.key for event in events_of(*pieces) if isinstance(event, events.Key)]


def every_split(data: bytes) -> list[tuple[bytes, ...]]:
    one_by_one = tuple(data[k : k + 1] for k in range(len(data)))
    return [(data,), one_by_one, *((data[:k], data[k:]) for k in range(1, len(data)))]


KNOWN = {
    b"q": ["q"],
    b"Q": ["Q"],
    b"\x03": ["ctrl+c"],
    b"\r": ["enter"],
    b"\x7f": ["backspace"],
    b"\t": ["tab"],
    "é".encode(): ["é"],
    "→".encode(): ["rightwards_arrow"],
    b"\x1b[C": ["right"],
    b"\x1bOC": ["right"],
    b"\x1b[1;2C": ["shift+right"],
    b"\x1b[1;5D": ["ctrl+left"],
    b"\x1b[H": ["home"],
    b"\x1b[1~": ["home"],
    b"\x1b[5~": ["pageup"],
    b"\x1b[Z": ["shift+tab"],
    b"\x1bOP": ["f1"],
    b"\x1b[11~": ["f1"],
    b"\x1b[[A": ["f1"],
    b"\x1b[24~": ["f12"],
    b"\x1b[3;5~": ["ctrl+delete"],
    b"\x1bq": ["alt+q"],
    b"\x1b[97u": ["a"],
    b"\x1b[97;1u": ["a"],
    b"\x1b[97;1;97u": ["a"],
    b"\x1b[97;1:1u": ["a"],  # pressed
    b"\x1b[97;1:2u": ["a"],  # held
    b"\x1b[97;1:3u": [],  # let go
    b"\x1b[97:65;2;65u": ["A"],  # with the other meanings of the key
    b"\x1b[99;5u": ["ctrl+c"],
    b"\x1b[1;1:1A": ["up"],
    b"\x1b[1;1:3A": [],
    b"\x1b[5;1:1~": ["pageup"],
    b"\x1b[57441;2:3u": [],
    b"\x1b[2;1R": [],  # a cursor's place nobody asked for
    b"\x1b[24;80R": [],
    b"\x1b[?62;1;6c": [],
    b"\x1b[>0;276;0c": [],
    b"\x1b]11;rgb:0000/0000/0000\x07": [],
    b"\x1b]11;rgb:0000/0000/0000\x1b\\": [],
    b"\x1bP1$r0m\x1b\\": [],
    b"\x1b_Gi=1;OK\x1b\\": [],
    b"\x1b[99999999999999999999u": [],
    b"\x1b[55296u": [],
    b"\x1b[97;1;99999999u": [],
    b"\x1b[1;99999999999A": [],
    b"\x1b[M !!": [],
    b"\x1b[200~q\x1b[Cq\x1b[201~": [],
}


@pytest.mark.parametrize("data", KNOWN, ids=repr)
def test_a_key_is_itself_however_it_is_cut_into_pieces(data: bytes) -> None:
    for pieces in every_split(data):
        assert keys_of(*pieces) == KNOWN[data], pieces
        assert keys_of(*pieces, b"x") == [*KNOWN[data], "x"], pieces  # and swallows nothing


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"\xe9q", ["q"]),  # Latin-1
        (b"\xe1\xf1q", ["q"]),  # alt and a key of an 8-bit xterm
        (b"\xc3q", ["q"]),
        (b"\xffq", ["q"]),
        (b"\xed\xa0\x80q", ["q"]),  # half of a surrogate pair
        (b"\x9bAq", ["A", "q"]),  # an 8-bit CSI
        ("\x9bAq".encode(), ["A", "q"]),
        (b"\x1b[12\x03", ["ctrl+c"]),  # cut short by a key
        (b"\x1b]0;title\x03", ["ctrl+c"]),
        (b"\x1bP\x03", ["ctrl+c"]),
        (b"\x1b\r", ["escape", "enter"]),
        (b"\x1b\x1b[C", ["escape", "right"]),
        (b"\x1b[1;2\x1b[C", ["right"]),
        (b"\x1b[" + b"1" * 100 + b"q", ["q"]),
    ],
)
def test_what_is_broken_is_dropped_and_the_next_key_is_not(data: bytes, keys: list[str]) -> None:
    assert [key for key in keys_of(data) if key != "1"] == keys


def test_escape_alone_is_a_key_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    parser, now = Input(), [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    assert list(parser.feed(b"\x1b")) == []
    assert list(parser.tick()) == []
    now[0] += 0.2
    assert [event.key for event in parser.tick()] == ["escape"]  # type: ignore[attr-defined]
    assert list(parser.tick()) == []


@pytest.mark.parametrize("begun", [b"\x1b[1;", b"\x1b]0;a title", b"\x1bP", b"\x1b[200~pasted q", b"\x1b[M"])
def test_what_does_not_end_is_given_up(begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    parser, now = Input(), [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    assert list(parser.feed(begun)) == []
    now[0] += 1.1
    assert not [event for event in parser.tick() if isinstance(event, events.Key)]
    assert [event.key for event in parser.feed(b"q")] == ["q"]  # type: ignore[attr-defined]


def size_of(parser: Input) -> int:
    return len(parser._held) + len(parser._paste or "")


FLOODS = {
    "text": b"x" * 4096,
    "NUL": b"\0" * 4096,
    "not UTF-8": b"\xe9" * 4096,
    "OSC": b"\x1b]" + b"x" * 4094,
    "one OSC": b"x" * 4096,
    "DCS": b"\x1bP" + b"\x1b[1" * 1000,
    "CSI": b"\x1b[" + b"1;" * 2000,
    "ESC": b"\x1b" * 4096,
    "pastes": b"\x1b[200~" + b"y" * 4000 + b"\x1b[201~",
}


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("begins", [b"", b"\x1b]", b"\x1b[", b"\x1bP", b"\x1b[200~"])
def test_a_flood_keeps_nothing(flood: str, begins: bytes) -> None:
    parser = Input()
    list(parser.feed(begins))
    for _ in range(6):
        found = list(parser.feed(FLOODS[flood]))
        assert size_of(parser) <= 3 * LONGEST
        assert len([e for e in found if isinstance(e, events.Key)]) <= TYPED + 1


def test_a_paste_is_kept_up_to_a_page() -> None:
    assert [event.text for event in events_of(b"\x1b[200~one\0 two\x1b[201~")] == ["one two"]  # type: ignore[attr-defined]
    pieces = [b"\x1b[200~", *[b"a\x1b[Cz" * 800] * 20, b"\x1b[20", b"1~q"]
    paste, key = events_of(*pieces)
    assert isinstance(paste, events.Paste)
    assert len(paste.text) <= LONGEST
    assert isinstance(key, events.Key)


def test_the_size_told_in_the_input_is_clamped() -> None:
    for rows, columns in ((999999, 999999), (0, 0), (1, 999999999), (24, 80)):
        event, click = events_of(f"\x1b[48;{rows};{columns};{rows};{columns}t".encode(), b"\x1b[<0;1;1M")
        assert isinstance(event, events.Resize)
        assert 1 <= event.size.width <= LARGEST[0]
        assert 1 <= event.size.height <= LARGEST[1]
        assert isinstance(click, events.MouseDown)


def test_a_sign_of_life_is_no_key() -> None:
    assert [type(event) for event in events_of(b"\x1b[0n")] == [Alive]


PIECES = [
    b"\x1b", b"\x1b[", b"\x1bO", b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b[<", b"\x1b[?", b"\x1b[M", b"\x1b[200~",
    b"\x1b[201~", b"\x1b[48;", b";", b":", b"1", b"97", b"4294967296", b"u", b"t", b"m", b"M", b"R", b"n", b"~", b"A",
    b"$y", b"\x07", b"\x1b\\", b"\xe9", b"\xf0\x9f", b"\0", b"\x03", b"q", b" ", b"\xc2\x9b",
]  # fmt: skip


def nonsense(seed: int, length: int) -> bytes:
    rng = random.Random(seed)
    if seed % 3 == 0:
        return rng.randbytes(length)
    return b"".join(rng.choice(PIECES) for _ in range(length // 3))


@pytest.mark.parametrize("seed", range(30))
def test_any_bytes_are_taken(seed: int) -> None:
    rng, parser = random.Random(seed), Input()
    data = nonsense(seed, 6_000)
    at = 0
    while at < len(data):
        step = rng.choice((1, 2, 7, 100, 4096))
        for event in [*parser.feed(data[at : at + step]), *parser.tick()]:
            assert isinstance(event, Message)
            if isinstance(event, events.Key):
                assert event.key
        assert size_of(parser) <= 3 * LONGEST
        at += step
    parser._last -= 10
    list(parser.tick())
    assert keys(parser.feed(b"q")) == ["q"]


def keys(found: Any) -> list[str]:
    return [event.key for event in found if isinstance(event, events.Key)]


def test_a_quarter_of_a_megabyte_takes_no_time_to_speak_of() -> None:
    parser, start = Input(), time.process_time()
    for _ in range(64):
        list(parser.feed(b"x" * 4096))
    assert time.process_time() - start < 20  # a guard against a square: it takes a tenth of a second
