"""The kernels' cache: whose machine code is believed, how folders and files are made, and that one session compiles
for all. With real files, owners and processes."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from rnnviz.nn import kernel_cache
from rnnviz.nn.kernel_cache import cached, keep, pack

posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners")
as_root = pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs two accounts")

CODE = b"machine code" * 100
SOMEBODY = 54321


@pytest.fixture
def base(monkeypatch):
    """A folder of our own, with nothing above it but root's; the cache is inside. Nothing else is looked at."""
    place = Path(os.path.realpath(tempfile.mkdtemp()))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(place / "chosen"))
    monkeypatch.setattr(kernel_cache.files, "user_folder", lambda kind: None)
    monkeypatch.setattr(kernel_cache, "_is_for_a_class", lambda: False)
    monkeypatch.setattr(kernel_cache, "fingerprint", lambda: "f" * 20)
    monkeypatch.setattr(kernel_cache, "notes", [])
    kernel_cache.cache_directory.cache_clear()
    yield place
    kernel_cache.cache_directory.cache_clear()
    shutil.rmtree(place)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# -- whom to believe -------------------------------------------------------------------------------------


def test_what_one_has_kept_oneself_is_believed(base):
    assert keep("rnn", "float64", CODE)
    assert cached("rnn", "float64") == CODE
    assert kernel_cache.notes == []


def group_may_write(path):
    path.chmod(path.stat().st_mode | 0o020)


def all_may_write(path):
    path.chmod(path.stat().st_mode | 0o002)


def belongs_to_somebody(path):
    os.chown(path, SOMEBODY, -1)


@posix
@pytest.mark.parametrize("which", ["file", "cache", "rnnviz", "chosen", "base"])
@pytest.mark.parametrize("change", [group_may_write, all_may_write, pytest.param(belongs_to_somebody, marks=as_root)])
def test_what_somebody_else_could_have_written_is_not_believed(base, which, change):
    keep("rnn", "float64", CODE)
    cache = kernel_cache.cache_directory()
    places = {"file": cache / "rnn-float64.o", "cache": cache, "rnnviz": cache.parent, "chosen": cache.parents[1],
              "base": base}  # fmt: skip
    change(places[which])
    assert cached("rnn", "float64") is None
    assert cached("rnn", "float64") is None
    (note,) = kernel_cache.notes
    assert str(places[which]) in note
    assert "not used" in note


@posix
def test_a_folder_for_all_like_tmp_may_stand_above(base):
    base.chmod(0o1777)
    keep("rnn", "float64", CODE)
    assert cached("rnn", "float64") == CODE


@posix
def test_nor_is_the_last_folder_believed_for_its_sticky_bit(base):
    keep("rnn", "float64", CODE)
    kernel_cache.cache_directory().chmod(0o1777)
    assert cached("rnn", "float64") is None


@posix
def test_a_link_to_a_file_is_not_followed(base):
    keep("rnn", "float64", CODE)
    file = kernel_cache.cache_directory() / "rnn-float64.o"
    file.rename(base / "elsewhere")
    file.symlink_to(base / "elsewhere")
    assert cached("rnn", "float64") is None


@posix
def test_a_link_to_a_folder_is_as_good_as_the_folder(base):
    keep("rnn", "float64", CODE)
    (base / "chosen").rename(base / "disk")
    (base / "chosen").symlink_to(base / "disk")
    assert cached("rnn", "float64") == CODE
    group_may_write(base / "disk")
    assert cached("rnn", "float64") is None


@posix
def test_what_is_no_file_is_not_opened(base):
    keep("rnn", "float64", CODE)
    file = kernel_cache.cache_directory() / "rnn-float64.o"
    file.unlink()
    os.mkfifo(file)
    assert cached("rnn", "float64") is None


@pytest.mark.parametrize("other", ["gru-float64.o", "lstm-float64.o", "rnn-float32.o"])
def test_a_file_under_anothers_name_is_another_file(base, other):
    keep("rnn", "float64", CODE)
    cache = kernel_cache.cache_directory()
    (cache / "rnn-float64.o").rename(cache / other)
    assert cached(*other.removesuffix(".o").split("-")) is None


def test_a_file_of_another_version_is_another_file(base, monkeypatch):
    content = pack(("rnn", "float64"), CODE)
    monkeypatch.setattr(kernel_cache, "fingerprint", lambda: "e" * 20)
    assert kernel_cache.unpack(("rnn", "float64"), content) is None


@posix
def test_where_others_write_nothing_is_kept_and_the_next_cache_is_taken(base, monkeypatch):
    shared = base / "chosen"
    shared.mkdir(mode=0o700)
    group_may_write(shared)
    assert not keep("rnn", "float64", CODE)
    assert list(shared.iterdir()) == []
    monkeypatch.setattr(kernel_cache.files, "user_folder", lambda kind: base / "home")
    assert keep("rnn", "float64", CODE)
    assert cached("rnn", "float64") == CODE
    assert [path.name for path in (base / "home").rglob("*.o")] == ["rnn-float64.o"]


