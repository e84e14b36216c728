"""The command `rnnviz serve`: what it refuses, in one line each, and what it says where."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rnnviz.cli.commands import COMMANDS
from rnnviz.cli.flags import read
from rnnviz.cli.main import main
from rnnviz.cli.serve import command, environment
from rnnviz.tui import keys

HAS_EXTRA = all(importlib.util.find_spec(name) for name in ("aiohttp", "textual_serve"))
needs_extra = pytest.mark.skipif(not HAS_EXTRA, reason="needs the extra serve")
needs_pty = pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line that it says."""
    assert main(["serve", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err.removeprefix("rnnviz serve: ").strip()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--port x", "--port: 'x' is not a whole number from 0 to 65535"),
        ("--port 65536", "--port: '65536' is not a whole number from 0 to 65535"),
        ("--port -1", "--port: '-1' is not a whole number from 0 to 65535"),
        ("--sessions 0", "--sessions: '0' is not a whole number from 1 to 10000"),
        ("--idle -1", "--idle: '-1' is not a number of minutes from 0 to 100000"),
        ("--idle nan", "--idle: 'nan' is not a number of minutes from 0 to 100000"),
        ("--hiden 3", "--hiden: unknown flag; did you mean --hidden?"),
        ("--hidden x", "--hidden: 'x' is not a whole number"),
        ("nosuch.toml", "nosuch.toml: cannot be read: No such file or directory"),
        ("nosuch.pt", "nosuch.pt: No such file or directory"),
        ("--lessons nosuch", "nosuch: is not a folder; --lessons needs a folder of lesson files"),
        ("train", "put the command first: rnnviz train …"),
    ],
)
def test_what_it_cannot_read_is_said_in_one_line(words: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, *words.split()).startswith(line)


@needs_extra
@needs_pty
def test_what_it_cannot_do_is_said_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert refused(capsys, "--port", port) == (
            f"--port: {port} is in use by another program; choose another, or 0 for any that is free"
        )
    assert refused(capsys, "--host", "no host") == "--host: 'no host' is not an address of this machine"
    assert refused(capsys, "--host", "203.0.113.7") == "--host: '203.0.113.7' is not an address of this machine"
    assert "is not an address such as https://" in refused(capsys, "--public-url", "example.org")
    for odd in ("http://a\nb", "http://a b/", "http://a/\t", "http://a;b/"):
        assert "is not an address such as https://" in refused(capsys, "--public-url", odd), odd
    assert refused(capsys, "--token-file", str(tmp_path / "no")).endswith("cannot be read: No such file or directory")


@needs_pty
@pytest.mark.parametrize("missing", ["aiohttp", "textual_serve"])
def test_without_the_extra_it_names_the_command_that_installs_it(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from rnnviz.cli.main import main; sys.exit(main(['serve']))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (
        2,
        "",
        "rnnviz serve: textual-serve is not installed; install it: python -m pip install 'rnnviz[serve]'\n",
    )


def test_the_flags_of_the_app_are_passed_on_as_they_are() -> None:
    words = ["--free", "--hidden", "7", "--input", "a; rm -rf $(b)"]
    options = read(["--port", "0", *words[:2], "--idle", "5", *words[2:]], COMMANDS["serve"])
    assert options["words"] == words
    assert options["app"].experiments[0].hidden_size == 7
    assert (options["port"], options["idle"]) == (0, 5.0)
    assert command(options["words"]) == [sys.executable, "-P", "-m", "rnnviz.cli.in_terminal", *words]


def test_the_app_gets_the_variables_it_may_need_and_no_others() -> None:
    ours = {"HOME": "/h", "XDG_DATA_HOME": "/d", "NUMBA_CACHE_DIR": "/n", "AWS_SECRET_ACCESS_KEY": "s", "LANG": "C",
            "TERM": "dumb", "NO_COLOR": "1", "PYTHONPATH": "/p", "HOMEBREW_GITHUB_API_TOKEN": "t"}  # fmt: skip
    theirs = environment(ours)
    assert {theirs["HOME"], theirs["XDG_DATA_HOME"], theirs["NUMBA_CACHE_DIR"]} == {"/h", "/d", "/n"}
    assert (theirs["TERM"], theirs["COLORTERM"]) == ("xterm-256color", "truecolor")
    assert set(theirs) - set(ours) == {"COLORTERM", "PYTHONUTF8"}
    assert "/p" not in theirs.values()


def test_no_key_of_the_app_is_one_that_a_browser_keeps() -> None:
    """docs/classroom.md says so."""
    browsers = {"ctrl+w", "ctrl+t", "ctrl+n", "ctrl+tab", "ctrl+shift+tab", "ctrl+shift+t", "ctrl+shift+n", "f11"}
    assert not browsers & {key for action in keys.ACTIONS for key in action.keys}


@needs_extra
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--host", "localhost"], None),
        (["--host", "127.0.0.2"], None),
        (["--host", "0.0.0.0"], "read and write files of this account: add --kiosk."),
        (["--host", "0.0.0.0", "--kiosk"], "It is a kiosk"),
    ],
)
def test_it_warns_where_others_can_connect(words: list[str], says: str | None, tmp_path: Path) -> None:
    from tests.serve.served import Served

    with Served(tmp_path, *words) as served:
        line = served.errors
        served.wait(lambda: says is None or line.read_text().count("\n"))
        if says is None:
            assert line.read_text() == ""
        else:
            assert says in line.read_text()
            assert line.read_text().startswith("rnnviz serve: --host 0.0.0.0: every machine that can reach this one")
            assert line.read_text().count("\n") == 1
            assert socket.gethostname() in served.address
