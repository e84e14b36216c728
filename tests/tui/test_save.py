"""S saves the network's weights: never over a file unless asked, and what goes wrong is a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rnnviz
from rnnviz.experiment.experiment import Experiment
from rnnviz.player.kinds.opening import CANNOT, NETWORK_CANNOT
from rnnviz.player.player import open_player
from rnnviz.scene.commands import Cut, SaveModel, Train
from rnnviz.tui.app import RnnvizApp
from tests.tui.driving import press, text


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_it_is_saved_under_the_name_that_is_offered_and_not_over_a_file_unless_asked(here: Path) -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "S")
        assert "save as: sine-rnn.safetensors" in text(app, "telling")
        await press(pilot, "enter")
        assert "Saved 461 parameters" in text(app, "telling")
        before = (here / "sine-rnn.safetensors").read_bytes()
        await press(pilot, "b", "S", "enter")
        assert "! sine-rnn.safetensors exists" in text(app, "telling")
        assert (here / "sine-rnn.safetensors").read_bytes() == before
        await press(pilot, "x", "backspace", "enter")
        assert "exists" in text(app, "telling"), "an edit takes the permission back"
        await press(pilot, "enter")
        assert "Saved" in text(app, "telling")
        assert (here / "sine-rnn.safetensors").read_bytes() != before
        await press(pilot, "S", *["backspace"] * 11, *"zip", "enter")
        assert "! " in text(app, "telling")
        assert "save as: sine-rnn.zip" in text(app, "telling")
        await press(pilot, "escape")
        assert app.main.view.saving is None


def test_what_is_saved_is_the_trained_network_also_while_its_loop_is_cut(here: Path) -> None:
    player = open_player(Experiment(cell="lstm", hidden_size=5))
    weights = player.do(Train("epoch")).scene.model.params
    player.do(Cut())
    player.do(SaveModel("mine.npz"))
    for name, array in rnnviz.Model.load("mine.npz").params.items():
        np.testing.assert_allclose(array, weights[name], rtol=1e-6)


def test_a_link_is_not_followed_unless_asked(here: Path) -> None:
    (here / "a.npz").symlink_to(here / "nowhere.npz")
    with pytest.raises(rnnviz.InputError, match="exists"):
        open_player().do(SaveModel("a.npz"))


def test_the_other_kinds_give_their_reasons() -> None:
    assert "folder" in CANNOT["save"]
    assert "convert" in NETWORK_CANNOT["save"]
