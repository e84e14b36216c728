"""The thread that writes what hooks collected: which records it compares, and how it shortens them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnnviz
from rnnviz.recordings import passes
from rnnviz.recordings.layer_record import LayerRecord, first_sequences
from rnnviz.watching.writer import Job, Part, Writer, cut

B, T, H = 6, 5, 3
RNG = np.random.default_rng(0)
WEIGHTS = {"weight_ih_l0": RNG.normal(size=(H, 2)), "weight_hh_l0": RNG.normal(size=(H, H))}


def arguments(seed: int = 0, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x, direct = rng.normal(size=(T, B, 2)), rng.normal(size=(T, B, H))
    return {"cell": "rnn", "weights": WEIGHTS, "x": x, "direct": direct, "total": B, **more}


def job(step: int, *uses: dict[str, Any], wrong: float = 0.0) -> Job:
    """A step in which one layer is used once or several times; its gradients are a little wrong or not."""
    ours = [passes.weight_gradients(LayerRecord(**use)) for use in uses]
    grads = {key: sum(one[name] for one in ours) * (1 + wrong) for key, name in enumerate(WEIGHTS)}
    shared = {name: key for key, name in enumerate(WEIGHTS)}
    parts = {f"rnn{i or ''}": Part(lambda use=use: use, shared, ()) for i, use in enumerate(uses)}
    return Job(step, None, parts, lambda: grads, lambda _: {}, {})


def written(path: Path, *jobs: Job, keep: int = 4, share: float = 0.0) -> tuple[rnnviz.Recording, list[Any]]:
    warned: list[Any] = []
    writer = Writer(rnnviz.Recorder(path), keep, share, lambda *words: warned.append(words))
    for each in jobs:
        writer.put(lambda each=each: each, writer.may_compare())
        while writer._jobs.unfinished_tasks:  # else the answer for the next job would depend on the threads
            time.sleep(0.001)
    writer.close()
    return rnnviz.Recording.open(path), warned


def test_without_time_for_it_only_the_first_and_at_the_end_the_last_are_compared(tmp_path: Path) -> None:
    found, warned = written(tmp_path, *(job(step, arguments(step)) for step in range(3)))
    assert [record.agreement("rnn") is not None for record in found] == [True, False, True]
    assert [record.is_proved("rnn") for record in found] == [True, False, True]
    assert all((record.layer("rnn").total, record.layer("rnn").B) == (B, 4) for record in found)
    assert warned == []


def test_with_time_for_it_all_are_compared(tmp_path: Path) -> None:
    found, _ = written(tmp_path, *(job(step, arguments(step)) for step in range(5)), share=1e9)
    assert all(record.is_proved("rnn") for record in found)


def test_a_batch_that_is_kept_whole_is_compared_by_its_reader(tmp_path: Path) -> None:
    found, _ = written(tmp_path, *(job(step, arguments(step)) for step in range(3)), keep=B)
    assert [record.layer("rnn").agreement is not None for record in found] == [True, False, False]
    assert all(record.is_proved("rnn") for record in found)


@pytest.mark.parametrize("keep", [4, B])
def test_gradients_that_differ_are_noted_in_the_record_and_pointed_out(tmp_path: Path, keep: int) -> None:
    found, warned = written(tmp_path, job(0, arguments(), wrong=1e-3), keep=keep)
    assert not found[0].is_proved("rnn")
    assert found[0].agreement("rnn") == pytest.approx(1e-3, rel=0.01)
    assert "differ from PyTorch's by 1e-03" in " ".join(found[0].notes("rnn"))
    ((name, reason),) = warned
    assert name == "rnn"
    assert "differ from PyTorch's by 1e-03" in reason


def test_several_uses_are_compared_as_a_sum_and_keep_no_gradients_of_their_own(tmp_path: Path) -> None:
    found, warned = written(tmp_path, *(job(step, arguments(1), arguments(2)) for step in range(3)))
    assert [found[i].is_proved(name) for i in (0, 2) for name in ("rnn", "rnn1")] == [True] * 4
    assert found[1].agreement("rnn") is None
    assert not found[1].layer("rnn").grads
    assert warned == []


def test_a_use_that_fails_leaves_the_others(tmp_path: Path) -> None:
    broken = job(0, arguments(1))
    broken.parts["other"] = Part(lambda: 1 / 0, {}, ())
    found, warned = written(tmp_path, broken)
    assert found[0].layers == ("rnn",)
    assert list(found[0].extra["not_recorded"]) == ["other: division by zero"]
    assert warned == [("other", "not recorded: division by zero")]


def test_a_shortened_batch_ends_with_its_longest_sequence() -> None:
    layer = cut(arguments(lengths=np.array([2, 3, 1, 5, 5, 4]), h0=np.ones((1, B, H))), 3)
    assert (layer.T, layer.B, layer.total) == (3, 3, B)
    assert list(layer.lengths) == [2, 3, 1]
    assert layer.h0.shape == (1, 3, H)


def test_a_last_record_that_takes_too_long_or_whose_batch_was_not_held_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_job(step: int) -> Job:
        made = job(step, arguments(step))
        made.parts["rnn"] = Part(
            lambda: first_sequences(arguments(step), 4) | {"total": B}, made.parts["rnn"].shared, ()
        )
        return made

    found, warned = written(tmp_path / "cut", job(0, arguments()), cut_job(1))
    assert [record.is_proved("rnn") for record in found] == [True, False]
    monkeypatch.setattr("rnnviz.watching.writer.SECONDS_AT_THE_END", 0.0)
    found, warned = written(tmp_path / "long", *(job(step, arguments(step)) for step in range(2)))
    assert [record.is_proved("rnn") for record in found] == [True, False]
    assert warned == []


def test_a_last_record_that_was_deleted_meanwhile_stays_away(tmp_path: Path) -> None:
    writer = Writer(rnnviz.Recorder(tmp_path), 4, 0.0, lambda *_: None)
    for step in range(2):
        writer.put(lambda step=step: job(step, arguments(step)), writer.may_compare())
        writer._jobs.join()
    rnnviz.Recording.open(tmp_path)[-1].path.unlink()
    writer.close()
    assert rnnviz.Recording.open(tmp_path).steps == (0,)
