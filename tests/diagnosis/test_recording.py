"""A recording gives the same evidence as the experiment that it was made from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnnviz.cli.main import main
from rnnviz.diagnosis.diagnose import diagnose
from rnnviz.diagnosis.from_recording import examine
from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import Run
from rnnviz.recordings.layer_record import LayerRecord
from rnnviz.recordings.recorder import Recorder
from rnnviz.recordings.recording import Recording
from tests.diagnosis.networks import evidence_of, record_of, recording_of, rules

#: The states stay so small that the slope of tanh is 1.
LONG = {"weights": {"rnn.weight_ih_l0": 1e-5}, "task": "sine", "points": 120, "seq_len": 60, "init": "orthogonal",
        "loss_at": "last"}  # fmt: skip


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_healthy_training_has_no_finding(tmp_path: Path, cell: str) -> None:
    for seed in (0, 1):
        evidence = examine(recording_of(tmp_path / f"{cell}{seed}", records=8, cell=cell, seed=seed, biases=2))
        assert rules(diagnose(evidence)) == []
        assert [moment.place for moment in evidence.moments] == ["step 0", "step 10", "step 20", "step 25", "step 35"]
        assert evidence.notes == (), "its gradients agree with those that were recorded"


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_way_back_is_that_of_the_experiment(tmp_path: Path, cell: str) -> None:
    settings = {"cell": cell, "task": "recall", "lag": 12, "samples": 9, "validation_split": 0.0, "epochs": 0}
    recorded = examine(recording_of(tmp_path / "r", records=1, **settings)).moments[0].layers[0]
    run = Run(Experiment(**settings))  # type: ignore[arg-type]
    own = evidence_of(**settings).moments[0].layers[0]
    assert run.task.n_train == 9
    assert len(recorded.ways) == len(own.ways) == 8
    first, second = recorded.ways[0], own.ways[0]
    assert first.norms / first.norms[-1] == pytest.approx(second.norms / second.norms[-1])
    assert (first.slope is None) == (second.slope is None)
    assert first.first_loss == first.loss_step == 13


def test_vanishing_and_exploding_in_a_recording(tmp_path: Path) -> None:
    found = diagnose(examine(recording_of(tmp_path / "low", records=1, gain=0.3, **LONG))).findings[0]
    assert (found.rule, found.layer) == ("vanishing-gradient", "rnn")
    assert found.evidence["factor"] == pytest.approx(0.3, rel=1e-6)
    found = diagnose(examine(recording_of(tmp_path / "high", records=1, gain=1.15, **LONG))).findings[0]
    assert (found.rule, found.evidence["weight"]) == ("exploding-gradient", pytest.approx(1.15, rel=1e-6))
    assert rules(diagnose(examine(recording_of(tmp_path / "right", records=1, gain=1.0, **LONG)))) == []


@pytest.mark.parametrize("at", [0, 1, 5, 8])
@pytest.mark.parametrize(("change", "quantity"), [
    (lambda r: replace(r, weights=r.weights | {"weight_hh_l0": np.full((20, 20), np.nan)}), "the weights weight_hh"),
    (lambda r: replace(r, x=np.where(r.x == r.x[3], np.nan, r.x)), "the input x"),
    (lambda r: replace(r, direct=np.full(r.direct.shape, np.inf)), "the gradient on the outputs"),
])  # fmt: skip
def test_the_first_record_with_a_nan(tmp_path: Path, at: int, change: object, quantity: str) -> None:
    healthy = record_of(Run(Experiment()))
    broken: LayerRecord = change(healthy)  # type: ignore[operator]
    with Recorder(tmp_path / "r") as recorder:
        for step in range(9):
            recorder.add(step=step, loss=1.0, layers={"enc.rnn": broken if step >= at else healthy})
    first = examine(Recording.open(tmp_path / "r")).not_finite
    assert first is not None
    assert first.step == at
    assert first.quantity.startswith(quantity)
    assert first.value == ("inf" if "outputs" in quantity else "nan")


def test_a_loss_of_nan_alone(tmp_path: Path) -> None:
    record = record_of(Run(Experiment()))
    with Recorder(tmp_path / "r") as recorder:
        for step in range(6):
            recorder.add(step=step, loss=float("nan") if step == 3 else 1.0, layers={"rnn": record})
    first = examine(Recording.open(tmp_path / "r")).not_finite
    assert first is not None
    assert (first.step, first.quantity) == (3, "the loss")


def test_steps_behind_the_end_of_a_sequence_do_not_count(tmp_path: Path) -> None:
    record = record_of(Run(Experiment()))
    x = record.x.copy()
    x[6:, 2] = np.nan
    lengths = np.full(record.B, record.T)
    lengths[2] = 6
    padded = replace(record, x=x, lengths=lengths, grads={})
    with Recorder(tmp_path / "r") as recorder:
        recorder.add(step=0, loss=1.0, layers={"rnn": padded})
    assert examine(Recording.open(tmp_path / "r")).not_finite is None


def test_a_record_that_is_not_proved_says_so(tmp_path: Path) -> None:
    record = record_of(Run(Experiment()))
    wrong = replace(record, grads={name: 2 * g for name, g in record.grads.items()})
    for path, layer, words in ((tmp_path / "a", wrong, "differ from the framework's by 5.0e-01"),
                               (tmp_path / "b", replace(record, grads={}), "were not compared")):  # fmt: skip
        with Recorder(path) as recorder:
            recorder.add(step=0, loss=1.0, layers={"rnn": layer})
        (note,) = examine(Recording.open(path)).notes
        assert note.startswith("Not proved: " if layer is wrong else "Not checked: ")
        assert words in note


def test_clipping_and_updates_as_they_were_recorded(tmp_path: Path) -> None:
    record = record_of(Run(Experiment()))
    with Recorder(tmp_path / "r") as recorder:
        for step in range(6):
            extra = {"learning_rate": 0.5, "clip_factor": 0.2 if step else 1.0, "update_ratio: rnn": 0.3}
            recorder.add(step=step, loss=1.0, layers={"rnn": record}, extra=extra)
    diagnosis = diagnose(examine(Recording.open(tmp_path / "r")))
    found = {f.rule: f for f in diagnosis.findings}
    assert found["mostly-clipped"].evidence["share"] == pytest.approx(5 / 6)
    assert found["large-updates"].evidence["ratio"] == pytest.approx(0.3)
    assert "lr'] = 0.05" in found["large-updates"].remedy.pytorch


@pytest.mark.parametrize(("left", "is_found"), [(7.0, True), (0.0, False), (None, False)])
def test_a_gradient_that_is_left_over_is_found(tmp_path: Path, left: float | None, is_found: bool) -> None:
    record = record_of(Run(Experiment()))
    with Recorder(tmp_path / "r") as recorder:
        for step in range(6):
            extra = {"update_ratio: rnn": 1e-3} | ({} if left is None or not step else {"left_over": left})
            recorder.add(step=step, loss=1.0, layers={"rnn": record}, extra=extra)
    diagnosis = diagnose(examine(Recording.open(tmp_path / "r")))
    found = {f.rule: f for f in diagnosis.findings}
    assert ("accumulated-gradients" in found) is is_found
    assert ("accumulated-gradients" in diagnosis.not_judged) is (left is None)
    if is_found:
        assert found["accumulated-gradients"].evidence == {"share": 1.0, "measured": 5, "ratio": 7.0}
        assert "zero_grad" in found["accumulated-gradients"].remedy.pytorch


def test_without_recorded_updates_they_are_lower_bounds_from_the_weights(tmp_path: Path) -> None:
    recording = recording_of(tmp_path / "r", records=8, optimizer="adam", learning_rate=2.0)
    diagnosis = diagnose(examine(recording))
    updates = diagnosis.evidence.updates
    assert updates is not None
    assert updates.is_least
    first, second = (recording[n].layer("rnn").weights["weight_hh_l0"] for n in (0, 1))
    expected = np.linalg.norm(second - first) / np.linalg.norm(first) / (recording[1].step - recording[0].step)
    assert updates.ratio["rnn.weight_hh_l0"][0] == pytest.approx(expected)
    assert "small-updates" in diagnosis.not_judged


def test_levels_and_directions_are_layers_of_their_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    H, inputs, T, B = 4, 3, 25, 2
    weights = {}
    for level, width in ((0, inputs), (1, 2 * H)):
        for suffix in ("", "_reverse"):
            weights |= {f"weight_ih_l{level}{suffix}": rng.normal(size=(4 * H, width)) / 2,
                        f"weight_hh_l{level}{suffix}": rng.normal(size=(4 * H, H)) / 2}  # fmt: skip
    record = LayerRecord(
        cell="lstm", weights=weights, x=rng.normal(size=(T, B, inputs)), direct=rng.normal(size=(T, B, 2 * H))
    )
    with Recorder(tmp_path / "r") as recorder:
        recorder.add(step=0, loss=1.0, layers={"enc": record})
    evidence = examine(Recording.open(tmp_path / "r"))
    assert [layer.name for layer in evidence.moments[0].layers] == [
        "enc, level 1", "enc, level 1, backward", "enc, level 2", "enc, level 2, backward"
    ]  # fmt: skip
    assert evidence.moments[0].layers[3].in_torch("bias_ih") == "model.enc.bias_ih_l1_reverse"
    assert all(set(layer.params) == {"weight_ih", "weight_hh"} for layer in evidence.moments[0].layers)
    assert diagnose(evidence).findings == ()


def test_the_command_reads_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording_of(tmp_path / "r", records=3, gain=0.3, **LONG)
    assert main(["diagnose", str(tmp_path / "r"), "--strict"]) == 3
    out = capsys.readouterr().out
    assert "the gradient vanishes, rnn" in out
    assert max(map(len, out.splitlines())) <= 80
    assert main(["diagnose", str(tmp_path / "r"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["kind"] == "recording"
    assert report["findings"][0]["command"] is None
    assert report["not_judged"]["flat-at-constant"] == "the targets are not known"


def test_bad_recordings_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none").mkdir()
    Recorder(tmp_path / "empty").close()
    recording_of(tmp_path / "r", records=1)
    for arguments, words in (
        ([str(tmp_path / "none")], "is no recording"), ([str(tmp_path / "empty")], "no records"),
        ([str(tmp_path / "r"), "--hidden", "3"], "--hidden: A recording"),
        ([str(tmp_path / "missing")], "is not a command or an experiment file"),
    ):  # fmt: skip
        assert main(["diagnose", *arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert words in err
    with pytest.raises(InputError, match="no records"):
        examine(Recording.open(tmp_path / "empty"))
