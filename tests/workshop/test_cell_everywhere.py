"""Every panel, every metric and every word of the plain face with a cell of a person's own."""

import math
import random
from collections.abc import Iterator

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import equations
from rnnviz.plain.words import MEANINGS, SHORT
from rnnviz.player.player import Player
from rnnviz.scene.commands import Compare, Right, Seek, Train
from rnnviz.tui import panels
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.view import EVERYTHING
from rnnviz.views import metrics
from rnnviz.workshop.cell.opening import open_cell
from tests.plain.test_reader import MORE, Heard
from tests.workshop import cells


@pytest.fixture(scope="module", params=["sine", "recall"])
def experiment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Experiment]:
    path = tmp_path_factory.mktemp("cell") / "mine.py"
    path.write_text(cells.RNN, encoding="utf-8")
    its = open_cell(str(path))
    samples = None if request.param == "sine" else 12
    yield Experiment(task=request.param, cell=str(path), hidden_size=4, samples=samples, points=20, epochs=2)
    its.connection.close()
    equations.forget_own(str(path))


def test_every_metric_is_a_number_a_word_or_none(experiment: Experiment) -> None:
    player = Player(experiment)
    for frame in (player.frame, player.do(Right()), player.do(Train("batch"))):
        for name, metric in metrics.METRICS.items():
            found = metrics.value(frame, name)
            assert found is None or isinstance(found, str if metric.is_text else float), name
            if isinstance(found, float) and not math.isnan(found):
                assert metric.low <= found <= metric.high, name


def test_every_panel_is_drawn_or_has_a_reason(experiment: Experiment) -> None:
    player = Player(experiment)
    player.do(Train("batch"))
    player.do(Compare())
    frame = player.do(Seek(player.frame.T))
    for panel in panels.ALL:
        if panels.why_not(panel, frame) is None:
            needed = panel.needs(frame) if panel.needs is not None else None
            frame = frame if needed is None else player.do(needed)
            sheet_for(panel, frame, EVERYTHING, 80, 20, Palette())


def test_every_word_of_the_plain_face_has_an_answer(experiment: Experiment) -> None:
    if experiment.task == "sine":
        pytest.skip("the other task has more words")
    heard = Heard(experiment)
    lines = [*(word for word in MEANINGS if MEANINGS[word] != "quit"), *(k for k in SHORT if SHORT[k] != "quit"), *MORE]
    random.Random(1).shuffle(lines)
    for line in lines:
        heard.type(line)
