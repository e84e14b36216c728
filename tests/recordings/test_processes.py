"""Writers and readers in processes of their own: killed, on a full disk, two at once, read-only."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from rnnviz.recordings.recorder import Recorder
from rnnviz.recordings.recording import Recording
from tests.recordings.records import random_record

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from rnnviz.recordings.recorder import Recorder
from tests.recordings.records import random_record
layers = {"lstm": random_record(T=40, B=4, H=16)}
"""
BYTES = 35_000  # of a record of theirs, a little more


def start(code, *arguments, **more):
    return subprocess.Popen([sys.executable, "-c", WRITER + code, *map(str, arguments)], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)  # fmt: skip


def read_all(folder):
    """Every record with its arrays; raises if one is broken."""
    return [record.layer("lstm").T for record in Recording.open(folder)]


def test_a_writer_that_is_killed_leaves_whole_records(tmp_path):
    """Many times, each at another moment; the kill comes while it writes."""
    folder = tmp_path / "run"
    code = """
recorder = Recorder(sys.argv[1], append=True)
for step in range(int(sys.argv[2]), 10**9):
    recorder.add(step=step, layers=layers)
    print(step, flush=True)
"""
    writer = None
    for attempt in range(4):
        writer = start(code, folder, attempt * 10**6)
        for _ in range(3 + attempt):
            writer.stdout.readline()
        writer.kill()
        writer.communicate()
        steps = Recording.open(folder).steps
        assert steps[-1] >= attempt * 10**6 + 2
        assert read_all(folder) == [40] * len(steps)
    half = (
        folder
        / f".writing-{writer.pid}.{os.uname().nodename.replace('-', '').replace('.', '')}-000000000001-a.safetensors"
    )
    half.write_bytes(b"half")
    for left in folder.glob(".writing-*"):  # a kill may have left another
        os.utime(left, (0, 0))
    Recorder(folder, append=True)
    assert not list(folder.glob(".writing-*"))
    assert read_all(folder)


def test_a_writer_that_is_killed_in_the_middle_of_a_record(tmp_path):
    """It stands still with half of its record on the disk: a reader sees nothing of that."""
    folder = tmp_path / "run"
    code = """
import os
recorder = Recorder(sys.argv[1])
recorder.add(step=1, layers=layers)
def replace(hidden, name):         # all is written, nothing has its name yet
    os.truncate(hidden, 30_000)
    print("now", flush=True)
    sys.stdin.read()
os.replace = replace
recorder.add(step=2, layers=layers)
"""
    writer = start(code, folder, stdin=subprocess.PIPE)
    assert writer.stdout.readline() == "now\n"
    assert len(list(folder.glob(".writing-*"))) == 1
    found = Recording.open(folder)
    assert found.steps == (1,)
    assert read_all(folder) == [40]
    writer.kill()
    writer.communicate()
    assert not found.refresh()


def test_a_recording_is_read_while_it_is_written_and_thinned_out(tmp_path):
    folder = tmp_path / "run"
    writer = start(
        "recorder = Recorder(sys.argv[1], limit=int(sys.argv[2]))\nprint('ready', flush=True)\n"
        "for step in range(120): recorder.add(step=step, layers=layers)",
        folder,
        12 * BYTES,
    )
    writer.stdout.readline()
    found, seen, gone = Recording.open(folder), set(), 0
    while writer.poll() is None:
        found.refresh()
        for record in found:
            try:
                assert record.layer("lstm").H == 16
                seen.add(record.step)
            except Exception as error:
                assert "is gone" in str(error)  # noqa: PT017
                gone += 1
    assert writer.communicate() == ("", "")
    found.refresh()
    assert found.steps[0] == 0
    assert 6 <= len(found) <= 12
    assert len(seen) >= len(found)


