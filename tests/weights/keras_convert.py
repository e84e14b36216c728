"""rnnviz convert between PyTorch, Keras and ONNX: each framework opens the new file with its own functions and computes
what the network computed in the other. There and back, every number is the same."""

from __future__ import annotations

import itertools
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "watching"))

import keras
import onnx
import onnxruntime
import torch
from checks import run
from keras import layers
from safetensors.torch import load_file, save_file

from rnnviz.weights.convert import convert
from rnnviz.weights.reading import read

torch.manual_seed(0)
RNG = np.random.default_rng(0)
T, B, I, H = 6, 2, 3, 4  # noqa: E741
X = RNG.standard_normal((T, B, I)).astype(np.float32)
CLASSES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
FOLDER = Path(tempfile.mkdtemp())


class Net(torch.nn.Module):
    def __init__(self, cell: str, embedded: bool = False, **options: Any) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(9, I) if embedded else torch.nn.Identity()
        self.rnn = CLASSES[cell](I, H, **options)
        self.out = torch.nn.Linear(H * (2 if options.get("bidirectional") else 1), 2)
        for tensor in self.parameters():
            torch.nn.init.normal_(tensor, 0, 0.4)

    def forward(self, x: Any) -> Any:
        return self.out(self.rnn(self.words(x))[0])


def converted(given: Path, suffix: str, activation: str | None = None) -> Path:
    new = FOLDER / f"{given.name.partition('.')[0]}_{suffix.replace('.', '')}{suffix}"
    convert(str(given), str(new), activation=activation)
    return new


def of_onnx(path: Path, x: Any) -> Any:
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return onnxruntime.InferenceSession(path).run(None, {"x": x})[0]


def of_keras(path: Path, x: Any) -> Any:
    """Of a batch that comes first."""
    model = keras.saving.load_model(path)
    return keras.ops.convert_to_numpy(model(x.swapaxes(0, 1))).swapaxes(0, 1)


def check_from_pytorch_to_each_and_back() -> None:
    for n, (cell, levels, both, bias) in enumerate(itertools.product(CLASSES, (1, 2), (False, True), (False, True))):
        relu = cell == "rnn" and levels == 2
        options: dict[str, Any] = {"nonlinearity": "relu"} if relu else {}
        activation = "relu" if relu else None
        net = Net(cell, embedded=bool(n % 2), num_layers=levels, bidirectional=both, bias=bias, **options)
        given = FOLDER / f"from{n}.safetensors"
        save_file(net.state_dict(), given)
        x = RNG.integers(0, 9, (T, B)) if n % 2 else X
        wanted = net(torch.tensor(x)).detach().numpy()
        as_onnx, as_keras = (converted(given, suffix, activation) for suffix in (".onnx", ".keras"))
        np.testing.assert_allclose(of_onnx(as_onnx, x), wanted, atol=2e-6)
        np.testing.assert_allclose(of_keras(as_keras, x), wanted, atol=2e-6)
        for new in (as_onnx, as_keras):
            back = load_file(converted(new, ".safetensors"))
            net.load_state_dict(back)
            np.testing.assert_allclose(net(torch.tensor(x)).detach().numpy(), wanted, atol=2e-6)
            for name, tensor in load_file(given).items():
                if new is as_onnx or cell == "gru" or "bias_" not in name:
                    assert tensor.numpy().tobytes() == back[name].numpy().tobytes(), (name, new)
            if new is as_keras and cell != "gru" and bias:
                assert not back["rnn.bias_hh_l0"].any()


def check_weights_alone_go_into_the_model_that_is_named() -> None:
    for cell, both in itertools.product(CLASSES, (False, True)):
        net = Net(cell, embedded=both, num_layers=2, bidirectional=both, bias=both)
        given = FOLDER / f"alone_{cell}{both}.pt"
        torch.save(net.state_dict(), given)
        x = RNG.integers(0, 9, (T, B)) if both else X
        new = FOLDER / f"alone_{cell}{both}.weights.h5"
        note = convert(str(given), str(new)).notes[-1]
        model = eval(note.removeprefix("Load it into ").removesuffix("."), {"keras": keras, "layers": layers})
        model.load_weights(new)
        ours = keras.ops.convert_to_numpy(model(x.swapaxes(0, 1))).swapaxes(0, 1)
        np.testing.assert_allclose(ours, net(torch.tensor(x)).detach().numpy(), atol=2e-6)


def check_from_keras_to_onnx_and_back() -> None:
    for cell, activation in (
        (layers.SimpleRNN, "sigmoid"),
        (layers.SimpleRNN, "tanh"),
        (layers.LSTM, "tanh"),
        (layers.GRU, "tanh"),
    ):
        inner = [cell(H, activation=activation, return_sequences=True) for _ in range(2)]
        model = keras.Sequential([layers.Input((T, I)), *inner, layers.Dense(2)])
        model.set_weights([RNG.normal(0, 0.4, array.shape) for array in model.get_weights()])
        given = FOLDER / f"{cell.__name__}{activation}.keras"
        model.save(given)
        wanted = of_keras(given, X)
        as_onnx = converted(given, ".onnx")
        np.testing.assert_allclose(of_onnx(as_onnx, X), wanted, atol=2e-6)
        back = keras.saving.load_model(converted(as_onnx, ".keras"))
        for one, other in zip(model.get_weights(), back.get_weights(), strict=True):
            assert one.tobytes() == other.tobytes()
        if cell is not layers.SimpleRNN:
            as_names = load_file(converted(given, ".safetensors"))
            names = {name.partition(".")[0] for name in as_names if "weight_ih" in name}
            module = CLASSES[cell.__name__.lower()](I, H, num_layers=2)
            module.load_state_dict(
                {n.partition(".")[2]: v for n, v in as_names.items() if n.partition(".")[0] in names}
            )
            states = keras.ops.convert_to_numpy(keras.Model(model.inputs, inner[1].output)(X.swapaxes(0, 1)))
            np.testing.assert_allclose(module(torch.tensor(X))[0].detach().numpy().swapaxes(0, 1), states, atol=2e-6)


def check_double_and_half_precision() -> None:
    net = Net("gru", num_layers=2).double()
    given = FOLDER / "double.safetensors"
    save_file(net.state_dict(), given)
    assert converted(given, ".keras").exists()
    wanted = net(torch.tensor(X, dtype=torch.float64)).detach().numpy()
    np.testing.assert_allclose(of_keras(FOLDER / "double_keras.keras", X.astype(np.float64)), wanted, atol=2e-6)
    back = load_file(converted(FOLDER / "double_keras.keras", ".safetensors"))
    assert all(tensor.numpy().tobytes() == back[name].numpy().tobytes() for name, tensor in net.state_dict().items())
    assert "rounded to float32" in " ".join(convert(str(given), str(FOLDER / "double.onnx")).notes)
    np.testing.assert_allclose(of_onnx(FOLDER / "double.onnx", X), wanted, atol=2e-6)
    save_file(net.half().state_dict(), FOLDER / "half.safetensors")
    assert "float16 become float32" in convert(str(FOLDER / "half.safetensors"), str(FOLDER / "half.keras")).notes[0]
    for name, array in read(FOLDER / "half.keras").layer().weights.items():
        np.testing.assert_array_equal(array, getattr(net.rnn, name).detach().numpy())


run(globals())
