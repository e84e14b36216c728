"""README says what is so: its keys are those of the app, its examples run, its pictures exist."""

import re
from pathlib import Path

import pytest

from rnnviz.cli.main import main
from rnnviz.experiment.experiment import Experiment
from rnnviz.recordings.recording import Recording
from rnnviz.tui.keys import ACTIONS, face
from rnnviz.tui.voice import VOICE
from tests import peers, recordings_here

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def key_table() -> str:
    rows = ["| | key | what it does |", "|---|---|---|"]
    group = ""
    for action in ACTIONS:
        keys = " ".join(f"`{face(key)}`" for key in action.keys)
        rows.append(f"| {'' if action.group == group else action.group} | {keys} | {VOICE.say(action.help)} |")
        group = action.group
    return "\n".join(rows) + "\n"


def with_key_table(text: str) -> str:
    return re.sub(r"^\| \| key \|.*?\n(?=\n)", lambda _: key_table(), text, count=1, flags=re.MULTILINE | re.DOTALL)


def test_the_keys_are_those_of_the_app():
    assert key_table() in README, "the keys have changed: run `python -m tests.test_readme`"


#: By a word of the example: the modules it needs, and what a reader has before it.
OF_FRAMEWORKS = {
    "rnnviz.watch": (
        ("torch",),
        """
import torch
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.readout = torch.nn.LSTM(2, 8, batch_first=True), torch.nn.Linear(8, 1)
    def forward(self, x):
        return self.readout(self.rnn(x)[0][:, -1])
model, criterion = Model(), torch.nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), 0.1)
loader = [(torch.randn(4, 10, 2), torch.randn(4, 1)) for _ in range(3)]
""",
    ),
    "rnnviz.keras": (
        ("torch", "keras"),
        """
import os
os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
x, y = np.random.randn(32, 10, 2), np.random.randn(32, 1)
model = keras.Sequential([keras.Input((10, 2)), keras.layers.LSTM(8), keras.layers.Dense(1)])
model.compile("sgd", "mse")
""",
    ),
    "rnnviz.lightning": (("torch", "lightning"), "import lightning\n"),
}


@pytest.mark.parametrize("code", [code for code in blocks("python") if not any(word in code for word in OF_FRAMEWORKS)])
def test_the_python_examples_run(code):
    exec(code, {})


@pytest.mark.slow
@pytest.mark.parametrize("word", OF_FRAMEWORKS)
def test_the_examples_for_a_framework_run(word, tmp_path):
    needs, before = OF_FRAMEWORKS[word]
    (code,) = (code for code in blocks("python") if word in code)
    script = tmp_path / "example.py"
    script.write_text(f"import os\nos.chdir({str(tmp_path)!r})\n{before}\n{code}")
    peers.run(script, needs=needs)
    if word != "rnnviz.lightning":  # that one only makes a trainer
        assert len(Recording.open(tmp_path / "runs" / "lstm")) > 0


@pytest.mark.parametrize("text", blocks("toml"))
def test_the_experiments_are_experiments(text):
    assert Experiment.from_toml(text).changes()


SHELL = "".join(blocks("sh")).splitlines()


@pytest.mark.parametrize("line", [line for line in SHELL if "--json" in line])
def test_the_commands_for_scripts_run(line, capsys, tmp_path, monkeypatch):
    command = line.partition("#")[0].split()
    monkeypatch.chdir(tmp_path)
    if "runs/lstm" in command:
        recordings_here.made(tmp_path / "runs" / "lstm")
    if any(word.endswith(".toml") for word in command):
        (text,) = blocks("toml")
        (tmp_path / "experiment.toml").write_text(text)
    assert command[0] == "rnnviz"
    assert not main(command[1:])
    assert capsys.readouterr().out.startswith("{")


def test_the_files_it_shows_exist():
    shown = re.findall(r"\]\(((?!https?:|#)[^)]+)\)", README)
    assert shown
    missing = [path for path in shown if not (ROOT / path).exists()]
    assert not missing


if __name__ == "__main__":
    (ROOT / "README.md").write_text(with_key_table(README), encoding="utf-8")
