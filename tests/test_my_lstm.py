"""docs/my-lstm-does-not-learn.md: its code runs as it is written, and does what the page says."""

import re
from pathlib import Path

import pytest

from rnnviz.recordings.recording import Recording
from tests import peers

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "my-lstm-does-not-learn.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
#: What a reader has before the first line: ten steps, and an answer that is the input four steps before the end.
BEFORE = """
import os
os.environ["KERAS_BACKEND"] = "torch"
import numpy as np
values = np.random.default_rng(0).standard_normal((32, 10, 2)).astype("float32")
answers, labels = values[:, 6, :1], np.arange(20) % 4
"""
PYTORCH = """
import torch
torch.manual_seed(0)
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.readout = torch.nn.LSTM(2, 8, batch_first=True), torch.nn.Linear(8, 1)
    def forward(self, x):
        return self.readout(self.rnn(x)[0][:, -1])
x, y, lengths = torch.tensor(values), torch.tensor(answers), torch.full((32,), 10)
model, criterion = Model(), torch.nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), 0.01)
"""
KERAS = """
import keras
keras.utils.set_random_seed(0)
x, y = values, answers
model = keras.Sequential([keras.Input((10, 2)), keras.layers.LSTM(8), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.01), "mse")
"""


def script(before: str, framework: str, after: str) -> str:
    """The blocks of a framework in their order. after: what is printed before the last one trains further."""
    own = [block for block in BLOCKS if block.startswith(f"# {framework}")]
    return "\n".join((BEFORE, before, *own[:-1], after, own[-1]))


def test_each_block_says_whose_it_is() -> None:
    assert len(BLOCKS) > 10
    assert all(block.startswith(("# PyTorch", "# Keras")) for block in BLOCKS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("framework", "before", "after"),
    [("PyTorch", PYTORCH, "print('last', bool((last == h[:, -1]).all()), model.rnn.bias_ih_l0[8:16].tolist())"),
     ("Keras", KERAS, "print('last', masked(x).shape == (32, 1), list(map(float, bias[8:16])))")],
    ids=["PyTorch", "Keras"],
)  # fmt: skip
def test_the_code_runs_and_ten_sequences_are_learned_by_heart(
    framework: str, before: str, after: str, tmp_path: Path
) -> None:
    file = tmp_path / "checklist.py"
    file.write_text(f"import os\nos.chdir({str(tmp_path)!r})\n{script(before, framework, after)}", encoding="utf-8")
    printed = peers.run(file, needs=("torch", "keras") if framework == "Keras" else ("torch",))
    figures = dict(re.findall(r"^(baseline|baseline of classes|ten sequences) ([\d.e-]+)", printed, re.MULTILINE))
    assert float(figures["baseline"]) == pytest.approx(1, abs=0.5)
    assert float(figures["ten sequences"]) < 0.1 * float(figures["baseline"])
    assert f"last True {[3.0] * 8}" in printed
    if framework == "Keras":
        assert float(figures["baseline of classes"]) == pytest.approx(1.386, abs=1e-3)
    else:
        reach = [float(v) for v in re.findall(r"reach \[(.*)\]", printed)[0].split(",")]
        assert max(reach) == 1.0
        assert len(reach) == 10
    assert len(Recording.open(tmp_path / "runs" / "lstm")) > 0
