"""docs/classroom.md: a real sshd with the configuration that is printed there, and attempts to get past it; the units
and the container's file, as far as they can be checked here."""

from __future__ import annotations

import configparser
import getpass
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal import ssh
from tests.terminal.app import RNNVIZ
from tests.terminal.driver import Terminal

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "classroom.md").read_text(encoding="utf-8")
HOSTILE = {
    "PYTHONPATH": "/tmp/evil", "PYTHONINSPECT": "1", "PYTHONSTARTUP": "/tmp/evil.py", "BASH_ENV": "/tmp/evil.sh",
    "ENV": "/tmp/evil.sh", "LD_LIBRARY_PATH": "/tmp/evil", "LD_AUDIT": "/tmp/evil.so", "RNNVIZ_KIOSK": "0",
    "XDG_DATA_HOME": "/tmp/evil", "NUMBA_CACHE_DIR": "/tmp/evil", "TEXTUAL": "devtools", "LC_EVIL": "x",
    "TERMINFO": "/tmp/evil",
}  # fmt: skip


def block(kind: str) -> str:
    """The block of the page that begins with ```kind."""
    found = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.S | re.M)
    assert len(found) == 1, (kind, len(found))
    return found[0].replace("/opt/rnnviz/bin/rnnviz", RNNVIZ[0])


# -- sshd --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """An sshd with the page's configuration for this user, behind one that accepts whatever a client sends."""
    if ssh.missing():
        pytest.skip(f"needs sshd and ssh: {ssh.missing()}")
    folder = tmp_path_factory.mktemp("sshd")
    config = block("sshd").replace("Match User guest", f"Match User {getpass.getuser()}")
    config = re.sub(r"NUMBA_CACHE_DIR=\S+", f"NUMBA_CACHE_DIR={folder}/kernels", config)
    everything = f"\nAcceptEnv *\nSubsystem sftp {_sftp_server()}\nAllowTcpForwarding yes\n"
    with ssh.server(folder, f"{everything}\n{config}") as port:
        yield folder, port


def _sftp_server() -> str:
    return next((p for p in ("/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server") if os.path.exists(p)), "x")


