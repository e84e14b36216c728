"""`rnnviz map` as a shell sees it: killed, interrupted, shown, refused; and its processes."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnnviz.cli import map_face
from rnnviz.cli.main import main
from rnnviz.cli.map import duration
from rnnviz.maps.store import Store
from tests.maps.maps_here import TINY, filled, numbers, spec

#: Not too quick to be killed.
SLOW = TINY.with_(epochs=40, learning_rate=0.01)
FLAGS = [
    "--x", "gain=0.5:1.5:2", "--y", "lag=2,3", "--cell", "rnn,gru", "--seeds", "2", "--task", "recall",
    "--samples", "100", "--epochs", "40", "--hidden", "3", "--batch", "90", "--lr", "0.01",
]  # fmt: skip


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    store = Store.open(tmp_path_factory.mktemp("done"), spec(base=SLOW))
    filled(store)
    store.close()
    return store.folder


def says(capsys, *arguments):
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def processes(parent):
    """The numbers of a process's children, grandchildren, …"""
    found = []
    for path in Path(f"/proc/{parent}/task").glob("*/children"):
        for number in map(int, path.read_text().split()):
            found += [number, *processes(number)]
    return found


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_killed_interrupted_and_run_again_a_map_is_the_same_and_nothing_stays_behind(tmp_path, done):
    """SIGKILL and ctrl+c with one worker, then to the end with two: the numbers are those of one process."""
    command = [sys.executable, "-m", "rnnviz", "map", *FLAGS, "-o", "map"]
    lines = tmp_path / "map" / "points.jsonl"
    count = lambda: lines.read_bytes().count(b"\n") if lines.exists() else 0  # noqa: E731

    run = subprocess.Popen([*command, "--workers", "1"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    wait_until(lambda: count() >= 1)
    theirs = processes(run.pid)
    assert theirs
    run.kill()
    run.wait()
    after_kill = count()
    assert 1 <= after_kill < 16
    wait_until(lambda: not any(os.path.exists(f"/proc/{number}") for number in theirs))

    run = subprocess.Popen(
        [*command, "--workers", "1"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        process_group=0,
    )  # fmt: skip
    wait_until(lambda: count() > after_kill)
    theirs = processes(run.pid)
    os.killpg(run.pid, signal.SIGINT)  # as the terminal does
    said = run.stderr.read()
    assert run.wait() == 130
    assert said.startswith("rnnviz map: stopped: ")
    assert said.endswith(" of 16 points are done; the same command continues from here\n")
    assert said.count("\n") == 1
    wait_until(lambda: not any(os.path.exists(f"/proc/{number}") for number in theirs))

    run = subprocess.run([*command, "--workers", "2", "--json"], cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert count() == 16
    assert numbers(Store.read(tmp_path / "map")) == numbers(Store.read(done))
    assert len(json.loads(run.stdout)["points"]) == 16


SCRIPT = """
import rnnviz
found = rnnviz.map("gain=0.5,1.5", task="recall", samples=100, epochs=1, hidden_size=3, batch_size=90, workers=1)
print(found)
print(found.share.shape, found["loss"].shape, found.is_whole)
"""


def test_a_script_needs_no_main_of_its_own(tmp_path):
    """Each process would run it again from the start, if it did."""
    (tmp_path / "script.py").write_text(SCRIPT)
    run = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert run.stderr == ""
    assert run.stdout.splitlines()[0].startswith("<MapResult: gain (2), rnn: 2 of 2 points: ")
    assert run.stdout.splitlines()[1] == "(1, 1, 2) (1, 1, 2, 1) True"


LIMITED = """
import resource, sys
import rnnviz
for most in (4, 14):
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, 1000))
    try:
        rnnviz.map("gain=0.5,1.5", task="recall", samples=100, epochs=1, workers=1)
    except rnnviz.InputError as error:
        print(error)
"""


def test_processes_that_cannot_be_started_are_one_clear_line():
    """With no file descriptor left for them, or with too few."""
    run = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, timeout=60)
    assert run.stderr == ""
    lines = run.stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("workers: ") and line.endswith("Too many open files") for line in lines)


def test_show_prints_counts_and_the_seeds_that_learnt_at_each_point(capsys, done):
    code, out, err = says(capsys, "map", "show", str(done))
    assert (code, err) == (0, "")
    assert "recall: recurrent gain 0.5 to 1.5 (2) × lag 2 to 3 (2), 2 seeds" in out
    assert out.count("/2") == 8
    assert "↑ lag" in out


def test_json_and_csv_have_every_point(capsys, done):
    code, out, err = says(capsys, "map", "show", str(done), "--json")
    shown = json.loads(out)
    assert (code, err, len(shown["points"])) == (0, "", 16)
    assert shown["x"] == {"setting": "gain", "scale": "list", "values": [0.5, 1.5]} | {"scale": "linear"}
    assert sum(shown["counts"].values()) == 16
    assert [len(shown["share"]), len(shown["share"][0]), len(shown["share"][0][0])] == [2, 2, 2]
    _, out, _ = says(capsys, "map", "show", str(done), "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 16
    assert [(row["cell"], row["seed"], row["gain"], row["lag"]) for row in rows[:2]] == [
        ("rnn", "0", "0.5", "2"), ("rnn", "0", "1.5", "2"),
    ]  # fmt: skip
    for row, point in zip(rows, shown["points"], strict=True):
        assert float(row["loss"]) == point["loss"]
        assert row["horizon_before"] == str(point["horizon_before"])


def test_merge_puts_parts_together(capsys, tmp_path, done):
    code, out, err = says(capsys, "map", "merge", str(tmp_path / "all"), str(done), str(done))
    assert (code, err) == (0, "")
    assert out
    assert numbers(Store.read(tmp_path / "all")) == numbers(Store.read(done))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--x: name a setting and its values, such as --x gain=0.25:2:8"),
        (["--x", "gian=1,2"], "--x: unknown setting 'gian'; did you mean gain?"),
        (["--x", "gain=1,2", "--y", "lag=5:1:3"], "--y: lag: 5:1 is no range"),
        (["--x", "gain=1,2", "--gain", "3"], "--gain: is an axis; leave its other value out"),
        (["--x", "gain=1,2", "--task", "recall", "--workers", "0"], "--workers: '0' is not a whole number from 1"),
        (["--x", "gain=1,2", "--shard", "3/2"], "--shard: '3/2' is not a part such as 1/8"),
        (["--x", "gain=1,2", "--seeds", "x"], "--seeds: 'x' is not a whole number from 1"),
        (["--x", "gain=1,2", "--json", "--csv"], "--csv: and json are two forms; choose one"),
        (["--task", "recall", "--x", "points=10,20"], "--points: has no effect here: only the sine has points"),
        (["--task", "recall", "--x", "gain=1,2", "-o", "/proc/map"], "/proc/map: cannot be made: "),
        (["--task", "recall", "--x", "gain=1,2", "-o", "/dev/null"], "/dev/null: "),
        (["--task", "recall", "--x", "gain=1,2", "-o", ""], "-o: the name is empty"),
        (["show"], "show: name one folder of a map"),
        (["show", "/proc"], "/proc: is not the folder of a map"),
        (["show", "map", "--gain", "2"], "--gain: show reads what is there; leave the settings out"),
        (["show", "map", "--x", "gain=1,2"], "--x: is of a map that is computed"),
        (["merge", "map"], "merge: name the new folder and those that are put together"),
        (["merge", "a", "b"], "b: is not the folder of a map"),
        (["experiment.toml", "more"], "more: is an unexpected argument"),
    ],
)
def test_what_cannot_be_is_one_clear_line(capsys, arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("experiment.toml").write_text("")
    code, out, err = says(capsys, "map", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"rnnviz map: {words}")
    assert os.listdir() == ["experiment.toml"]


def test_a_cluster_is_one_behind_the_screen_too(capsys, monkeypatch):
    """The screen is not there, but its work is the real one, with Dask or without."""
    monkeypatch.setattr(map_face, "wants_screen", lambda options: True)
    monkeypatch.setattr(map_face, "watch", lambda store, work, options: work(print, lambda: False, print))
    code, out, err = says(capsys, "map", *FLAGS, "--on", "nonsense://x")
    assert (code, out) == (2, "")
    assert err.startswith(("rnnviz map: --on: 'nonsense://x' is not", "rnnviz map: --on: Dask is not installed"))


@pytest.mark.parametrize(("command", "hint"), [("map", "rnnviz map show DIR"), ("train", "name a file of settings")])
def test_a_folder_is_not_called_a_recording_that_is_none(capsys, done, command, hint):
    code, out, err = says(capsys, command, str(done))
    assert (code, out) == (2, "")
    assert err.startswith(f"rnnviz {command}: {done}: is a folder, and no experiment (.toml); {hint}")


def test_a_kiosk_has_no_maps(capsys, monkeypatch):
    monkeypatch.setenv("RNNVIZ_KIOSK", "1")
    code, out, err = says(capsys, "map", *FLAGS)
    assert (code, out) == (2, "")
    assert "this is a kiosk" in err


def test_the_base_of_the_tests_is_what_the_flags_say(done):
    assert Store.read(done).spec.base == SLOW


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (90, "2 min"), (3570, "1 h 0 min"), (7800, "2 h 10 min")]
)
def test_how_long_it_takes(seconds, text):
    assert duration(seconds) == text
