"""`.ci/programs` installs what the slow tests need only where it may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "programs"
BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(sys.platform != "linux" or BASH is None, reason="needs Linux and bash")


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """An environment with hardly a program, in which apt-get and sudo write down what they are asked for."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "id", "env"):
        (programs / name).symlink_to(shutil.which(name) or "")
    asked = tmp_path / "asked"
    for name, does in (("apt-get", f'echo "$@" >>{asked}'), ("sudo", 'while [ "$1" = -n ]; do shift; done\nexec "$@"')):
        (programs / name).write_text(f"#!{BASH}\n{does}\n")
        (programs / name).chmod(0o755)
    (programs / "true").symlink_to(shutil.which("true") or "")
    return {"PATH": str(programs), "ASKED": str(asked)}


def asked_for(machine: dict[str, str]) -> str:
    path = Path(machine["ASKED"])
    return path.read_text() if path.exists() else ""


def test_by_itself_it_only_names_what_is_missing(machine: dict[str, str]) -> None:
    done = subprocess.run([SCRIPT], env=machine, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert "tmux screen librsvg2-bin chromium: their tests are skipped" in done.stdout
    assert not asked_for(machine)


@pytest.mark.parametrize("where", [{"CI": "true"}, {"GITHUB_ACTIONS": "true"}], ids=str)
def test_in_ci_it_installs(machine: dict[str, str], where: dict[str, str]) -> None:
    done = subprocess.run([SCRIPT], env=machine | where, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert "tmux screen librsvg2-bin chromium" in asked_for(machine)


@pytest.mark.parametrize(("answer", "installs"), [("y", True), ("", False), ("n", False)])
def test_in_a_terminal_it_asks(machine: dict[str, str], answer: str, installs: bool) -> None:
    from tests.terminal.driver import Terminal

    with Terminal([str(SCRIPT)], env=os.environ | machine | {"CI": "", "GITHUB_ACTIONS": ""}) as t:
        t.wait_for("[y/N]")
        assert not asked_for(machine)
        t.keys(*answer, "enter")
        assert t.exit_code() == 0
    assert ("tmux" in asked_for(machine)) == installs