def request(host: tuple[Path, int], *words: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """What ssh answers to a command without a terminal."""
    folder, port = host
    command = [word for word in ssh.client(folder, port, *before) if word != "-tt"]
    return subprocess.run([*command, *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


@pytest.mark.slow
@pytest.mark.parametrize("words", [["id"], ["rnnviz", "doctor"]])
def test_a_command_of_the_client_is_not_run(host: tuple[Path, int], words: list[str]) -> None:
    done = request(host, *words)
    assert done.returncode == 2
    assert "the app needs a terminal" in done.stdout + done.stderr
    assert "uid=" not in done.stdout


@pytest.mark.slow
def test_no_file_is_copied(host: tuple[Path, int], tmp_path: Path) -> None:
    folder, port = host
    here = ["-F", "/dev/null", "-i", str(folder / "user"), "-P", str(port), "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null"]  # fmt: skip
    place = f"{getpass.getuser()}@127.0.0.1:/etc/hostname"
    for program in (["scp", *here], ["scp", "-O", *here], ["sftp", *here]):
        done = subprocess.run([*program, place, str(tmp_path / "got")], capture_output=True, timeout=60,
                              stdin=subprocess.DEVNULL)  # fmt: skip
        assert done.returncode != 0
    assert not (tmp_path / "got").exists()


@pytest.mark.slow
def test_nothing_is_forwarded(host: tuple[Path, int]) -> None:
    folder, port = host
    there = request(host, before=("-W", f"127.0.0.1:{port}"))
    assert there.returncode != 0
    assert "SSH-2.0" not in there.stdout
    back = request(host, before=("-N", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1"))
    assert back.returncode != 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        near = free.getsockname()[1]
    command = [word for word in ssh.client(folder, port, "-N", "-L", f"{near}:127.0.0.1:{port}") if word != "-tt"]
    tunnel = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                with socket.create_connection(("127.0.0.1", near), 1) as end:
                    end.settimeout(10)
                    assert end.recv(100) == b""  # closed before the server's first word
                return
            except ConnectionRefusedError:
                assert tunnel.poll() is None
                subprocess.run(["sleep", "0.05"])
        raise AssertionError("the client never listened")
    finally:
        tunnel.kill()
        tunnel.wait()


@pytest.mark.slow
@pytest.mark.parametrize("asked_for", ["", "sh", "rnnviz --lessons /etc"])
def test_a_terminal_has_the_kiosk_whatever_is_asked_for(host: tuple[Path, int], asked_for: str) -> None:
    folder, port = host
    sent = [flag for name in HOSTILE for flag in ("-o", f"SendEnv={name}")] if not asked_for else []
    command = [*ssh.client(folder, port, "-A", *sent), *([asked_for] if asked_for else [])]
    with Terminal(command, env={**HOSTILE, "LD_AUDIT": None, "LD_LIBRARY_PATH": None}) as t:
        t.wait_for("1/7")
        t.keys("S")
        t.wait_for("no file is written")
        if not asked_for:
            _has_a_clean_environment(folder)
        t.keys("q")
        assert t.exit_code() == 0


def _has_a_clean_environment(folder: Path) -> None:
    """Of what the client has sent nothing has arrived, even before rnnviz cleans it."""
    mine = [path for path in Path("/proc").glob("[0-9]*") if _belongs(path, folder)]
    assert len(mine) == 1
    environment = dict(word.split("=", 1) for word in (mine[0] / "environ").read_text().split("\0") if "=" in word)
    assert environment["NUMBA_CACHE_DIR"] == f"{folder}/kernels"
    assert not (set(HOSTILE) - {"NUMBA_CACHE_DIR"}) & set(environment)
    assert "SSH_AUTH_SOCK" not in environment


def _belongs(process: Path, folder: Path) -> bool:
    try:
        return (
            f"{folder}/kernels".encode() in (process / "environ").read_bytes()
            and b"--kiosk" in (process / "cmdline").read_bytes()
        )
    except OSError:
        return False


@pytest.mark.slow
def test_a_key_of_a_learner_opens_their_progress(host: tuple[Path, int], tmp_path: Path) -> None:
    """The line of authorized_keys: without ForceCommand, the command of the key is what is run."""
    place = tmp_path / "class"
    place.mkdir()
    with ssh.server(tmp_path) as port:
        key = (tmp_path / "user.pub").read_text()
        line = block("authorized_keys").replace("/srv/rnnviz", str(place)).partition("ssh-ed25519")[0]
        (tmp_path / "authorized_keys").write_text(f"{line.strip()} {key}")
        with Terminal([*ssh.client(tmp_path, port), "sh"]) as t:
            t.wait_for("1/7")
            t.keys("n")
            t.wait_for("2/7")
            t.keys("q")
            assert t.exit_code() == 0
    kept = json.loads((place / "ada" / "progress.json").read_text())
    assert kept["courses"]["rnnviz"]["last"] == "sequences-and-memory"


# -- systemd and the container -----------------------------------------------------------------------------


def unit(kind: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(block(kind))
    return parser


@pytest.mark.parametrize(("kind", "section"), [("systemd-service", "Service"), ("systemd-slice", "Slice")])
def test_the_units_have_limits(kind: str, section: str) -> None:
    limits = unit(kind)[section]
    assert {"MemoryMax", "TasksMax"} <= set(limits)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    text = block("systemd-service").replace("User=guest", f"User={getpass.getuser()}")
    (tmp_path / "rnnviz-kiosk@.service").write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / "rnnviz-kiosk@.service")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "rnnviz-kiosk" in line]
    assert ours == []
    if "Failed to" not in done.stderr:
        assert done.returncode == 0


def test_what_the_unit_starts_is_a_command_line_of_ours() -> None:
    from rnnviz.cli.flags import read

    for text in (unit("systemd-service")["Service"]["ExecStart"], *re.findall(r"ForceCommand (.*)", block("sshd"))):
        program, *words = text.replace('"$USER"', "ada").split()
        assert program == RNNVIZ[0]
        assert read(words)["kiosk"] is True


def test_the_container_is_a_kiosk_without_root() -> None:
    instructions = [line.partition(" ")[::2] for line in block("containerfile").splitlines()]
    names = [name for name, _ in instructions]
    assert set(names) <= {"FROM", "RUN", "ENV", "VOLUME", "USER", "ENTRYPOINT"}
    assert names[0] == "FROM"
    last_user = [value for name, value in instructions if name == "USER"][-1]
    assert last_user not in ("root", "0")
    (entry,) = [value for name, value in instructions if name == "ENTRYPOINT"]
    assert json.loads(entry) == ["rnnviz", "--kiosk"]
