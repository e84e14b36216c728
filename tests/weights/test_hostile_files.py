"""Files that are broken, or that ask for what they should not: one line, and memory within bounds."""

from __future__ import annotations

import io
import json
import os
import random
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from rnnviz.errors import InputError
from rnnviz.weights import read
from tests import peers
from tests.weights import made
from tests.weights.made import STOP, entries, tensor

GIB = 2**30
ARRAYS = made.rnn(H=24, inputs=8)


def npz(arrays: dict[str, np.ndarray], compressed: bool = False) -> bytes:
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **arrays)
    return out.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


CONTENT = {
    ".pt": made.archive(made.torch_members(ARRAYS)),
    ".safetensors": save(ARRAYS),
    ".npz": npz(ARRAYS),
    "-small.npz": npz({name: np.asfortranarray(array) for name, array in ARRAYS.items()}, compressed=True),
}


def read_all(path: Path) -> list[dict[str, np.ndarray]]:
    file = read(path)
    return [dict(layer.weights) for layer in file.layers] + [
        {"weight": one.weight} for one in (*file.linears, *file.embeddings)
    ]


def open_all(path: Path) -> None:
    file = read(path)
    for one in file.refused:
        file.layer(one.name)
    read_all(path)
    file.layer()


def refusal(path: Path) -> str:
    """The one line of the refusal."""
    with pytest.raises(InputError) as error:
        open_all(path)
    line = str(error.value)
    assert "\n" not in line
    assert str(path.parent) in line
    assert len(line) < len(str(path)) + 400
    return line


@pytest.mark.parametrize("suffix", CONTENT)
def test_the_content_itself_is_read(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(CONTENT[suffix])
    weights, readout = read_all(path)
    assert all(np.array_equal(array, ARRAYS[f"rnn.{name}"]) for name, array in weights.items())
    assert np.array_equal(readout["weight"], ARRAYS["fc.weight"])


def test_the_numbers_of_a_computer_with_the_other_byte_order(tmp_path: Path) -> None:
    swapped = {name: array.byteswap() for name, array in ARRAYS.items()}
    path = made.write(tmp_path / "model.pt", made.torch_members(swapped) | {"byteorder": b"big"})
    for found in (path, tmp_path / "model.npz"):
        np.savez(tmp_path / "model.npz", **{name: array.astype(">f4") for name, array in ARRAYS.items()})
        assert np.array_equal(read(found).layer().weights["weight_hh_l0"], ARRAYS["rnn.weight_hh_l0"])


@pytest.mark.parametrize("suffix", CONTENT)
def test_a_file_truncated_at_every_kilobyte(suffix: str, tmp_path: Path) -> None:
    path, content = tmp_path / f"model{suffix}", CONTENT[suffix]
    for size in [*range(0, len(content), 1024), *range(24), *range(len(content) - 60, len(content))]:
        path.write_bytes(content[:size])
        refusal(path)
    assert len(content) > 10_000


@pytest.mark.parametrize("suffix", CONTENT)
def test_a_bit_flipped_anywhere(suffix: str, tmp_path: Path) -> None:
    """It is refused, or the same is read; a safetensors file has no checksums, so other numbers may be read."""
    path, content, draw = tmp_path / f"model{suffix}", CONTENT[suffix], random.Random(0)
    wanted = read_all_of(path, content)
    assert wanted is not None
    refused = 0
    head = [draw.randrange(2000) for _ in range(150)] + [len(content) - 1 - draw.randrange(900) for _ in range(150)]
    for at in head + [draw.randrange(len(content)) for _ in range(100)]:
        broken = bytearray(content)
        broken[at] ^= 1 << draw.randrange(8)
        found = read_all_of(path, bytes(broken))
        refused += found is None
        if found is not None and suffix != ".safetensors":
            for weights in found:
                for name, array in weights.items():
                    assert any(np.array_equal(array, one.get(name)) for one in wanted), (at, name)
    assert refused > 20


def read_all_of(path: Path, content: bytes) -> list[dict[str, np.ndarray]] | None:
    path.write_bytes(content)
    try:
        return read_all(path)
    except InputError:
        return None


LSTM = made.torch_members(ARRAYS)


def with_tensor(opcodes: bytes) -> dict[str, bytes | int]:
    """A file whose first weight is this."""
    return made.torch_members(ARRAYS, {"rnn.weight_ih_l0": opcodes})


def header(shape: str, descr: str = "'<f4'") -> bytes:
    """A .npy whose header says this, with four bytes behind it."""
    words = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(words)) + words + bytes(4)


