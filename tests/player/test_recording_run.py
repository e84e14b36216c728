"""A recording as a run: what is shown of it is our own trace of the recorded training, and what it cannot do has one
reason everywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from rnnviz.cli.main import main
from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.player.kinds.opening import CANNOT, Opening
from rnnviz.player.player import Player, open_player
from rnnviz.scene.commands import (
    Back,
    Change,
    Check,
    Command,
    Compare,
    Cut,
    Follow,
    Go,
    Measure,
    Next,
    Pin,
    Redo,
    ShowSample,
    Survey,
    Train,
    Undo,
)
from rnnviz.views.analysis import agrees, checked
from rnnviz.views.comparison import compared
from rnnviz.views.metrics import METRICS
from rnnviz.views.metrics.language import value
from rnnviz.words.evidence import sentence
from tests.recordings_here import EXPERIMENT, Trainer, alone, made


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "mingru"])
@pytest.mark.parametrize("loss_at", ["last", "every"])
def test_the_gradient_is_that_of_the_training_at_every_record_and_sequence(
    tmp_path: Path, cell: str, loss_at: str
) -> None:
    traces = made(tmp_path / "run", experiment=EXPERIMENT.with_(cell=cell, loss_at=loss_at))
    player = open_player(Opening(str(tmp_path / "run")))
    assert player.frame.cursor.epoch == 2, "it opens at the last record"
    for number in (2, 1, 0):
        for sample in range(3):
            frame = player.frame
            scene, ours = frame.scene, traces[number]
            assert (frame.cursor.epoch, scene.sample) == (number, sample)
            assert scene.loss == ours.loss
            assert frame.learning.where(number, 0) == f"record {number + 1}/3 · step {10 * number}"
            np.testing.assert_allclose(scene.gradient(None).norms, alone(ours, sample), rtol=1e-12)
            np.testing.assert_allclose(scene.trace.h[:, 0], ours.h[:, sample], rtol=1e-12)
            player.do(ShowSample(1))
        player.do(Back("epoch"))
    assert player.frame.hint == "This is the first record."


def test_what_takes_long_to_open_is_named_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path / "run", records=1)
    words: list[str] = []
    open_player(Opening(str(tmp_path / "run")), say=words.append)
    assert words == []
    monkeypatch.setattr("rnnviz.player.kinds.recording.A_MOMENT", 0)
    open_player(Opening(str(tmp_path / "run")), say=words.append)
    assert words == ["Computing a sequence of 12 steps through a layer of 8 units …"]


def test_one_row_is_what_a_step_itself_sends_back(tmp_path: Path) -> None:
    made(tmp_path / "run", experiment=EXPERIMENT.with_(loss_at="every"), records=1)
    scene = open_player(Opening(str(tmp_path / "run"))).frame.scene
    rows = np.stack([scene.trace.item(k).grad_h for k in scene.loss_steps])
    np.testing.assert_allclose(rows.sum(axis=0), scene.trace.grad_h, atol=1e-15)
    direct = scene.trace.grad_y[4, 0]
    np.testing.assert_array_equal(scene.trace.item(5).grad_h[5, 0], direct)


def test_the_evidence_is_the_figure_of_the_record_and_a_wrong_one_is_a_warning(tmp_path: Path) -> None:
    made(tmp_path / "right", records=1)
    made(tmp_path / "wrong", records=1, agreement=0.25, notes=("There is dropout between the layers.",))
    right = open_player(Opening(str(tmp_path / "right"))).do(Measure("evidence")).scene.evidence
    assert right is not None
    assert right.is_proved
    assert right.agreement is not None
    assert right.agreement < 1e-12
    assert right.framework == "PyTorch"
    wrong = open_player(Opening(str(tmp_path / "wrong"))).frame.scene.evidence
    assert wrong is not None
    assert (wrong.is_proved, wrong.agreement) == (False, 0.25)
    assert wrong.notes == ("There is dropout between the layers.",)


def test_a_record_that_was_not_compared_names_the_last_one_that_was(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path / "run", agreement=2e-13, total=40)
    trainer.record()
    trainer = Trainer(tmp_path / "run", total=40)
    trainer.record(epochs=2)
    player = open_player(Opening(str(tmp_path / "run")))
    known = player.do(Measure("evidence")).scene.evidence
    assert known is not None
    assert (known.agreement, known.is_proved, known.near) == (None, False, (0, 2e-13))
    assert sentence(known) == "not compared here; at step 0 weight gradients as PyTorch's to 2e-13"
    assert not known.is_warning


def test_it_follows_a_recording_that_grows_only_from_the_last_record(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path / "run")
    trainer.record(epochs=2)
    player = open_player(Opening(str(tmp_path / "run")))
    player.do(Go("backward", 7))
    player.do(Follow())
    assert not player.has_news()
    trainer.record()
    assert player.has_news()
    frame = player.do(Follow())
    assert (frame.cursor.epoch, frame.cursor.phase, frame.cursor.t) == (2, "backward", 7)
    assert frame.scene.loss == trainer.traces[2].loss
    player.do(Back("all"))
    trainer.record()
    frame = player.do(Follow())
    assert frame.cursor.epoch == 0, "who looks at an earlier record stays there"
    assert frame.learning.loss == tuple(trace.loss for trace in trainer.traces)
    assert frame.learning.where(0, 0) == "record 1/4 · step 0"
    assert player.do(Train("all")).cursor.epoch == 3
    assert not player.has_news()


def test_it_stays_at_its_step_when_a_full_recording_drops_every_second_record(tmp_path: Path) -> None:
    made(tmp_path / "run", records=5)
    player = open_player(Opening(str(tmp_path / "run"), record=3))
    files = sorted((tmp_path / "run").glob("*.safetensors"))
    for file in files[1::2]:
        file.unlink()
    frame = player.do(Follow())
    assert frame.learning.where(frame.cursor.epoch, 0) == "record 2/3 · step 20"
    files[2].unlink()
    frame = player.do(Follow())
    assert frame.learning.where(frame.cursor.epoch, 0) == "record 1/2 · step 0", "the nearest before it"
    files[4].unlink()
    assert player.do(Train("epoch")).learning.places == 1, "the next one is gone, and nothing is lost"


def test_a_record_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    made(tmp_path / "run", records=4)
    player = open_player(Opening(str(tmp_path / "run"), record=1))
    sorted((tmp_path / "run").glob("*.safetensors"))[1].write_bytes(b"noise" * 1000)
    frame = player.do(Train("epoch"))
    assert (frame.cursor.epoch, frame.hint[:12]) == (2, "Passed over:")
    assert player.do(Back("epoch")).cursor.epoch == 0
    sorted((tmp_path / "run").glob("*.safetensors"))[2].write_bytes(b"")
    sorted((tmp_path / "run").glob("*.safetensors"))[3].write_bytes(b"")
    before = player.frame
    with pytest.raises(InputError, match="the file is broken"):
        player.do(Train("epoch"))
    assert (player.frame.cursor, player.frame.scene) == (before.cursor, before.scene), "nothing is lost"


COMMANDS: dict[str, Command] = {
    "knobs": Change((("gain", 0.5),)), "cut": Cut(), "undo": Undo(), "redo": Redo(), "batch": Train("batch"),
    "batch_back": Back("batch"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_what_it_cannot_do_gives_its_reason_and_changes_nothing(tmp_path: Path, name: str) -> None:
    made(tmp_path / "run", records=2)
    player = open_player(Opening(str(tmp_path / "run")))
    before = player.frame
    frame = player.do(COMMANDS[name])
    assert frame.hint == CANNOT[name] == frame.cannot[name]
    assert (frame.scene, frame.cursor) == (before.scene, before.cursor)


def test_the_walk_ends_where_the_update_would_come(tmp_path: Path) -> None:
    made(tmp_path / "run", records=2)
    player = open_player(Opening(str(tmp_path / "run")))
    player.do(Go("backward", 0))
    frame = player.do(Next())
    assert (frame.cursor.phase, frame.cursor.t, frame.hint) == ("backward", 0, CANNOT["update"])


def test_a_cell_without_a_loop_says_so_by_the_same_means() -> None:
    player = Player(Experiment(cell="mingru"))
    assert player.do(Cut()).hint == player.frame.cannot["cut"]
    assert "minGRU" in player.frame.cannot["cut"]
    assert "cut" not in Player(Experiment(cell="gru")).frame.cannot


def test_every_instrument_works(tmp_path: Path) -> None:
    made(tmp_path / "run", records=3)
    player = open_player(Opening(str(tmp_path / "run")))
    for what in ("triangle", "gain", "weights"):
        player.do(Measure(what))  # type: ignore[arg-type]
        assert Measure(what) in player.frame.scene.known  # type: ignore[arg-type]
    player.do(Measure("ledger", 12))
    figure = checked(player.do(Check()).scene)
    assert figure is not None
    assert agrees(figure)
    horizons = player.do(Survey()).horizons
    assert horizons is not None
    assert sorted(horizons.profiles) == [0, 1, 2]
    player.do(Pin())
    player.do(Back("epoch"))
    rows = compared(player.do(Compare()))
    assert [(row.name, row.what) for row in rows] == [("now", "step 10"), ("then", "step 20")]
    for name in METRICS:
        value(player.frame, name)


def test_layers_levels_and_directions_are_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    weights = {
        f"{kind}_l{level}{way}": rng.normal(size=(12, {"ih": 3 if level == 0 else 8, "hh": 4}[kind[-2:]])) / 3
        for kind in ("weight_ih", "weight_hh") for level in range(2) for way in ("", "_reverse")
    }  # fmt: skip
    from rnnviz.recordings.layer_record import LayerRecord
    from rnnviz.recordings.recorder import Recorder

    layer = LayerRecord(cell="gru", weights=weights, x=rng.normal(size=(6, 2, 3)), direct=rng.normal(size=(6, 2, 8)))
    with Recorder(tmp_path / "run") as recorder:
        recorder.add(step=0, layers={"a.gru": layer})
    player = open_player(Opening(str(tmp_path / "run"), level=0, direction="backward"))
    rows = compared(player.do(Compare()))
    assert [row.name for row in rows if row.is_present] == ["a.gru level 0 backward"]
    assert len({row.name for row in rows}) == 4
    assert player.frame.scene.loss is None


BAD = {
    "no recording": (lambda path: path.mkdir(), {}, "is no recording"),
    "no record yet": (lambda path: Trainer(path), {}, "has no record yet"),
    "a record that is not there": (lambda path: made(path), {"record": 7}, "record: 7 is not one of the 3 records"),
    "a layer": (lambda path: made(path), {"layer": "bogus"}, "layer: 'bogus' is not in"),
    "a level": (lambda path: made(path), {"level": 3}, "level: 3 is not one of this layer's"),
    "a direction": (lambda path: made(path), {"direction": "backward"}, "direction: this layer reads forward only"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_opening_is_one_line_and_exit_code_2(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write, opening, message = BAD[name]
    write(tmp_path / "run")
    with pytest.raises(InputError, match=re.escape(message)):
        open_player(Opening(str(tmp_path / "run"), **opening))  # type: ignore[arg-type]
    flags = [word for key, given in opening.items() for word in (f"--{key}", str(given))]
    assert main(["gradients", str(tmp_path / "run"), *flags]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert message.partition(": ")[2] in said


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["gradients", "--gain", "2"], CANNOT["knobs"]),
        (["gradients", "--after-epochs", "2"], CANNOT["train"]),
        (["train"], CANNOT["train"]),
        (["--cell", "gru"], CANNOT["knobs"]),
    ],
    ids=" ".join,
)
def test_the_command_line_refuses_with_the_same_reasons(
    tmp_path: Path, words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made(tmp_path / "run", records=1)
    at = 1 if words[0][0] != "-" else 0
    assert main([*words[:at], str(tmp_path / "run"), *words[at:]]) == 2
    assert reason.removesuffix(".") in capsys.readouterr().err


def test_json_has_the_figures_of_the_frame_and_the_reasons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    traces = made(tmp_path / "run")
    assert main(["gradients", str(tmp_path / "run"), "--record", "2", "--sample", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    np.testing.assert_allclose(found["grad_norm"], alone(traces[1], 1), rtol=1e-12)
    assert found["loss"] == traces[1].loss
    assert found["recording"]["step"] == 10
    assert found["evidence"]["is_proved"] is True
    assert found["cannot"] == dict(CANNOT)
    assert main(["gradients", "--cell", "mingru", "--json"]) == 0
    assert "no loop to cut" in json.loads(capsys.readouterr().out)["cannot"]["cut"]
    assert main(["gradients", "--layer", "lstm"]) == 2
    assert "a file of weights has one" in capsys.readouterr().err
