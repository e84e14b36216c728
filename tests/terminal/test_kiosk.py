"""Trying to get out of a kiosk, in a real terminal: ATTEMPTS says with which keys, and what must be seen.

Whatever is tried, Python's audit events say what the process did (watched/sitecustomize.py): it wrote no file, started
no program, and read nothing but the interpreter, its packages, the lessons and the compiled kernels.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnnviz.kiosk import Kiosk
from tests.terminal.app import RNNVIZ, ready
from tests.terminal.driver import Terminal, process_stat

ROOT = Path(__file__).parents[2]
WATCHED = Path(__file__).with_name("watched")
SECRET = "a-line-that-no-learner-may-see"
ESCAPE = "\x1b[27u"  # as kitty sends it: no time is needed to tell it from the beginning of another key

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")]

#: what is tried, with which keys (a text in quotes is typed), and what is on the screen then; ~ for what must not be.
#: DIR is a folder with files of interest, in which the app was started. Each begins with every panel closed.
ATTEMPTS: dict[str, tuple[list[str], str]] = {
    "save the weights": (["S"], "no file is written"),
    "save them under a path": (["S", "'DIR/x.npz'", "enter"], "~x.npz"),
    "suspend, for the shell behind": (["ctrl+z"], "cannot be suspended"),
    "find the knob of the text file": (["o", "/", "'text file'"], "a kiosk reads no file"),
    "choose it": (["o", "/", "'text file'", "enter", "enter", "'DIR/secret.txt'", "enter"], f"~{SECRET}"),
    "find the knob of the data": (["o", "/", "'data'"], "a kiosk reads no file"),
    "choose that": (["o", "/", "'data'", "enter", "enter", "'DIR/secret.csv'", "enter"], f"~{SECRET}"),
    "a path as the task": (["o", "/", "'task'", "enter", "enter", "'DIR/secret.txt'", "enter"], "is unknown"),
    "own data as the task": (["o", "/", "'task'", "enter", "enter", "'series'", "enter"], f"~{SECRET}"),
    "the task that reads texts": (["o", "/", "'task'", "enter", "enter", "'characters'", "enter"], "characters"),
    "now the text file": (["o", "/", "'text file'"], "a kiosk reads no file"),
    "a sequence from a file, @": (["T", "'@DIR/secret.txt'", "enter"], f"~{SECRET}"),
    "a sequence from a file, <": (["T", "'< DIR/secret.txt'", "enter"], f"~{SECRET}"),
    "a sequence from a program": (["T", "'$(cat DIR/secret.txt)'", "enter"], f"~{SECRET}"),
    "a shell, as in vi": (["':!sh'", "enter"], "~$ "),
    "a shell, as in less": (["'!sh'", "enter"], "~$ "),
    "the palette: save": (["ctrl+p", "'save'"], "(not here)"),
    "and enter": (["ctrl+p", "'save'", "FIRST Save the network", "enter"], "no file is written"),
    "the palette: suspend": (["ctrl+p", "'suspend'"], "(not here)"),
    "enter it": (["ctrl+p", "'suspend'", "FIRST Suspend rnnviz", "enter"], "cannot be suspended"),
    "the palette: screenshot": (["ctrl+p", "'screenshot'"], "~Screenshot"),
    "the palette: a shell": (["ctrl+p", "'shell'"], "~Shell"),
    "the keys of Textual's input": (["ctrl+p", "ctrl+x", "ctrl+v", "ctrl+e", "ctrl+k", "ctrl+u"], f"~{SECRET}"),
    "what ends a shell": (["ctrl+d", "ctrl+backslash"], "time t"),
    "other keys of terminals": (["ctrl+o", "ctrl+r", "ctrl+t", "ctrl+g", "f2"], f"~{SECRET}"),
    "the list of lessons": (["L", "right", "R"], f"~{SECRET}"),
    "a picture of the screen": (["ctrl+s"], "no file is written"),
    "the code, copied": (["s", "Y", "p"], "Copied"),
    "the command line of the view, copied": (["Y", "c"], "Copied"),
    "a path in brackets, pasted": (["PASTE DIR/secret.txt\nDIR/secret.csv"], f"~{SECRET}"),
    "a path pasted into a sequence": (["T", "PASTE DIR/secret.txt\n", "enter"], f"~{SECRET}"),
    "a file dropped by iTerm2": (["RAW \x1b]1337;File=name=eA==;inline=1:YQ==\x07"], "time t"),
    "a title, asked back": (["RAW \x1b]l;sh\x1b\\\x1b[21t"], "time t"),
    "a window of 999,999 columns": (["RAW \x1b[48;999999;999999;1;1t"], f"~{SECRET}"),
}  # fmt: skip


def events(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(errors="replace").splitlines():
        kind, _, what = line.partition(" ")
        yield kind, what


def allowed(kind: str, path: str, writable: Path | None) -> bool:
    """Whether the process may have done this."""
    if kind == "write":
        is_own = writable is not None and f"{path}/".startswith(f"{writable.resolve()}/")
        return is_own or path in ("/dev/tty", os.devnull) or path.startswith("/dev/pts/") or _is_bytecode(path)
    if kind == "read":
        python = (sys.prefix, sys.base_prefix, os.path.realpath(sys.executable), "/usr/lib", "/usr/local/lib")
        ours = (str(ROOT / "rnnviz"), str(ROOT / "lessons"), "/proc/", "/sys/", "/dev/")
        kernels = re.search(r"/kernels?/[0-9a-f]{20}/\w+-float\d+\.o$", path) or "/rnnviz/" in path
        packages = "site-packages" in path or path.endswith(("pyvenv.cfg", "sitecustomize.py", ".pth"))
        is_own = writable is not None and path.startswith(str(writable.resolve()))
        return bool(path.startswith((*python, *ours)) or kernels or packages or is_own or str(WATCHED) in path)
    return False


def _is_bytecode(path: str) -> bool:
    """What Python itself writes before the kiosk is entered."""
    return "/__pycache__/" in path


def not_allowed(log: Path, writable: Path | None = None) -> list[str]:
    return sorted({f"{kind} {what}" for kind, what in events(log) if not allowed(kind, what, writable)})


@contextlib.contextmanager
def kiosk(tmp_path: Path, *arguments: str, **settings: object) -> Iterator[Terminal]:
    """A kiosk started in a folder with files of interest; afterwards it has done nothing that it may not do."""
    here, log = tmp_path / "here", tmp_path / "events"
    here.mkdir(exist_ok=True)
    (here / "secret.txt").write_text(SECRET * 40)
    (here / "secret.csv").write_text(f"{SECRET},b\n1,2\n" * 100)
    before = {path: path.stat().st_mtime_ns for path in here.rglob("*")}
    environment = {
        "PYTHONPATH": str(WATCHED), "RNNVIZ_TEST_EVENTS": str(log), "TMPDIR": str(here), "XDG_DATA_HOME": str(here),
        "XDG_STATE_HOME": str(here), "XDG_CONFIG_HOME": str(here), **settings.pop("env", {}),  # type: ignore[dict-item]
    }  # fmt: skip
    writable = settings.pop("writable", None)
    with Terminal([*RNNVIZ, *arguments], env=environment, cwd=here, **settings) as t:  # type: ignore[arg-type]
        yield t
        alone = t.all_running()
        assert alone in ([], [t.process.pid]), alone  # nothing else was started
    assert {path: path.stat().st_mtime_ns for path in here.rglob("*")} == before
    assert not_allowed(log, writable) == []  # type: ignore[arg-type]


def tried(t: Terminal, keys: list[str], here: Path) -> None:
    for key in keys:
        if key.startswith("'"):
            t.type(key.strip("'").replace("DIR", str(here)))
        elif key.startswith("PASTE "):
            t.type(f"\x1b[200~{key[6:].replace('DIR', str(here))}\x1b[201~")
        elif key.startswith("RAW "):
            t.type(key[4:])
        elif key.startswith("FIRST "):  # in the list of the palette
            t.wait_for(lambda rows, name=key[6:]: any(name in row for row in rows[7:9]), timeout=20)
        elif key == "ctrl+backslash":
            t.type("\x1c")
        else:
            t.keys(key)
        t.settle(0.06)


def seen(t: Terminal, what: str, here: Path, patience: float) -> None:
    wanted = what.replace("DIR", str(here))
    if wanted.startswith("~"):
        t.settle(0.1)
        if any(wanted[1:] in row for row in t.screen()):
            pytest.fail(str(t))
    else:
        t.wait_for(wanted, timeout=patience)


def test_the_attempts(tmp_path: Path) -> None:
    here = tmp_path / "here"
    with kiosk(tmp_path, "--kiosk", "--free", columns=150, rows=40, in_band_resize=True) as t:
        t.wait_for(ready)
        t.settle(0.5)
        for keys, what in ATTEMPTS.values():
            for patience in (3, 10, 30):  # what the last attempt has begun may take the message's place once
                tried(t, [f"RAW {ESCAPE * 3}"], here)
                t.settle(0.1)
                tried(t, keys, here)
                with contextlib.suppress(AssertionError) if patience < 30 else contextlib.nullcontext():
                    seen(t, what, here, patience)
                    break
            assert t.process.poll() is None
            assert process_stat(t.process.pid)[0] != "T"
        assert not any(SECRET in row for row in t.screen())
        t.keys("ctrl+q")
        assert t.exit_code() == 0
        assert t.left_behind() == []
    assert SECRET.encode() not in t.raw
    copied = re.findall(rb"\x1b\]52;c;([^\x07\x1b]*)", t.raw)
    assert len(copied) >= 2
    assert all(len(text) < 20_000 for text in copied)


def test_random_keys(tmp_path: Path) -> None:
    """Two thousand keys that no one would press on purpose: the process lives, and does nothing that it may not do."""
    chance = random.Random(20261126)
    letters = [chr(code) for code in range(32, 127) if chr(code) != "q"]
    others = [
        "enter",
        "escape",
        "tab",
        "left",
        "right",
        "up",
        "down",
        "backspace",
        "pageup",
        "f1",
        "ctrl+z",
    ]  # the palette can quit
    sent = [chance.choice(letters + others * 4) for _ in range(2000)]
    with kiosk(tmp_path, "--kiosk", "--hidden", "4", "--epochs", "2", columns=100, rows=30) as t:
        t.wait_for(ready)
        for at in range(0, len(sent), 50):
            t.keys(*sent[at : at + 50])
            t.watch(0.05)
            assert t.process.poll() is None, sent[: at + 50]
        t.settle(0.3, timeout=120)
        t.keys("ctrl+q")
        assert t.exit_code() == 0


@pytest.mark.parametrize("environment", ["RNNVIZ_KIOSK=0", "a hostile one"])
def test_nothing_in_the_environment_loosens_it(environment: str, tmp_path: Path) -> None:
    here = tmp_path / "here"
    name, _, value = environment.partition("=")
    hostile = {
        "TEXTUAL": "devtools,debug", "TEXTUAL_LOG": f"{here}/log", "TEXTUAL_DRIVER": "secret:Driver",
        "TEXTUAL_SCREENSHOT": "1", "TEXTUAL_SCREENSHOT_LOCATION": str(here), "TEXTUAL_DEVTOOLS_HOST": "127.0.0.1",
        "HOME": str(here), "XDG_CACHE_HOME": str(here), "NUMBA_CACHE_DIR": str(here), "NUMBA_DISABLE_JIT": "1",
        "PYTHONSTARTUP": f"{here}/secret.txt", "PYTHONBREAKPOINT": "os.system", "PYTHONINSPECT": "1",
        "SHELL": "/bin/sh", "EDITOR": "/bin/sh", "PAGER": "/bin/sh", "BROWSER": "/bin/sh", "COLUMNS": "999999",
        "LINES": "999999", "LC_ALL": "../../../../etc", "TERMINFO": str(here), "SSH_ORIGINAL_COMMAND": "sh",
        "LANGUAGE": f"{here}", "TZ": f":{here}/secret.txt",
    } if not value else {name: value}  # fmt: skip
    with kiosk(tmp_path, "--kiosk", "--free", env=hostile) as t:
        t.wait_for(lambda rows: any("time t" in row for row in rows) and "keys" in rows[-1])
        t.keys("S")
        t.wait_for("no file is written")
        t.keys("q")
        assert t.exit_code() == 0


def test_progress_lasts_as_long_as_the_session(tmp_path: Path) -> None:
    for _ in range(2):
        with kiosk(tmp_path, "--kiosk", columns=100, rows=30) as t:
            t.wait_for("1/7")
            t.keys("n")
            t.wait_for("2/7")
            t.keys("q")
            assert t.exit_code() == 0


def test_a_learners_progress_is_kept_in_a_folder_of_its_own(tmp_path: Path) -> None:
    teachers = tmp_path / "class"
    teachers.mkdir()
    arguments = ("--kiosk", "--learner", "ada", "--progress", str(teachers))
    ada = teachers / "ada"
    with kiosk(tmp_path, *arguments, columns=100, rows=30, writable=ada) as t:
        t.wait_for("1/7")
        t.keys("n")
        t.wait_for("2/7")
        t.keys("q")
        assert t.exit_code() == 0
    kept = json.loads((ada / "progress.json").read_text())
    assert kept["courses"]["rnnviz"]["last"] == "sequences-and-memory"
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (ada, *ada.iterdir())} == {
        "ada": 0o700, "progress.json": 0o600, ".lock": 0o600,
    }  # fmt: skip
    with kiosk(tmp_path, *arguments, columns=100, rows=30, writable=ada) as t:
        t.wait_for("2/7")
        (ada / "progress.json").unlink()
        (ada / "progress.json").symlink_to(tmp_path / "here" / "secret.txt")
        t.keys("n")
        t.wait_for("it is a link, not a file")
        t.keys("q")
        assert t.exit_code() == 0
        assert SECRET.encode() not in t.raw


def test_a_long_training_is_stopped_and_gives_way(tmp_path: Path) -> None:
    """The thread that trains has the lower priority; the limit of a job is short here."""
    command = [sys.executable, "-c", "import rnnviz.kiosk as k; k.Kiosk.__init__.__defaults__ = (None, 1800.0, 2.0, "
               "64_000_000, 400_000_000, 1e9); from rnnviz.cli.main import main; raise SystemExit(main())",
               "--kiosk", "--epochs", "1000000"]  # fmt: skip
    with Terminal(command, cwd=ROOT, columns=100, rows=30) as t:
        t.wait_for(ready)
        t.keys("a")
        t.wait_for("training")
        threads = [path.read_text().rpartition(")")[2].split() for path in _stats(t.process.pid)]
        assert {int(fields[16]) for fields in threads} >= {0, 15}
        t.wait_for("Stopped after 2 s")
        t.keys("q")
        assert t.exit_code() == 0


def test_without_memory_a_sentence_says_so_and_the_session_stays(tmp_path: Path) -> None:
    import resource

    # A copy of the weights alone takes more than is left: which of the threads lacks memory must not be chance.
    network = ("--task", "recall", "--cell", "lstm", "--hidden", "256", "--layers", "2", "--samples", "60")
    with kiosk(tmp_path, "--kiosk", *network, columns=100, rows=30) as t:
        t.wait_for(ready)
        t.keys("b")  # NumPy's library has its work space from now on; without it, it would end the process
        t.wait_for("1/7")
        t.settle(0.5)
        used = re.search(r"VmData:\s+(\d+) kB", Path(f"/proc/{t.process.pid}/status").read_text())
        assert used is not None
        most = 1024 * int(used[1]) + 10_000_000
        assert most < resource.prlimit(t.process.pid, resource.RLIMIT_DATA)[0] == Kiosk().memory
        resource.prlimit(t.process.pid, resource.RLIMIT_DATA, (most, most))
        t.keys("a")
        t.wait_for("does not fit in the memory")
        t.keys("ctrl+z")
        t.wait_for("cannot be suspended")
        t.keys("b")
        t.settle(0.5)
        t.keys("q")
        assert t.exit_code() == 0


def test_lines_of_text_are_a_kiosk_too(tmp_path: Path) -> None:
    """`rnnviz read`, for a screen reader: the same refusals, and ctrl+z is not heard."""
    here = tmp_path / "here"
    with kiosk(tmp_path, "read", "--kiosk", "--free", columns=150, rows=40) as t:
        t.wait_for("quit")
        t.settle(0.3)
        for line, answer in (
            ("save DIR/x.npz", "no file is written"),
            ("source DIR/secret.txt", "reads no file"),
            ("text file DIR/secret.txt", "reads no file"),
            ("data DIR/secret.csv", "reads no file"),
            ("type @DIR/secret.txt", ""),
            ("!sh", ""),
        ):
            t.type(line.replace("DIR", str(here)) + "\r")
            t.wait_for(answer)
            t.settle(0.2)
            t.type("\x1a")
            assert process_stat(t.process.pid)[0] != "T"
        t.type("quit\r")
        assert t.exit_code() == 0
    assert SECRET.encode() not in t.raw


def test_a_session_of_a_host_is_a_kiosk_too(tmp_path: Path) -> None:
    from tests.terminal.hosts import host

    environment = {"XDG_DATA_HOME": str(tmp_path), "RNNVIZ_KIOSK": "0", "TMPDIR": None}
    with host() as h, h.terminal("--kiosk", "--free", env=environment, cwd=tmp_path) as t:
        t.wait_for(ready)
        (session,) = h.wait_for(1)
        limits = Path(f"/proc/{session}/limits").read_text()
        assert re.search(rf"Max data size\s+{Kiosk().memory}\s", limits)
        t.keys("S")
        t.wait_for("no file is written")
        t.keys("ctrl+z")
        t.wait_for("cannot be suspended")
        t.keys("q")
        assert t.exit_code() == 0
    assert not list(tmp_path.iterdir())


def _stats(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").glob("*/stat"))


def test_a_session_that_nobody_uses_ends(tmp_path: Path) -> None:
    with kiosk(tmp_path, "--kiosk", "--idle", "0.05") as t:
        t.wait_for("time t")
        began = time.monotonic()
        assert t.exit_code() == 0
        assert time.monotonic() - began < 30
        assert "ended after 0.05 minutes without a key" in " ".join(t.screen())
        assert t.left_behind() == []


def test_an_error_is_one_line_and_no_file(tmp_path: Path) -> None:
    """The traceback goes to the system log."""
    script = (
        "import rnnviz.tui.actions as a; a.DO['help'] = lambda screen: 1 / 0; from rnnviz.cli.main import main; "
        "raise SystemExit(main())"
    )
    log, here = tmp_path / "events", tmp_path / "here"
    here.mkdir()
    environment = {"PYTHONPATH": str(WATCHED), "RNNVIZ_TEST_EVENTS": str(log), "XDG_STATE_HOME": str(here)}
    command = [sys.executable, "-c", script, "--kiosk", "--free"]
    with Terminal(command, cwd=ROOT, env=environment, columns=120) as t:
        t.wait_for(ready)
        t.keys("?")
        assert t.exit_code() == 1
        assert "system log" in " ".join(t.screen())
        assert "Traceback" not in " ".join(t.screen())
    assert not list(here.iterdir())
    assert not_allowed(log) == []


@pytest.mark.parametrize("number", [signal.SIGHUP])
def test_it_ends_like_any_session(number: int, tmp_path: Path) -> None:
    with kiosk(tmp_path, "--kiosk", "--free") as t:
        t.wait_for(ready)
        t.signal(number)
        assert t.exit_code() == 128 + number
        assert t.left_behind() == []