@pytest.mark.slow
def test_two_writers(tmp_path):
    folder = tmp_path / "run"
    code = """
recorder = Recorder(sys.argv[1], append=True, limit=int(sys.argv[3]))
for step in range(int(sys.argv[2]), 120, 2):
    recorder.add(step=step, layers=layers)
print(recorder.stopped)
"""
    writers = [start(code, folder, first, 10**9) for first in (0, 1)]
    assert [writer.communicate() for writer in writers] == [("\n", "")] * 2
    writers, most = [start(code, tmp_path / "small", first, 20 * BYTES) for first in (0, 1)], 0
    while any(writer.poll() is None for writer in writers):
        most = max(most, len(list((tmp_path / "small").glob("*.safetensors"))))
    assert [writer.communicate() for writer in writers] == [("\n", "")] * 2
    assert 15 <= most <= 25, "a writer looks again when it has filled a quarter of the room that it saw"
    assert Recording.open(folder).steps == tuple(range(120))
    assert read_all(folder) == [40] * 120
    small = Recording.open(tmp_path / "small").steps
    assert 8 <= len(small) <= 21
    assert sum(path.stat().st_size for path in (tmp_path / "small").glob("*.safetensors")) <= 21 * BYTES, "both at once"
    assert max(b - a for a, b in itertools.pairwise(small)) <= 40, "the whole training is covered"
    assert {path.suffix for path in (tmp_path / "small").iterdir()} <= {".safetensors", ".json", ""}


FULL = """
recorder = Recorder(sys.argv[1])
kept = [recorder.add(step=step, layers=layers) for step in range(60)]
print(sum(kept), kept == sorted(kept, reverse=True))
"""


def check_full(folder, out, err):
    count, is_sorted = out.split()
    assert is_sorted == "True", "nothing is recorded after the first failure"
    assert err.count("\n") == 1
    assert "The training continues." in err
    found = Recording.open(folder)
    assert 0 < len(found) == int(count) < 60
    assert f"Recording ended at step {count}: " in found.note
    assert read_all(folder) == [40] * len(found)
    assert not list(folder.glob(".writing-*"))


def test_a_limit_on_the_size_of_files_ends_recording_not_training(tmp_path):
    """As a full disk does, on any POSIX system: the third layer's file is too large."""
    code = """
import resource
recorder = Recorder(sys.argv[1])
recorder.add(step=0, layers=layers)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
kept = [True] + [recorder.add(step=step, layers=layers) for step in range(1, 60)]
print(sum(kept), kept == sorted(kept, reverse=True))
"""
    writer = start(code, tmp_path / "run")
    check_full(tmp_path / "run", *writer.communicate())


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_ends_recording_not_training(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a disk")
    try:
        check_full(disk / "run", *start(FULL, disk / "run").communicate())
        assert "No space left on device" in Recording.open(disk / "run").note
        for path in sorted((disk / "run").glob("*.safetensors"))[:3]:
            path.unlink()
        with Recorder(disk / "run", append=True) as recorder:
            assert recorder.add(step=99, layers={"lstm": random_record()})
        assert Recording.open(disk / "run").note == ""
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.fixture
def public():
    """A folder that others may enter. Not tmp_path: each session of pytest that starts closes what holds them all."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        yield Path(place)


@pytest.mark.skipif(os.name != "posix", reason="needs permissions")
def test_a_folder_that_may_only_be_read(public):
    folder = public / "run"
    with Recorder(folder) as recorder:
        recorder.add(step=1, layers={"lstm": random_record()})
    folder.chmod(0o555)
    code = """
import os
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
from rnnviz.recordings.recording import Recording
record = Recording.open(sys.argv[1])[0]
print(record.trace().T, record.agreement())
try:
    Recorder(sys.argv[1], append=True).add(step=2, layers=layers)
except Exception as error:
    print(type(error).__name__, error)
"""
    out, err = start(code, folder).communicate()
    folder.chmod(0o755)
    assert err == "" or "Recording ended" in err, err
    assert out.startswith("5 None\n")
    assert "Permission denied" in out + err
    assert Recording.open(folder).steps == (1,)


def test_a_writer_is_interrupted_and_what_it_wrote_is_kept(tmp_path):
    writer = start(
        "import itertools\nwith Recorder(sys.argv[1]) as recorder:\n"
        "    for step in itertools.count(): recorder.add(step=step, layers=layers); print(flush=True)",
        tmp_path / "run",
    )
    writer.stdout.readline()
    writer.send_signal(signal.SIGINT)
    writer.communicate()
    assert read_all(tmp_path / "run")
    assert not list((tmp_path / "run").glob(".writing-*"))
