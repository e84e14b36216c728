"""docs/map.md, "On many machines", and the script for Slurm: each line runs as it is written, on tiny points."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest

from rnnviz.cli.main import main
from rnnviz.maps.store import Store
from tests.maps.maps_here import numbers

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("## On many machines") : PAGE.index("## The folder")]
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)
SCRIPT = (ROOT / "examples" / "slurm_map.sh").read_text(encoding="utf-8")
#: What stands on the page and in the script, and what is computed here.
SMALL = {
    "--x gain=0.25:2:8 --y lag=4:24:6": "--x gain=0.5,1 --y lag=2,3 --samples 100 --hidden 3 --epochs 1",
    '"gain=0.25:2:8", "lag=4:24:6"': '"gain=0.5,1", "lag=2,3", samples=100, hidden_size=3, epochs=1',
    "--x gain=0.25:2:24 --y lag=5:100:20 --cell rnn,lstm,gru --seeds 4 --epochs 60":
        "--x gain=0.5,1 --y lag=2,3 --samples 100 --hidden 3 --epochs 1",
}  # fmt: skip


def small(text: str) -> str:
    found = [written for written in SMALL if written in text]
    assert found
    for written in found:
        text = text.replace(written, SMALL[written])
    return text


def block(start: str) -> str:
    (found,) = (text for _, text in BLOCKS if text.startswith(start))
    return small(found)


def test_each_block_is_run_by_a_test() -> None:
    starts = ("rnnviz map", "dask scheduler", "# Dask", "# submitit", "# mpi4py")
    assert [text.startswith(start) for (_, text), start in zip(BLOCKS, starts, strict=True)] == [True] * 5


@pytest.mark.slow
def test_shards_are_the_whole_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = block("rnnviz map").replace("--epochs 1", "--epochs 1 --workers 1").splitlines()
    assert [main(shlex.split(line)[1:]) for line in lines] == [0, 0, 0]
    whole, parts = Store.read("whole"), [Store.read("part-1"), Store.read("part-2")]
    assert len(whole) == 4
    assert [len(part) for part in parts] == [2, 2]

    array(tmp_path, "1")
    array(tmp_path, "2")
    array(tmp_path, "0")
    assert numbers(Store.read("map/whole")) == numbers(whole)


def array(folder: Path, task: str) -> None:
    """Run the script as Slurm does for one task of the array."""
    bash = which("bash")
    if bash is None:
        pytest.skip("needs bash")
    script = folder / "slurm_map.sh"
    script.write_text(small(SCRIPT).replace("parts=50", "parts=2"))
    scripts = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    slurm = {"SLURM_ARRAY_TASK_ID": task, "SLURM_CPUS_PER_TASK": "1", "PATH": scripts}
    subprocess.run([bash, str(script)], cwd=folder, env=os.environ | slurm, check=True, stdout=subprocess.DEVNULL)


def test_the_script_has_as_many_parts_as_jobs() -> None:
    (jobs,) = re.findall(r"^#SBATCH --array=1-(\d+)$", SCRIPT, re.MULTILINE)
    (parts,) = re.findall(r"^parts=(\d+)", SCRIPT, re.MULTILINE)
    assert jobs == parts
    assert small(SCRIPT) != SCRIPT


@pytest.mark.slow
@pytest.mark.skipif(find_spec("distributed") is None, reason="needs Dask: pip install 'rnnviz[dask]'")
def test_dask_knows_the_options() -> None:
    from distributed.cli import dask_scheduler, dask_worker

    scheduler, worker, _ = (shlex.split(line) for line in block("dask scheduler").splitlines())
    assert dask_scheduler.main.make_context("scheduler", scheduler[2:]).params["port"] == "8786"
    options = dask_worker.main.make_context("worker", worker[2:]).params
    assert (options["scheduler"], options["nthreads"], options["n_workers"]) == ("tcp://scheduler:8786", 1, "-1")


@pytest.mark.slow
@pytest.mark.parametrize("package", ["submitit", "mpi4py"])
def test_other_executors(package: str, tmp_path: Path) -> None:
    if find_spec(package) is None:
        pytest.skip(f"needs {package}")
    (tmp_path / "map.py").write_text(block(f"# {package}"))
    command = [sys.executable, "map.py"]
    if package == "mpi4py":
        command = ["mpiexec", "-n", "3", sys.executable, "-m", "mpi4py.futures", "map.py"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)
    assert len(Store.read(tmp_path / "map")) == 4
