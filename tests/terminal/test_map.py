"""A map in a real terminal: it fills in, is left, goes on, opens a run, and leaves no process behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rnnviz.maps.store import Store
from tests.terminal.app import RNNVIZ, ready, rnnviz
from tests.terminal.driver import environment

FLAGS = [
    "map", "--x", "gain=0.5:1.5:3", "--y", "lag=2,4", "--task", "recall", "--samples", "100", "--batch", "10",
    "--hidden", "6", "--epochs", "15", "--lr", "0.02", "--optimizer", "adam", "--seeds", "2", "--workers", "1",
]  # fmt: skip


@pytest.mark.slow
def test_a_map_fills_in_is_left_goes_on_and_opens_the_run_of_a_point(tmp_path: Path) -> None:
    folder = str(tmp_path / "map")
    with rnnviz(*FLAGS, "-o", folder) as t:
        t.wait_for(lambda rows: "of 12 points, " in rows[0])
        t.keys("q")
        assert t.exit_code() == 0
        assert t.left_behind() == []
        assert t.still_running() == []
        assert "of 12 points are done; the same command continues from here" in "".join(t.screen())
    with rnnviz(*FLAGS, "-o", folder) as t:
        t.wait_for(lambda rows: rows[0].endswith("all 12 points"))
        t.keys("right", "up")
        point = next(p for p in Store.read(folder) if (p.x, p.y, p.seed) == (1.0, 4, 0))
        t.wait_for(lambda rows: any("recurrent gain 1, lag 4: " in row for row in rows))
        t.wait_for(lambda rows: any(row.startswith(" ▸ seed 0: ") and f"{point.loss:.4f}" in row for row in rows))
        t.keys("enter")
        t.wait_for(lambda rows: ready(rows) and f"epoch {point.epoch}/15" in " ".join(rows[0].split()))
        t.type("\x1b[18~")  # F7
        t.wait_for(lambda rows: any("recurrent gain 1, lag 4: " in row for row in rows))
        t.keys("q")
        assert t.exit_code() == 0
        assert t.left_behind() == []
    found = subprocess.run([*RNNVIZ, "map", "show", folder], capture_output=True, text=True, env=environment())
    assert "↑ lag" in found.stdout
    assert "_ horizon = lag" in found.stdout or "2/2" in found.stdout
