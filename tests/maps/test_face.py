"""The picture and the words of a map on the command line, without a screen."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from rnnviz.cli.main import main
from rnnviz.experiment.experiment import Experiment
from rnnviz.maps.axis import Axis
from rnnviz.maps.grid import GridSpec
from rnnviz.maps.point import LEARNT, NOT, Point
from rnnviz.maps.store import Store

PICTURE = """
    tanh RNN        GRU
 10 __0/2__│ 2/2    __0/2__│ 2/2
  5   1/2    2/2      1/2    2/2
      0.5     1       0.5     1
 → recurrent gain   ↑ lag
 3/4: 3 of 4 seeds learnt   _ horizon = lag
""".splitlines()[1:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    spec = GridSpec(Experiment(task="recall"), Axis.parse("gain=0.5,1"), Axis.parse("lag=5,10"), ("rnn", "gru"), 2)
    store = Store.open(tmp_path_factory.mktemp("maps") / "map", spec)
    for job in spec.jobs():
        site = job.site
        horizon = 12.0 * site.x - site.seed
        status = LEARNT if horizon > site.y else NOT
        store.add(Point(job.key, site.cell, site.seed, site.x, site.y, status, 7, 0.25, 1.0, horizon, horizon + 1))
    store.close()
    return str(store.folder)


def says(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["map", "show", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_in_a_pipe_the_picture_is_text(capsys: pytest.CaptureFixture[str], folder: str) -> None:
    code, out, _ = says(capsys, folder)
    rows = out.splitlines()
    assert code == 0
    assert rows[0] == "recall: recurrent gain 0.5 to 1 (2) × lag 5 to 10 (2), 2 seeds"
    assert rows[-6:] == PICTURE
    _, out, _ = says(capsys, folder, "--value", "horizon", "--color", "256")
    assert "\x1b[" in out
    _, out, _ = says(capsys, folder, "--ascii")
    assert "__0/2__| 2/2" in out
    assert out.isascii()  # the table of counts, too
    assert says(capsys, folder, "--ascii", "--plain")[1].isascii()


def test_in_words(capsys: pytest.CaptureFixture[str], folder: str) -> None:
    code, out, _ = says(capsys, folder, "--plain", "--value", "horizon-after")
    assert code == 0
    assert out.splitlines()[1:4] == [
        "tanh RNN, horizon after training. Columns: recurrent gain 0.5, 1.",
        "lag 5: 6.5, 12.5",
        "lag 10: 6.5, 12.5",
    ]


def test_to_a_file(capsys: pytest.CaptureFixture[str], folder: str, tmp_path: Path) -> None:
    picture = tmp_path / "map.svg"
    assert says(capsys, folder, "--svg", str(picture))[0] == 0
    made = ET.fromstring(picture.read_text())
    text = " ".join("".join(one.itertext()) for one in made.iter())
    assert "tanh RNN" in text
    assert "lag 5: 1 of 2, 2 of 2" in text  # in words, for whom it is read out
    code, _, err = says(capsys, folder, "--svg", str(picture))
    assert (code, err.count("\n")) == (2, 1)
    assert "--force" in err
    assert says(capsys, folder, "--svg", str(picture), "--force", "--theme", "light", "--value", "loss")[0] == 0
    assert "#e0e0e0" in picture.read_text()
    assert says(capsys, folder, "--svg", str(tmp_path / "map.txt"), "--size", "60x20")[0] == 0
    assert "tanh RNN" in (tmp_path / "map.txt").read_text()
    for arguments in (["--svg", "map.png"], ["--value", "luck"], ["--size", "9x9"]):
        code, _, err = says(capsys, folder, *arguments)
        assert (code, err.count("\n")) == (2, 1)
        assert arguments[0] in err
