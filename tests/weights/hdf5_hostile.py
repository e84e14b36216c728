"""HDF5 files that h5py writes to lead a reader elsewhere, or to make it take memory: each is refused in one line. And
ones that are written in other ways than Keras' own, which are read."""

from __future__ import annotations

import sys
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "watching"))

from checks import run

from rnnviz.errors import InputError
from rnnviz.weights.reading import read
from rnnviz.weights.source import Source

FOLDER = Path(tempfile.mkdtemp())
ARRAYS = {"0": (3, 16), "1": (4, 16), "2": (16,)}
PLACE = "layers/lstm/cell/vars"


def base(file: Any) -> None:
    for name, shape in ARRAYS.items():
        file[f"{PLACE}/{name}"] = np.random.default_rng(0).normal(size=shape).astype(np.float32)


def reason_of(name: str, change: Callable[[Any], None], **options: Any) -> str:
    """Why the file cannot be read; its memory stays small."""
    path = FOLDER / f"{name}.weights.h5"
    with h5py.File(path, "w", **options) as file:
        base(file)
        change(file)
    archive = FOLDER / f"{name}.keras"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("metadata.json", "{}")
        packed.writestr("config.json", "{}")
        packed.write(path, "model.weights.h5")
    reasons = []
    for one in (path, archive):
        tracemalloc.start()
        try:
            read(one).layer().weights["weight_ih_l0"].sum()
        except InputError as error:
            text = str(error)
        else:
            text = ""
        assert tracemalloc.get_traced_memory()[1] < 30e6
        tracemalloc.stop()
        assert not text or text.startswith(str(one))
        assert "\n" not in text
        reasons.append(text.removeprefix(str(one)))
    assert len(set(reasons)) == 1
    return reasons[0]


def replaced(file: Any, **options: Any) -> None:
    del file[f"{PLACE}/0"]
    file.create_dataset(f"{PLACE}/0", **options)


def external(file: Any) -> None:
    replaced(file, shape=(3, 16), dtype="f4", external=[("/etc/passwd", 0, 192)])


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((3, 16), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3, 16))
    del file[f"{PLACE}/0"]
    file.create_virtual_dataset(f"{PLACE}/0", layout)


def loop(file: Any) -> None:
    file["layers/lstm/again"] = file["layers"]


def check_what_leads_elsewhere_is_refused() -> None:
    for latest in ({}, {"libver": "latest"}):
        soft = reason_of("soft", lambda f: f.__setitem__("layers/soft", h5py.SoftLink("/layers/lstm")), **latest)
        far = reason_of("far", lambda f: f.__setitem__("layers/far", h5py.ExternalLink("/etc/passwd", "/x")), **latest)
        assert "is a link" in soft, soft
        assert "is a link" in far, far
        assert "is stored in another file" in reason_of("external", external, **latest)
        assert "virtual array" in reason_of("virtual", virtual, **latest)
        assert "contains itself" in reason_of("loop", loop, **latest)


def check_what_is_not_stored_is_refused() -> None:
    huge = {"shape": (1 << 20, 1 << 20), "dtype": "f4"}
    assert "0 are stored" in reason_of("none", lambda f: replaced(f, **huge))
    for name, options in {
        "chunks": {"chunks": (1, 1 << 10)},
        "zip": {"chunks": (1, 1 << 10), "compression": "gzip"},
    }.items():
        assert "in chunks" in reason_of(name, lambda f, options=options: replaced(f, **huge, **options))


def check_files_of_other_writers_are_read() -> None:
    for n, options in enumerate(({}, {"libver": "latest"}, {"libver": ("earliest", "v110")}, {"track_order": True})):
        assert reason_of(f"other{n}", lambda f: None, **options) == ""
        kernel = read(FOLDER / f"other{n}.weights.h5").layer().weights["weight_ih_l0"]
        np.testing.assert_array_equal(kernel.T, np.random.default_rng(0).normal(size=(3, 16)).astype(np.float32))

    def many(file: Any) -> None:
        for n in range(300):
            group = file.create_group(f"layers/dense_{n}/vars")
            group["0"] = np.full((4, 2), n, ">f4" if n % 2 else "<f8")
            group.attrs["name"] = "ä" * (n + 1)

    assert reason_of("many", many) == ""
    linears = {one.name: one for one in read(FOLDER / "many.weights.h5").linears}
    assert len(linears) == 300
    assert [linears["ä" * (n + 1)].weight[0, 0] for n in range(300)] == list(range(300))
    assert Source(FOLDER / "many.weights.h5").size > 0


run(globals())
