"""A recording in a real terminal: its figures are those of `rnnviz gradients`, it is followed while another program
writes it, nothing is sent while nothing comes, and a bad folder is one line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from rnnviz.numbers import scientific
from tests.recordings_here import EXPERIMENT, Trainer, made
from tests.terminal.app import RNNVIZ, ready, rnnviz
from tests.terminal.driver import Terminal, environment


def gradients(*flags: str) -> dict:
    command = [*RNNVIZ, "gradients", *flags, "--json"]
    return json.loads(subprocess.run(command, capture_output=True, check=True, env=environment()).stdout)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids="{0[0]}x{0[1]}".format)
def test_score_ledger_triangle_and_time_travel_show_the_figures_of_the_command_line(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    run = str(tmp_path / "run")
    made(tmp_path / "run", experiment=EXPERIMENT.with_(loss_at="every"))
    with rnnviz(run, columns=size[0], rows=size[1]) as t:
        t.wait_for(ready)
        t.keys(*["right"] * 13, "left", "left")
        t.wait_for(lambda rows: "t = 11 " in rows[1] and "going back" in rows[1])
        for record in (3, 2):
            told = gradients(run, "--record", str(record))
            t.wait_for(lambda rows, now=f"record {record}/3": now in rows[0])
            t.wait_for(lambda rows, norm=told["grad_norm"][11]: any(f"h {scientific(norm)}" in row for row in rows))
            assert f"loss {told['loss']:.4f}" in t.screen()[0]
            t.keys("y")
            t.wait_for(lambda rows: any("bound" in row for row in rows))
            norm = told["grad_norm"][11]
            t.wait_for(lambda rows, now=f"11 {norm:.2e}": any(now in " ".join(row.split()) for row in rows))
            t.keys("v")
            t.wait_for(lambda rows, norm=norm: any("L₁₂ " in row and scientific(norm) in row for row in rows[12:]))
            t.keys("v", "E")


@pytest.mark.slow
def test_a_recording_that_grows_is_followed_and_a_still_one_sends_nothing(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path / "run")
    trainer.record()
    with rnnviz(str(tmp_path / "run")) as t:
        t.wait_for(ready)
        t.wait_for("record 1/1 · step 0")
        trainer.record()
        t.wait_for("record 2/2 · step 10")
        assert any(_is_silent(t) for _ in range(20)), "one look a second sends nothing"
        t.keys("q")
        assert t.exit_code() == 0
        assert t.left_behind() == []


def _is_silent(t: Terminal) -> bool:
    """Whether nothing was sent during two looks at the folder. (The engine says once that it is ready.)"""
    mark = t.mark()
    t.watch(2.5)
    return t.bytes_since(mark) == 0


@pytest.mark.parametrize("write", ["nothing", "noise"])
def test_a_folder_that_is_no_recording_is_one_line(tmp_path: Path, write: str) -> None:
    (tmp_path / "run").mkdir()
    if write == "noise":
        made(tmp_path / "run", records=1)
        next((tmp_path / "run").glob("*.safetensors")).write_bytes(b"\xff" * 5000)
    with rnnviz(str(tmp_path / "run")) as t:
        assert t.exit_code() == 2
        assert t.left_behind() == []
        said = [row for row in t.screen() if row.strip()]
        assert said[0].startswith("rnnviz: ")
        assert not any("Traceback" in row for row in said)
