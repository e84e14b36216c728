"""A cell without W_hh: nothing recurrent is set, cut, drawn or blamed, and every gradient goes by its gate alone."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.nn.cell_table import CELLS
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, Cut, Seek
from rnnviz.tui import panels
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.view import View
from rnnviz.views import knobs, metrics
from rnnviz.views.gradient import along_gate, gradient_of
from rnnviz.views.ledger import make_table

WITHOUT = [name for name, cell in CELLS.items() if not cell.recurrent]


@pytest.fixture(params=WITHOUT)
def player(request: pytest.FixtureRequest) -> Player:
    return Player(Experiment(cell=request.param, task="recall", seq_len=8))


def test_there_is_no_loop_to_cut(player: Player) -> None:
    player.do(Cut())
    assert not player.frame.cut
    noun = CELLS[player.frame.experiment.cell].noun
    assert player.frame.hint == f"There is no loop to cut: {noun} has no recurrent weights W_hh."


def test_a_cut_loop_is_left_behind_with_its_cell() -> None:
    player = Player(Experiment(cell="rnn"))
    player.do(Cut())
    assert player.frame.cut
    for name in WITHOUT:
        player.do(Change((("cell", name),)))
        assert not player.frame.cut
    assert not Player(Experiment(cell=WITHOUT[0], loop=False)).frame.cut


def test_what_sets_recurrent_weights_has_no_effect_and_says_why(player: Player) -> None:
    for name in ("gain", "spectral_radius", "loop"):
        why = SETTINGS[name].why_not(player.frame.experiment)
        assert why == f"{CELLS[player.frame.experiment.cell].noun} has no recurrent weights W_hh"
        assert knobs.why_not(player.frame, name) == why
    plain = player.frame.scene.trace.y
    turned = player.frame.experiment.with_(gain=3.0, spectral_radius=0.5, loop=False)
    assert (Player(turned).frame.scene.trace.y == plain).all()


def test_the_gate_alone_carries_the_gradient(player: Player) -> None:
    trace, k = player.frame.scene.trace, player.frame.scene.last_loss_step
    assert gradient_of(trace, k).highway is None, "there is no way beside it"
    np.testing.assert_allclose(along_gate(trace, k), trace.item(k).grad_h, rtol=1e-13)
    made = make_table(player.frame.scene, k)
    assert made.highway is None
    for row in made.rows[1:]:
        assert 0 < row.open < 1
        assert np.isnan([row.slope, row.weight]).all()


def test_no_step_sends_anything_to_recurrent_weights(player: Player) -> None:
    trace, k = player.frame.scene.trace, player.frame.scene.last_loss_step
    names = [name for name in trace.grads if name.startswith("rnn.")]
    wanted = [np.sqrt(sum((trace.share(name)[t] ** 2).sum() for name in names)) for t in range(k)]
    np.testing.assert_allclose(trace.sent(k), wanted, rtol=1e-12)


def test_the_drawing_has_one_arrow_with_what_the_gate_keeps(player: Player) -> None:
    player.do(Seek(4))
    frame = player.frame
    carry = CELLS[frame.experiment.cell].carry
    assert carry is not None
    kept = carry.share(frame.scene.trace.gates[carry.gate][3]).mean()
    for page, words in ((0, f" {carry.label} {kept:.2f} "), (1, "no W_hh: ")):
        view = View(panel="network", page=page)
        lines = sheet_for(panels.BY_ID["network"], frame, view, 80, 9, Palette("none")).plain()
        assert words in "\n".join(lines)
        assert "‖W_hh" not in "\n".join(lines)


def test_metrics_of_recurrent_weights_are_none(player: Player) -> None:
    player.do(Seek(4))
    for name in ("weights_norm", "sigma_max", "spectral_radius"):
        assert metrics.value(player.frame, name) is None or name in SETTINGS
