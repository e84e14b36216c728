"""What PyTorch 2.13 exports with torch.onnx.export(…, dynamo=True, external_data=True), and what its network gives.

exported/newer.onnx: GRU(3, 4, num_layers=2, bidirectional=True, batch_first=True) and Linear(8, 2), of any sizes;
newer.npz: x (B, T, 3) and y (B, T, 2). exported/loop.onnx: RNN(3, 4), which this exporter writes out step by step.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rnnviz.weights import read
from rnnviz.weights.states import states

FOLDER = Path(__file__).parent / "exported"


def test_the_newer_exporter_and_numbers_beside_the_file():
    file, wanted = read(FOLDER / "newer.onnx"), np.load(FOLDER / "newer.npz")
    layer = file.layer()
    assert (layer.cell, layer.levels, len(layer.directions), layer.notes) == ("gru", 2, 2, ())
    readout = file.readout_of(layer)
    assert readout is not None
    assert readout.name == readout.reads.replace(layer.name, "out")
    y = states(layer, wanted["x"].swapaxes(0, 1)) @ readout.weight.T + readout.bias
    np.testing.assert_allclose(y.swapaxes(0, 1), wanted["y"], atol=1e-6)


def test_a_network_that_is_written_out_step_by_step_has_no_layer_and_the_note_has_the_way_out():
    file = read(FOLDER / "loop.onnx")
    assert file.layers == ()
    assert "dynamo=False" in file.notes[0]