# -- how it is made ----------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
@pytest.mark.parametrize(("for_a_class", "folder", "file"), [(False, 0o700, 0o600), (True, 0o755, 0o644)])
def test_folders_and_files_have_the_same_rights_whatever_the_umask(base, monkeypatch, umask, for_a_class, folder, file):
    monkeypatch.setattr(kernel_cache, "_is_for_a_class", lambda: for_a_class)
    before = os.umask(umask)
    try:
        keep("rnn", "float64", CODE)
    finally:
        os.umask(before)
    cache = kernel_cache.cache_directory()
    assert [mode(place) for place in (cache, cache.parent, cache.parents[1])] == [folder] * 3
    assert mode(cache / "rnn-float64.o") == file
    assert cached("rnn", "float64") == CODE


@posix
def test_a_cache_that_others_could_write_begins_anew(base):
    """As versions made it that left it to the umask. Only what is rnnviz' own is mended."""
    keep("rnn", "float64", CODE)
    keep("gru", "float64", CODE)
    cache = kernel_cache.cache_directory()
    group_may_write(cache.parent)
    assert keep("rnn", "float64", b"new")
    assert mode(cache.parent) == 0o700
    assert cached("rnn", "float64") == b"new"
    assert cached("gru", "float64") is None


@as_root
def test_a_class_reads_what_root_keeps_for_it(base):
    base.chmod(0o755)
    program = "from rnnviz.nn.kernel_cache import keep; assert keep('rnn', 'float64', b'for all')"
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "HOME": str(base)}, umask=0o077)
    read = subprocess.run(
        [sys.executable, "-c", "import os, platformdirs, rnnviz.nn.kernel_cache as k; k.fingerprint()\n"
         f"os.setgid({SOMEBODY}); os.setuid({SOMEBODY}); print(k.cached('rnn', 'float64'), k.notes)"],
        env={**os.environ, "HOME": "/nonexistent"}, capture_output=True, text=True,
    )  # fmt: skip
    assert read.stdout == "b'for all' []\n", read.stderr


# -- whose turn it is --------------------------------------------------------------------------------------

SESSION = """
import subprocess, sys, time
from rnnviz.nn import compiler, kernel_cache
kernel_cache.fingerprint = lambda: "f" * 20
compiler.LOOK_EVERY = 0.05
once = subprocess.Popen
def begin(command, **options):
    return once([sys.executable, "-c", COMPILER], **options)
COMPILER = f'''
import os, sys, time
with open({sys.argv[1]!r}, "a") as file: file.write("compiler\\\\n")
time.sleep(1)
from rnnviz.nn import kernel_cache
kernel_cache.fingerprint = lambda: "f" * 20
for line in sys.stdin:
    sys.stdout.buffer.write(kernel_cache.pack(tuple(line.split()), b"code"))
    sys.stdout.flush()
'''
compiler.subprocess.Popen = begin
print([code for _, code in compiler.compiled([("rnn", "float64"), ("gru", "float64")])])
"""

HOLDER = """
import sys, time
from rnnviz.nn import kernel_cache
kernel_cache.fingerprint = lambda: "f" * 20
turn = kernel_cache.Turn()
print(turn.take(), flush=True)
while True:
    kernel_cache.beat(turn.number)
    time.sleep(0.05)
"""


def holder():
    process = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "True\n"
    return process


def eventually(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


@pytest.mark.slow
@posix
def test_sessions_that_share_a_cache_compile_once(base):
    log = base / "log"
    sessions = [
        subprocess.Popen([sys.executable, "-c", SESSION, str(log)], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert [session.communicate(timeout=60)[0] for session in sessions] == ["[b'code', b'code']\n"] * 4
    assert log.read_text() == "compiler\n"


@posix
def test_one_has_the_turn_until_it_is_gone(base):
    other = holder()
    try:
        turn = kernel_cache.Turn()
        assert not turn.take()
        assert mode(kernel_cache.cache_directory() / ".lock0") == 0o600
        other.kill()
        other.wait()
        assert turn.take()
        assert not kernel_cache.Turn().take()
        turn.close()
    finally:
        other.kill()
        other.communicate()


@pytest.mark.slow
@posix
def test_a_stopped_compiler_keeps_its_turn_only_for_a_while(base, monkeypatch):
    stopped = holder()
    try:
        monkeypatch.setattr(kernel_cache, "SILENT_SECONDS", 0.5)
        turn = kernel_cache.Turn()
        end = time.monotonic() + 1
        while time.monotonic() < end:  # it is at work, and waited for
            assert not turn.take()
            time.sleep(0.02)
        os.kill(stopped.pid, signal.SIGSTOP)
        assert eventually(turn.take)
        third = kernel_cache.Turn()
        kernel_cache.beat(turn.number)
        assert not third.take()
        turn.close()
    finally:
        stopped.kill()
        stopped.communicate()


@posix
def test_the_turn_is_the_compilers_as_long_as_it_lives(base):
    """Whoever began it may be gone already: its memory is still taken."""
    turn = kernel_cache.Turn()
    assert turn.take()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[turn.number])
    turn.close()
    assert not kernel_cache.Turn().take()
    child.communicate(b"\n")
    assert kernel_cache.Turn().take()


@posix
def test_where_nothing_can_be_kept_a_user_still_has_one_compiler(base, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    kernel_cache.cache_directory.cache_clear()
    turn = kernel_cache.Turn()
    assert turn.take()
    assert not kernel_cache.Turn().take()
    assert [mode(place) for place in base.iterdir()] == [0o700]
    turn.close()
