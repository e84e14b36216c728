"""Arrays as other libraries hand them out: taken, or refused in one line that names the array."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.nn import Data, Model

MODEL = Model.create(cell="lstm", input_size=2, hidden_size=3, output_size=2)
X, Y, H = np.ones((4, 1, 2)), np.zeros((4, 1, 2)), np.zeros((1, 1, 3))


class Tensor:
    """What NumPy sees of a tensor of PyTorch whose gradient is wanted, or that lies on a GPU."""

    dtype = "torch.float64"

    def __init__(self, array: np.ndarray, error: Exception | None) -> None:
        self.array, self.error = array, error

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        if self.error:
            raise self.error
        return self.array

    def detach(self) -> Tensor:
        return Tensor(self.array, self.error if isinstance(self.error, TypeError) else None)

    def cpu(self) -> Tensor:
        return Tensor(self.array, None if isinstance(self.error, TypeError) else self.error)

    def resolve_neg(self) -> Tensor:
        return self


WANTED = RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
ON_GPU = TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first.")


class Broken:
    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        raise NotImplementedError("Cannot copy out of meta tensor; no data!\nsecond line")


def calls(wrap):  # type: ignore[no-untyped-def]
    """Every place that takes arrays: the name it must tell, and a call with that one array wrapped."""
    params = {name: wrap(array) for name, array in MODEL.params.items()}
    return {
        "params": lambda: MODEL.with_params(params),
        "x": lambda: MODEL.trace(wrap(X), Y),
        "targets": lambda: MODEL.trace(X, wrap(Y)),
        "h0": lambda: MODEL.trace(X, Y, h0=wrap(H)),
        "c0": lambda: MODEL.trace(X, Y, c0=wrap(H)),
        "loss_at": lambda: MODEL.trace(X, Y, loss_at=wrap(np.ones((4, 1), bool))),
        "forward x": lambda: MODEL.forward(wrap(X)),
        "data x": lambda: Data(wrap(X), Y),
        "data targets": lambda: Data(X, wrap(Y)),
        "data loss_mask": lambda: Data(X, Y, wrap(np.ones((4, 1), bool))),
    }


@pytest.mark.parametrize("error", [WANTED, ON_GPU], ids=["requires grad", "on a GPU"])
@pytest.mark.parametrize("name", list(calls(list)))
def test_a_tensor_is_taken_by_detaching_it(name: str, error: Exception) -> None:
    calls(lambda array: Tensor(array, error))[name]()


@pytest.mark.parametrize("name", list(calls(list)))
def test_what_cannot_be_an_array_is_named_in_one_line(name: str) -> None:
    masked = [np.ma.masked_array(X, mask=np.arange(8).reshape(X.shape) == 1)] if name in ("x", "data x") else []
    for bad in (Broken(), [Tensor(X, WANTED)], object(), "text", [[1.0], [1.0, 2.0]], {"a": 1}, iter([1]), *masked):
        with pytest.raises(InputError) as caught:
            calls(lambda array, bad=bad: bad)[name]()
        told = str(caught.value)
        assert told.startswith(name.removeprefix("forward ").removeprefix("data "))
        assert "\n" not in told
        assert len(told) < 200


def test_lists_and_half_precision_are_taken() -> None:
    calls(np.ndarray.tolist)["x"]()
    half = MODEL.trace(X.astype(np.float16), Y)
    assert half.x.dtype == np.float64
    np.testing.assert_array_equal(half.x, X)


PEERS = """
import numpy as np, torch, keras, rnnviz
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.readout = torch.nn.LSTM(2, 3), torch.nn.Linear(3, 2)
net, model = Net(), rnnviz.Model.create(cell="lstm", input_size=2, hidden_size=3, output_size=2)
x, y, h = torch.ones(4, 1, 2), torch.zeros(4, 1, 2), torch.zeros(1, 1, 3)
def wanted(tensor): return tensor.clone().requires_grad_()
taken = model.with_params(dict(net.named_parameters()))
assert np.array_equal(taken.params["readout.weight"], net.readout.weight.detach().numpy())
model.with_params(net.state_dict())
model.trace(wanted(x), wanted(y), h0=wanted(h), c0=wanted(h))
for kind in (torch.bfloat16, torch.float16):
    model.with_params(net.to(kind).state_dict())
    model.trace(x.to(kind), y, h0=wanted(h.to(kind)))
variable = keras.Variable(np.ones((4, 1, 2)))
model.trace(variable, y)
rnnviz.nn.Data(wanted(x), keras.Variable(np.zeros((4, 1, 2))))
try:
    model.trace(torch.empty(4, 1, 2, device="meta"), y)
except rnnviz.InputError as error:
    assert str(error).startswith("x: "), error
else:
    raise AssertionError("a tensor without data was taken")
print("taken")
"""


@pytest.mark.slow
def test_real_tensors_and_variables() -> None:
    """With the Python in RNNVIZ_PEERS, else this one."""
    python = os.environ.get("RNNVIZ_PEERS", sys.executable)
    there = {**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": os.getcwd()}
    if subprocess.run([python, "-c", "import torch, keras"], capture_output=True, env=there).returncode:
        pytest.skip(f"PyTorch and Keras are not installed for {python}; RNNVIZ_PEERS names a Python that has them")
    done = subprocess.run([python, "-c", PEERS], capture_output=True, text=True, env=there)
    assert done.stdout == "taken\n", done.stderr
