"""docs/classroom.md on `rnnviz host`: its line for sshd with a real one, its units as far as they can be checked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rnnviz import attach
from tests.terminal import ssh
from tests.terminal.app import RNNVIZ
from tests.terminal.driver import Terminal
from tests.terminal.hosts import host
from tests.terminal.test_classroom import block, unit

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a host needs Linux")


@pytest.mark.slow
def test_a_learner_logs_in_to_a_session_of_the_host(tmp_path: Path) -> None:
    if ssh.missing():
        pytest.skip(f"needs sshd and ssh: {ssh.missing()}")
    words = re.search(r"ForceCommand (.*)", block("sshd-host")).group(1).split(maxsplit=3)  # type: ignore[union-attr]
    assert words[1] == "-IS"
    assert words[2].endswith(f"/rnnviz/{Path(attach.__file__).name}")
    with host() as its_host:
        client = f"{sys.executable} -IS {attach.__file__} --socket {its_host.socket} {words[3]}"
        settings = f"ForceCommand env XDG_DATA_HOME={tmp_path}/data {client}\n"
        with ssh.server(tmp_path, settings) as port, Terminal(ssh.client(tmp_path, port)) as t:
            t.wait_for("n next")
            t.press("right")
            t.resize(100, 30)
            t.settle()
            assert len(its_host.wait_for(1)) == 1
            t.keys("q")
            assert t.exit_code() == 0
            assert t.left_modes() == []
            its_host.wait_for(0)


def test_the_units_belong_together() -> None:
    service = unit("systemd-host")["Service"]
    assert unit("systemd-socket")["Socket"]["ListenStream"] == attach.places(0)[0]
    assert {"MemoryMax", "TasksMax", "NoNewPrivileges"} <= set(service)
    program, command, *flags = service["ExecStart"].split()
    assert (program, command) == (RNNVIZ[0], "host")
    from rnnviz.cli.commands import COMMANDS
    from rnnviz.cli.flags import read

    assert read(flags, COMMANDS["host"])["sessions"] == 100


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    files = [tmp_path / "rnnviz-host.service", tmp_path / "rnnviz-host.socket"]
    for file, kind in zip(files, ("systemd-host", "systemd-socket"), strict=True):
        file.write_text(block(kind))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *map(str, files)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert [line for line in (done.stdout + done.stderr).splitlines() if "rnnviz-host" in line] == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_a_host_needs_the_two_rights_of_its_unit_alone(tmp_path: Path) -> None:
    """Started with no others, it serves another user."""

    if os.geteuid() != 0:
        pytest.skip("only root can give rights up")
    names = unit("systemd-host")["Service"]["CapabilityBoundingSet"].lower().replace("cap_", "+").replace(" ", ",")
    few = ["setpriv", f"--bounding-set=-all,{names}", "--inh-caps=-all", "--no-new-privs"]
    with host(before=few) as its_host:
        status = Path(f"/proc/{its_host.process.pid}/status").read_text()
        assert "CapEff:\t00000000000000c0" in status
        client = its_host.client("--version", uid=65534)
        done = subprocess.run(client, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert done.stdout.startswith("rnnviz "), done.stderr