def with_field(archive: bytes, field: int, value: int) -> bytes:
    """The archive with another value in a field of its first directory entry."""
    content = bytearray(archive)
    at = content.index(b"PK\1\2") + field
    content[at : at + 4] = struct.pack("<L", value)
    return bytes(content)


def safetensors(**entry: object) -> bytes:
    head = json.dumps({"rnn.weight_ih_l0": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | entry}).encode()
    return struct.pack("<Q", len(head)) + head + bytes(4)


BAD: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "a view beyond its storage": (
        ".pt", lambda: made.archive(with_tensor(tensor("0", (96, 9), (9, 1), 768))), "needs"),
    "an offset beyond it": (".pt", lambda: made.archive(with_tensor(tensor("0", (96, 8), (8, 1), 768, 1))), "needs"),
    "a stride beyond it": (".pt", lambda: made.archive(with_tensor(tensor("0", (96, 8), (9, 1), 768))), "needs"),
    "a storage longer than its member": (
        ".pt", lambda: made.archive(with_tensor(tensor("0", (96, 8), (8, 1), 769))), "needs"),
    "a storage of 2 GB in a small file": (
        ".pt", lambda: made.archive(with_tensor(tensor("0", (2**29,), (1,), 2**29))), "needs"),
    "sizes that overflow": (
        ".pt", lambda: made.archive(with_tensor(tensor("0", (2**62, 2**62), (2**62, 1), 768))), "needs"),
    "a size below 0": (".pt", lambda: made.archive(with_tensor(tensor("0", (-1, 8), (8, 1), 768))), "_rebuild"),
    "a stride below 0": (".pt", lambda: made.archive(with_tensor(tensor("0", (96, 8), (-8, 1), 768, 760))), "_rebuild"),
    "a storage that leads out of the archive": (
        ".pt", lambda: made.archive(with_tensor(tensor("../../etc/passwd", (1,), (1,), 1))), "is missing"),
    "a storage that is missing": (".pt", lambda: made.archive(with_tensor(tensor("99", (1,), (1,), 1))), "is missing"),
    "a huge table of one number": (
        ".pt", lambda: made.archive(with_tensor(tensor("0", (2**20, 2**20), (0, 0), 768))), "the cell's shape"),
    "a member outside": (".pt", lambda: zipped({"model/data.pkl": b"}.", "../x": b""}), "leads out of the archive"),
    "a member from the root": (".pt", lambda: zipped({"model/data.pkl": b"}.", "/etc/x": b""}), "leads out"),
    "a member by backslashes": (".pt", lambda: zipped({"model/data.pkl": b"}.", "a\\..\\..\\x": b""}), "leads out"),
    "two pickles": (".pt", lambda: zipped({"a/data.pkl": b"}.", "b/data.pkl": b"}."}), "2 members called data.pkl"),
    "the same name twice": (".pt", lambda: made.archive(LSTM).replace(b"model/data/1", b"model/data/0"), "twice"),
    "compressed weights": (
        ".pt", lambda: zipped({f"m/{k}": bytes(v) for k, v in LSTM.items()}, zipfile.ZIP_DEFLATED), "is compressed"),
    "another compression": (
        ".pt", lambda: zipped({f"m/{k}": bytes(v) for k, v in LSTM.items()}, zipfile.ZIP_LZMA), "does not read"),
    "a member of 4 GB in a small file": (
        ".pt", lambda: with_field(made.archive(LSTM), 24, 2**32 - 2), "should have 4,294,967"),
    "a member that begins elsewhere": (".pt", lambda: with_field(made.archive(LSTM), 42, 7), "not where"),
    "a member that begins behind the end": (".pt", lambda: with_field(made.archive(LSTM), 42, 2**31), "the file has"),
    "a bomb": (
        ".pt", lambda: zipped({"model/data.pkl": bytes(100 * 2**20)}, zipfile.ZIP_DEFLATED), "more than the 67"),
    "a bare pickle": (".pt", lambda: b"\x80\2" + entries({"a": b"N"}) + STOP, "the format that PyTorch had before 1.6"),
    "a tar archive": (".pt", lambda: bytes(257) + b"ustar" + bytes(250), "the format that PyTorch had before 1.6"),
    "a page of HTML": (".pt", lambda: b"<!DOCTYPE html><html>404</html>", "not a file that torch.save wrote"),
    "a pointer of Git LFS": (".pt", lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "not a file"),
    "a lying shape": (".npz", lambda: zipped({"rnn.weight_ih_l0.npy": header("(99,)")}), "do not fit shape (99,)"),
    "a shape of 10 GB": (".npz", lambda: zipped({"a.npy": header("(2500000000,)")}), "do not fit shape"),
    "sizes that overflow in a header": (".npz", lambda: zipped({"a.npy": header(f"({2**62}, {2**62})")}), "do not fit"),
    "a size below 0 in a header": (".npz", lambda: zipped({"a.npy": header("(-1,)")}), "not an array"),
    "code in a header": (".npz", lambda: zipped({"a.npy": header("__import__('os').mkdir('x')")}), "not an array"),
    "a deep header": (".npz", lambda: zipped({"a.npy": header("(" * 4000 + ")" * 4000)}), "not an array"),
    "an array of objects": (
        ".npz", lambda: npz({**ARRAYS, "rnn.weight_hh_l0": np.array([[print] * 24] * 96)}), "object"),
    "an array of dates": (
        ".npz", lambda: npz({**ARRAYS, "rnn.weight_hh_l0": np.zeros((96, 24), "M8[s]")}), "datetime64"),
    "what is not an array": (".npz", lambda: zipped({"a.npy": header("(1,)"), "b.txt": b""}), "is not an array"),
    "a compressed bomb": (
        ".npz", lambda: zipped({"rnn.weight_ih_l0.npy": header("(1,)")[:-4] + bytes(2**20)}, zipfile.ZIP_DEFLATED),
        "do not fit shape"),
    "a compressed member that cannot be so long": (
        ".npz", lambda: with_field(zipped({"a.npy": header("(1,)")}, zipfile.ZIP_DEFLATED), 24, 2**30), "cannot have"),
    "a long header": (".safetensors", lambda: struct.pack("<Q", 2**40) + b"{}" + bytes(99), "its header alone"),
    "an array of 2 GB in a small file": (
        ".safetensors", lambda: safetensors(shape=[2**29], data_offsets=[0, 2**31]), "does not fit into the file"),
    "offsets beyond": (".safetensors", lambda: safetensors(data_offsets=[2**40, 2**40 + 4]), "does not fit"),
    "a dtype that is not known": (".safetensors", lambda: safetensors(dtype="F128"), "is not an array of"),
    "an empty file": (".pt", lambda: b"", "not a file that torch.save wrote"),
    "an empty archive": (".npz", lambda: zipped({}), "no recurrent layer"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_hostile_file_is_one_line(name: str, tmp_path: Path) -> None:
    suffix, content, reason = BAD[name]
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content())
    assert reason in refusal(path)


