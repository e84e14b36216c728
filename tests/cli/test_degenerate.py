"""The commands over experiments at the edge of what there is: one step, one unit, one sequence, one symbol, factors of
0, learning rates beyond reason. Each row names what must be printed, or must not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rnnviz.cli.main import main

TEXT = "a" * 41
#: flags -> (patterns that must occur, patterns that must not)
ROWS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "gradients --gain 0": (("0 from t = 9 back: W_hh is 0",), ("underflow",)),
    "gradients --task recall --gain 0": (("nothing of the gradient arrives 20 steps back: W_hh is 0",), ("sends 0 %",)),
    "gradients --task recall --no-loop": (("steps back: W_hh is 0",), ("underflow",)),
    "gradients --task recall --spectral-radius 0 --cell gru": ((), ("W_hh is 0",)),
    "gradients --task recall --gain 1e-30": (("underflows at t = 10, before it is 20",), ("nothing of",)),
    "gradients --task recall --truncate 5,5": (("truncated: the update uses only steps 17 to 21",), ()),
    "gradients --truncate 1,1 --cell rnn,lstm": (("rnn  truncated: the update uses only step 10",), ()),
    "gradients --truncate 10,10": ((), ("truncated",)),
    "gradients --lr 1e30 --after-epochs 2": (("no half-life and no horizon: the gradient is inf or nan",), ("all 10",)),
    "gradients --task characters --source one.txt --steps 4": (("the error of step 4 is 0",), ("horizon", "all 4")),
    "gradients --steps 1": (("all 1 step$",), ()),
    "gradients --dtype float32 --gain 1e-10 --steps 20": (("left\\)  < 0.1 steps",), ("  0.0 steps",)),
    "gradients --task recall --loss-at 1": (("the answer depends on the last step itself",), ("0 steps back",)),
    "gradients --layers 3 --gain 0 --task recall": (("in the top layer",), ()),
    "train --lr 1e30 --epochs 2": (("diverged: the loss is nan. Try: --lr 0.01 ",), ("--lr 1e",)),
    "train --task recall --samples 20 --lr 1e30 --optimizer adam --epochs 2": (("--lr 0.01",), ("--lr 1e",)),
    "train --task adding --samples 2 --epochs 1": (("above a guess",), ("diverged", "epoch 2")),
    "train --task recall --samples 2 --epochs 1": (("0 of 1 answer right",), ("1 answers", "epoch 2")),
    "train --task copying --samples 20 --loss-at every --epochs 1": ((" of 40 answers right",), ("right in",)),
    "train --task captions --samples 2 --epochs 1 --validation-split 0": (("answers right",), ()),
    "train --task characters --source one.txt --steps 4 --epochs 1": (("4 of 4 answers right \\(100 %\\)",), ("Try",)),
    "train --epochs 0 --cell rnn,gru": (("not trained: 0 epochs",), ("diverged",)),
    "train --batch 100000 --lr 1e-300 --epochs 2": (("2 epochs in",), ("diverged",)),
    "train --hidden 1 --steps 1 --points 3 --epochs 1": (("1 epoch in",), ("1 epochs",)),
    "train --activation relu --lr 5 --epochs 2": (("diverged: the loss is",), ("near a guess",)),
}
NEVER = r"nan ?%|inf ?%|(?<![\w.])-0(?:\.0+)?(?![\w.:])|(?<![\w.,])1 (?:steps|epochs|answers|sequences|units)\b"


@pytest.fixture
def one_symbol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.txt").write_text(TEXT)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("one_symbol")
@pytest.mark.parametrize("flags", ROWS)
def test_what_is_printed_at_the_edge(flags: str, capsys: pytest.CaptureFixture[str]) -> None:
    said, unsaid = ROWS[flags]
    assert main(flags.split()) == 0
    text = capsys.readouterr().out
    flat = re.sub(r"\n(?=\w)", " ", text)
    for pattern in said:
        assert re.search(pattern, flat, re.MULTILINE), f"{pattern} in\n{text}"
    for pattern in (*unsaid, NEVER):
        assert not re.search(pattern, text, re.MULTILINE), f"{pattern} in\n{text}"
    assert not [line for line in text.splitlines() if line.lstrip().startswith("%")], text
    assert main([*flags.split(), "--json"]) == 0
    json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name))
