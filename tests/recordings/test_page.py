"""docs/recordings.md: its examples run, and its files are as it says."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from rnnviz.nn.cell_table import CELLS
from rnnviz.recordings import passes, store
from rnnviz.recordings.recorder import Recorder
from rnnviz.recordings.recording import Recording
from tests import peers
from tests.recordings.records import random_record, replaced

PAGE = (Path(__file__).parents[2] / "docs" / "recordings.md").read_text(encoding="utf-8")
WRITE, READ = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_example_in_jax_records_what_agrees(tmp_path):
    script = tmp_path / "example.py"
    script.write_text(f"import os\nos.chdir({str(tmp_path)!r})\n{WRITE}\n{READ}")
    out = peers.run(script, needs=("jax", "safetensors"), JAX_PLATFORMS="cpu")
    recording = Recording.open(tmp_path / "runs" / "jax")
    assert recording.steps == tuple(range(0, 200, 20))
    assert all(record.is_proved("rnn") and record.agreement("rnn") < 1e-5 for record in recording)
    assert recording[-1].loss < recording[0].loss
    assert "(30, 1, 3)" in out
    trace = recording[-1].trace("rnn", sample=3)
    assert trace.loss_steps == (30,)
    assert trace.check() < 1e-8


def test_the_example_has_about_15_lines_of_its_own():
    """The rest are sizes, weights and data."""
    code = [
        line for line in WRITE.splitlines() if line.strip() and not re.match(r"import|T, B|draw|rnn =|x =|target", line)
    ]
    assert len(code) <= 18


def test_the_page_has_every_key_and_array(tmp_path):
    layer = random_record(directions=2, states=True, last=True, lengths=[1, 2, 5])
    layer = replaced(layer, grads=passes.weight_gradients(layer))
    with Recorder(tmp_path / "run") as recorder:
        recorder.add(step=20, loss=np.nan, layers={"lstm": layer})
    (path,) = (tmp_path / "run").glob("*.safetensors")
    assert re.fullmatch(r"0{10}20-[0-9a-f]{8}\.safetensors", path.name)
    content = path.read_bytes()
    head = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
    about = json.loads(head.pop("__metadata__")[store.KEY])
    (of_layer,) = about["layers"]
    documented = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert documented == set(about) | set(of_layer)
    arrays = set(re.findall(r"`n\.(\w+)`", PAGE)) | {
        f"{group}.{name}" for group in ("weights", "grads") for name in layer.weights
    }
    assert {name.removeprefix("0.") for name in head} == arrays
    assert about["loss"] == "nan"
    assert (
        json.loads((tmp_path / "run" / "recording.json").read_text()).keys()
        == json.loads(re.search(r'`(\{"version".*?\})`', PAGE)[1]).keys()
    )
    assert all(f"`{name}`" in PAGE for name in CELLS)
    assert f"to {passes.PROVED['float32']:.0e}, or to {passes.PROVED['float64']:.0e}".replace("e-0", "e-") in PAGE


@pytest.mark.parametrize("name", re.findall(r"^runs/jax/(\S+\.safetensors)$", PAGE, re.MULTILINE))
def test_names_on_the_page_are_those_of_records(name):
    assert store.step_of(name) is not None
