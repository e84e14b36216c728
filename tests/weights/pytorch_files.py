"""Writes files of weights with PyTorch, and what its layers give for an input; run in a Python that has PyTorch.

python pytorch_files.py FOLDER      # FOLDER/*.pt, *.safetensors, *.npz and expected.npz, about.json
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

INPUTS, H, OUT, V, T, B = 2, 3, 4, 7, 5, 2
KINDS = {"tanh": (nn.RNN, {"nonlinearity": "tanh"}), "relu": (nn.RNN, {"nonlinearity": "relu"}),
         "lstm": (nn.LSTM, {}), "gru": (nn.GRU, {})}  # fmt: skip
DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}
folder = Path(sys.argv[1])
expected: dict[str, np.ndarray] = {}
about: dict[str, dict] = {}


class Net(nn.Module):
    def __init__(self, kind: str, layers: int, both: bool, bias: bool) -> None:
        super().__init__()
        layer, options = KINDS[kind]
        self.emb = nn.Embedding(V, INPUTS)
        self.body = nn.ModuleDict(
            {"rnn": layer(INPUTS, H, layers, bias=bias, bidirectional=both, batch_first=True, dropout=0.2, **options)}
        )
        self.norm = nn.LayerNorm(H)
        self.fc = nn.Linear(H * (1 + both), OUT)


class Compiled(nn.Module):
    """As torch.compile and DataParallel wrap a model."""

    def __init__(self, name: str, inside: nn.Module) -> None:
        super().__init__()
        self.add_module(name, inside)


def one_storage(state: dict) -> dict:
    """As a layer on a graphics card keeps its weights: one storage, every array a view of it."""
    flat = torch.cat([torch.zeros(3, dtype=next(iter(state.values())).dtype), *(v.reshape(-1) for v in state.values())])
    found, at = {}, 3
    for name, value in state.items():
        found[name] = flat[at : at + value.numel()].view(value.shape)
        at += value.numel()
    return found


def transposed(state: dict) -> dict:
    return {name: value.t().contiguous().t() if value.ndim == 2 else value for name, value in state.items()}


def strided(state: dict) -> dict:
    return {name: torch.stack([value, value + 1], -1)[..., 0] for name, value in state.items()}


STYLES = {
    "plain": lambda net, path: torch.save(net.state_dict(), path),
    "whole": lambda net, path: torch.save(net, path),
    "one_storage": lambda net, path: torch.save(one_storage(net.state_dict()), path),
    "transposed": lambda net, path: torch.save(transposed(net.state_dict()), path),
    "strided": lambda net, path: torch.save(strided(net.state_dict()), path),
    "compiled": lambda net, path: torch.save(Compiled("_orig_mod", net).state_dict(), path),
    "parallel": lambda net, path: torch.save(Compiled("module", Compiled("_orig_mod", net)).state_dict(), path),
    "parallel_whole": lambda net, path: torch.save(nn.DataParallel(net), path),
    "checkpoint": lambda net, path: torch.save(
        {"epoch": 3, "model_state_dict": net.state_dict(), "optimizer_state_dict": trained(net).state_dict(),
         "args": argparse.Namespace(path=Path("x")), "best": torch.tensor(0.5), "vocabulary": ["a", "b"]}, path,
    ),
    "lightning": lambda net, path: torch.save(
        {"pytorch-lightning_version": "2.5", "state_dict": net.state_dict(), "callbacks": {}, "loops": {"a": {}},
         "optimizer_states": [trained(net).state_dict()], "hparams": {"lr": 0.1}}, path,
    ),
    "no_checksums": lambda net, path: without_checksums(net.state_dict(), path),
    "subclass": lambda net, path: torch.save(
        {name: nn.Parameter(value) for name, value in net.state_dict().items()}, path
    ),
    "safetensors": lambda net, path: save_safetensors(net.state_dict(), path),
    "npz": lambda net, path: np.savez(path, **{k: v.float().numpy() for k, v in net.state_dict().items()}),
    "npz_small": lambda net, path: np.savez_compressed(
        path, **{k: np.asfortranarray(v.double().numpy()) for k, v in net.state_dict().items()}
    ),
}  # fmt: skip


def trained(net: nn.Module) -> torch.optim.Optimizer:
    optimizer = torch.optim.Adam(net.parameters(), lr=0.0)
    sum(p.float().sum() for p in net.parameters()).backward()
    optimizer.step()
    return optimizer


def without_checksums(state: dict, path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    torch.save(state, path)
    torch.serialization.set_crc32_options(True)


def save_safetensors(state: dict, path: Path) -> None:
    from safetensors.torch import save_file

    save_file(state, path, {"format": "pt"})


def suffix(style: str) -> str:
    return {"safetensors": ".safetensors", "npz": ".npz", "npz_small": ".npz", "lightning": ".ckpt"}.get(style, ".pt")


def outputs_of(layer: nn.Module, x: torch.Tensor) -> np.ndarray:
    """(T, B, D*H) in the precision in which rnnviz hands the weights out."""
    exact = next(layer.parameters()).dtype == torch.float64
    layer = layer.double() if exact else layer.float()
    with torch.no_grad():
        return layer.eval()((x.double() if exact else x.float()).transpose(0, 1))[0].transpose(0, 1).numpy()


def main() -> None:
    torch.manual_seed(0)
    x = torch.randn(T, B, INPUTS, dtype=torch.float64)
    expected["x"] = x.numpy()
    shapes = itertools.product(KINDS, (1, 2), (False, True), (True, False), DTYPES)
    for (kind, layers, both, bias, dtype), style in zip(shapes, itertools.cycle(STYLES)):
        net = Net(kind, layers, both, bias).to(DTYPES[dtype])
        name = f"{kind}_{layers}_{'both_' * both}{'bias_' * bias}{dtype}_{style}{suffix(style)}"
        STYLES[style](net, folder / name)
        expected[name] = outputs_of(net.body["rnn"], x)
        about[name] = {"kind": kind, "layers": layers, "both": both, "bias": bias, "dtype": dtype, "style": style}
    cells = {
        "cell": nn.LSTMCell(INPUTS, H),
        "cell_relu": nn.RNNCell(INPUTS, H, nonlinearity="relu"),
        "cell_gru": nn.GRUCell(INPUTS, H),
    }
    for name, cell in cells.items():
        torch.save(nn.ModuleDict({name: cell}), folder / f"{name}.pt")
        state, steps = None, []
        with torch.no_grad():
            for row in x.float():
                state = cell(row, state)
                steps.append(state[0] if isinstance(state, tuple) else state)
        expected[f"{name}.pt"] = torch.stack(steps).numpy()
    odd()
    np.savez(folder / "expected.npz", **expected)
    (folder / "about.json").write_text(json.dumps(about))


def odd() -> None:
    """Files that are refused, or of which a part is."""
    net = nn.ModuleDict({"good": nn.GRU(INPUTS, H), "projected": nn.LSTM(INPUTS, 5, proj_size=2)})
    torch.save(net.state_dict(), folder / "odd_projected.pt")
    torch.save(net, folder / "odd_projected_whole.pt")
    weighted = nn.utils.parametrizations.weight_norm(nn.GRU(INPUTS, H), "weight_hh_l0")
    torch.save(nn.ModuleDict({"rnn": weighted}).state_dict(), folder / "odd_weight_norm.pt")
    torch.save(net.state_dict(), folder / "odd_legacy.pt", _use_new_zipfile_serialization=False)
    gru = {f"rnn.{name}": value for name, value in nn.GRU(INPUTS, H).state_dict().items()}
    quantized = {name: torch.quantize_per_tensor(value, 0.1, 0, torch.qint8) for name, value in gru.items()}
    torch.save(quantized, folder / "odd_quantized.pt")
    torch.save({name: value.to(torch.float8_e5m2) for name, value in gru.items()}, folder / "odd_float8.pt")
    torch.save(nn.Linear(INPUTS, H).state_dict(), folder / "odd_linear.pt")
    torch.jit.save(torch.jit.script(nn.Sequential(nn.LSTM(INPUTS, H))), folder / "odd_script.pt")


if __name__ == "__main__":
    main()
