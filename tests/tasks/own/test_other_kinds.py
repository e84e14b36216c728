"""Arrays, labelled lines and folders of a person's own; and files that are made to do harm."""

from __future__ import annotations

import io
import os
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.tasks.own import Decisions, read
from rnnviz.tasks.own import examples as examples_of
from rnnviz.tasks.own.content import SequencesContent, SeriesContent
from rnnviz.tasks.own.kind import task_of


def names(folder: Path) -> Path:
    folder.mkdir()
    for language, texts in {"Czech": ["Blažek", "Černá"], "Irish": ["O'Neill", "Byrne", "Kelly"]}.items():
        (folder / f"{language}.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    return folder


def test_a_folder_with_a_file_per_class(tmp_path: Path) -> None:
    folder = names(tmp_path / "names")
    (folder / ".hidden.txt").write_text("x\n")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    os.symlink("/etc/passwd", folder / "Link.txt")
    if sys.platform != "win32":
        os.mkfifo(folder / "Pipe.txt")
    found = read(str(folder))
    assert isinstance(found.content, SequencesContent)
    assert found.content.classes == ("Czech", "Irish")
    assert found.content.texts == ("Blažek", "Černá", "O'Neill", "Byrne", "Kelly")
    assert task_of(str(folder)) == "labelled"
    assert any("that are not text files are left out" in note for note in found.notes)
    with pytest.raises(InputError, match=r"has no text file; did you mean .*names\?"):
        read(str(tmp_path))


def test_every_class_keeps_its_share_of_the_rows(tmp_path: Path) -> None:
    found = read(str(names(tmp_path / "names")), Decisions(rows=4))
    assert isinstance(found.content, SequencesContent)
    assert found.content.y.tolist() == [0, 0, 1, 1]
    assert "Only 4 texts are read; --rows reads more." in found.notes


def test_labelled_lines(tmp_path: Path) -> None:
    path = tmp_path / "films.tsv"
    path.write_text("a great film\tgood\nboring\tbad\n\nnot for me\tbad\nagain!\tgood\n")
    found = read(str(path))
    assert (found.kind, found.task) == ("labelled", "labelled")
    assert isinstance(found.content, SequencesContent)
    assert found.content.y.tolist() == [1, 0, 0, 1]
    path.write_text("".join(f"text {k}\tgood\n" for k in range(30)) + "no tab\n")
    with pytest.raises(InputError, match=r"line 31 is not text, a tab and a label: 'no tab'"):
        read(str(path))
    path.write_text("a\tgood\nb\tgood\nc\tgood\nd\tgood\n")
    with pytest.raises(InputError, match="one class has texts"):
        read(str(path))


def test_many_classes_and_control_characters_in_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "many.tsv"
    path.write_text("".join(f"word\tclass {k}\n" for k in range(1_001)))
    with pytest.raises(InputError, match=r"1,001 different labels; at most 1,000"):
        read(str(path))
    path.write_text("one\ta\x1b[2J\ntwo\tb\nthree\tb\nfour\tb\n")
    found = read(str(path))
    assert isinstance(found.content, SequencesContent)
    assert found.content.classes == ("a·[2J", "b")
    monkeypatch.setattr(examples_of, "ENTRIES", 3)
    names(tmp_path / "names")
    (tmp_path / "names" / "Greek.txt").write_text("x\n")
    (tmp_path / "names" / "Thai.txt").write_text("x\n")
    with pytest.raises(InputError, match="more than 3 entries"):
        read(str(tmp_path / "names"))


def npz(path: Path, **arrays: object) -> str:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return str(path)


def test_arrays(tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((6, 5, 2))
    found = read(npz(tmp_path / "a.npz", x=x, y=np.array(list("abcabc"))))
    assert found.task == "labelled"
    assert isinstance(found.content, SequencesContent)
    assert (found.content.input_size, found.content.classes) == (2, ("a", "b", "c"))
    found = read(npz(tmp_path / "b.npz", x=x, y=x[:, 0]))
    assert (found.task, found.standardizes) == ("series", False)
    found = read(npz(tmp_path / "c.npz", x=x, lengths=np.array([5, 5, 4, 3, 5, 5])))
    assert isinstance(found.content, SeriesContent)
    assert found.content.starts == (0, 5, 10, 14, 17, 22)
    np.save(tmp_path / "d.npy", x[0, :, 0])
    assert isinstance(read(str(tmp_path / "d.npy")).content, SeriesContent)
    fortran = npz(tmp_path / "e.npz", x=np.asfortranarray(x), y=np.zeros((6, 1)))
    assert np.array_equal(read(fortran).content.x, x)  # type: ignore[union-attr]
    for wrong, reason in (
        ({"x": x, "y": np.zeros(5)}, r"y has shape \(5,\)"),
        ({"x": x, "lengths": np.array([1, 2])}, "lengths must be 6 whole numbers"),
        ({"x": np.array([{}], dtype=object)}, "Python objects"),
        ({"x": np.array(["a"])}, "type <U1"),
        ({"w": x, "v": x}, "has no array x"),
        ({"x": x[0], "y": np.zeros(5)}, r"needs \(N, T, I\)"),
    ):
        with pytest.raises(InputError, match=reason):
            read(npz(tmp_path / "wrong.npz", **wrong))


def member(shape: str, content: bytes = b"") -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def zipped(path: Path, content: bytes, times: int = 1) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(times):
            archive.writestr("x.npy" if times == 1 else f"x{k}.npy", content)
    return str(path)


def test_bombs_and_lies_take_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    lies = {
        "(10000000000,)": "at most",  # 80 GB
        "(1000, 1000)": "claims 8,000,000 bytes",
        "(10**9,)": "not a whole .npz",
        "(" + "9" * 5000 + ",)": "not a whole .npz|at most",
        "(-5, -5)": "claims",
    }
    for shape, reason in lies.items():
        with pytest.raises(InputError, match=reason):
            read(zipped(path, member(shape, b"\0" * 80)))
    with pytest.raises(InputError, match="more than 100 members"):
        read(zipped(path, member("(2,)", b"\0" * 16), times=101))
    whole = io.BytesIO()
    np.savez(whole, x=np.zeros((4, 3, 1)), y=np.zeros(4))
    for end in range(0, len(whole.getvalue()) - 1, 37):
        path.write_bytes(whole.getvalue()[:end])
        with pytest.raises(InputError) as found:
            read(str(path))
        assert "\n" not in str(found.value)


def test_what_is_no_data_says_what_it_is(tmp_path: Path) -> None:
    for name, content, reason in (
        ("a.xlsx", b"PK\x03\x04", "is a spreadsheet; rnnviz reads tables"),
        ("a.bin", b"\x7fELF\0\0", "is a binary file"),
        ("a.csv.gz", b"\x1f\x8b\0", "is compressed; unpack it first"),
        ("a.npz", b"no zip at all", "is not a file of NumPy arrays, whatever its name"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError, match=reason):
            read(str(path))
    for path, reason in ((tmp_path / "absent", "does not exist"), (Path("a\0b"), "cannot be read")):
        with pytest.raises(InputError, match=reason):
            read(str(path))
    with pytest.raises(InputError, match="it is a device"):
        read(os.devnull)
    (tmp_path / "t.txt").write_text("Call me Ishmael.\nSome years ago, never mind how long.\n")
    assert read(str(tmp_path / "t.txt")).task == "characters"
    with pytest.raises(InputError, match=r"^target: a text has no use for it"):
        read(str(tmp_path / "t.txt"), Decisions(target="a"))
