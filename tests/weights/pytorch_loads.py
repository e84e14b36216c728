"""Loads FOLDER/model.safetensors with PyTorch, strictly, and compares its outputs with ours, in FOLDER/pair.npz."""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

folder = Path(sys.argv[1])
net = torch.nn.ModuleDict({"rnn": torch.nn.LSTM(2, 3, 2), "readout": torch.nn.Linear(3, 1)})
net.load_state_dict(load_file(folder / "model.safetensors"))
pair = np.load(folder / "pair.npz")
with torch.no_grad():
    y = net["readout"](net["rnn"](torch.from_numpy(pair["x"]))[0]).numpy()
assert np.abs(y - pair["y"]).max() < 1e-6