def test_a_link_in_an_archive(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("model/data/0")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model/data.pkl", b"}.")
        file.writestr(link, b"/etc/passwd")
    assert "is a link" in refusal(path)


def test_a_table_that_repeats_one_number_without_end_takes_no_memory(tmp_path: Path) -> None:
    table = {"emb.weight": tensor("0", (2**20, 2**20), (0, 0), 768)}
    path = made.write(tmp_path / "model.pt", made.torch_members(ARRAYS, table))
    (embedding,) = read(path).embeddings
    with pytest.raises(InputError, match="would take 4096"):
        _ = embedding.weight


@pytest.mark.parametrize("part", ["../secret.safetensors", "/etc/passwd", "a\\b.safetensors", "..", "C:x", ""])
def test_an_index_names_files_beside_it_alone(part: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.safetensors").write_bytes(CONTENT[".safetensors"])
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": dict.fromkeys(ARRAYS, part)}))
    assert "is not the name of a file beside it" in refusal(path)


def test_a_sharded_model_is_read(tmp_path: Path) -> None:
    names = list(ARRAYS)
    parts = {"one.safetensors": names[:3], "two.safetensors": names[3:]}
    for part, of in parts.items():
        (tmp_path / part).write_bytes(save({name: ARRAYS[name] for name in of}))
    path = tmp_path / "model.safetensors.index.json"
    places = {name: part for part, of in parts.items() for name in of}
    path.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    assert len(read_all(path)) == 2
    path.write_text(json.dumps({"weight_map": places | {"gone": "one.safetensors"}}))
    assert "'gone' is not in 'one.safetensors'" in refusal(path)
    path.write_text(json.dumps({"weight_map": places | {"gone": "three.safetensors"}}))
    assert "No such file" in refusal(path)
    for text_of in ("[]", "{}", '{"weight_map": 3}', "{", '{"weight_map": {"a": 3}}'):
        path.write_text(text_of)
        refusal(path)


def test_an_odd_name_in_a_file_cannot_reach_the_terminal(tmp_path: Path) -> None:
    path = made.write(
        tmp_path / "model.pt", made.torch_members({f"\x1b]0;x\x07{name}": a for name, a in ARRAYS.items()})
    )
    done = subprocess.run(
        [sys.executable, "-m", "rnnviz", "inspect", path], capture_output=True, env=peers.environment()
    )
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"LSTM" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the memory of a process is bounded on Linux")
def test_a_large_file_is_opened_within_bounds_and_a_claim_takes_no_memory(tmp_path: Path) -> None:
    small = tmp_path / "small.pt"
    small.write_bytes(CONTENT[".pt"])
    huge = {"emb.weight": tensor("9", (2**20, 512), (512, 1), 2**29)}
    members = made.torch_members(ARRAYS, huge)
    two, five = (made.write(tmp_path / f"{size}GB.pt", members | {"data/9": size * GIB}, crc=False) for size in (2, 5))
    head = json.loads(CONTENT[".safetensors"][8 : 8 + struct.unpack("<Q", CONTENT[".safetensors"][:8])[0]])
    numbers = CONTENT[".safetensors"][8 + struct.unpack("<Q", CONTENT[".safetensors"][:8])[0] :]
    head["emb.weight"] = {"dtype": "F32", "shape": [2**20, 512], "data_offsets": [len(numbers), len(numbers) + 2 * GIB]}
    written = json.dumps(head).encode()
    tensors = tmp_path / "2GB.safetensors"
    with tensors.open("wb") as file:
        file.write(struct.pack("<Q", len(written)) + written + numbers)
        file.truncate(8 + len(written) + len(numbers) + 2 * GIB)
    good = [two, five, tensors]
    bad = {
        "memo": made.write(tmp_path / "memo.pt", {"data.pkl": b"Nr\xff\xff\xff\x7f" * 2}),
        "claim": made.write(tmp_path / "claim.pt", {"data.pkl": b"\x8d" + struct.pack("<Q", 2**31) + b"x."}),
        "objects": made.write(tmp_path / "objects.pt", {"data.pkl": b"}" * 40_000_000 + STOP}),
        "hole": made.write(tmp_path / "hole.pt", {"data.pkl": 2 * GIB}, crc=False),
        "directory": tmp_path / "directory.pt",
        "header": tmp_path / "header.safetensors",
    }
    bad["directory"].write_bytes(b"PK\3\4")
    os.truncate(bad["directory"], 2 * GIB)
    with bad["directory"].open("ab") as file:
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 2 * GIB - 9, 5, 0))
    bad["header"].write_bytes(struct.pack("<Q", 2 * GIB) + b"{")
    os.truncate(bad["header"], 2 * GIB + 100)
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("bounded.py"), "900", small, *good, *bad.values()],
        capture_output=True, text=True, env=peers.environment(OPENBLAS_NUM_THREADS="1"), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(found) == len(good) + len(bad)
    for one in found[: len(good)]:
        assert (one["code"], one["err"], one["reason"]) == (0, "", "")
        assert sorted(one["layers"][0][1:]) == [96, 96, 768, 2304]
    for name, one in zip(bad, found[len(good) :], strict=True):
        assert one["code"] == 2, name
        assert one["err"].count("\n") == 1, name
        assert "not enough memory" not in one["err"], name
        assert one["reason"], name
