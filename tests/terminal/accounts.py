"""Accounts that exist for one program and its children alone: in a mount namespace of their own.

    if accounts.possible() and not accounts.is_inside():
        sys.exit(accounts.run_inside([sys.executable, *sys.argv]))   # this program once more, in a namespace
    names = accounts.make(30)                                        # accounts with a home each, which sshd lets in

Nothing is changed outside: /etc/passwd is covered by another file for those who are inside. Needs root and `unshare`
(util-linux).

The folder of the accounts is removed outside, where nothing is mounted in it, and what is mounted from elsewhere is
mounted read-only: a removal that goes through a mount would take the files of this machine with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

INSIDE = "RNNVIZ_TEST_INSIDE"  # the folder
FIRST = 23_000  # the first number of a user


def possible() -> bool:
    """Whether a namespace can be made here."""
    return os.geteuid() == 0 and shutil.which("unshare") is not None and _apart(["true"]) == 0


def is_inside() -> bool:
    return INSIDE in os.environ


def folder() -> Path:
    """Inside: a folder that everyone can read, removed when the program has ended. Nothing may remove it before."""
    return Path(os.environ[INSIDE])


def run_inside(command: list[str]) -> int:
    """The exit code of a program that has run in a namespace of its own."""
    assert not is_inside()
    with tempfile.TemporaryDirectory(prefix="rnnviz-class-") as made:
        os.chmod(made, 0o755)
        return _apart(command, made)


def _apart(command: list[str], made: str = "") -> int:
    apart = ["unshare", "--mount", "--propagation", "private"]
    return subprocess.run([*apart, *command], env={**os.environ, INSIDE: made}, check=False).returncode


def make(number: int) -> list[str]:
    """Inside: the names of so many accounts."""
    made = folder()
    names = [f"learner{n:03}" for n in range(number)]
    lines = Path("/etc/passwd").read_text()
    for n, name in enumerate(names, FIRST):
        home = made / "home" / name
        home.mkdir(parents=True)
        os.chown(home, n, n)
        lines += f"{name}:x:{n}:{n}::{home}:/bin/sh\n"
    passwd = made / "passwd"
    passwd.write_text(lines)
    passwd.chmod(0o644)
    _cover(Path("/etc/passwd"), passwd)
    for place in {os.path.realpath(place) for place in (sys.base_prefix, sys.prefix, Path(__file__).parents[2])}:
        _open(Path(place), made)
    return names


def _open(place: Path, made: Path) -> None:
    """Let everyone reach a place, though a folder above it is its owner's alone: cover that folder with one in which
    there is the way to the place, and nothing else."""
    private = next((above for above in reversed(place.parents) if not above.stat().st_mode & 0o001), None)
    if private is None:
        return
    cover = made / "cover" / private.name
    way = cover / place.relative_to(private)
    way.mkdir(parents=True, exist_ok=True)
    _cover(way, place)
    subprocess.run(["mount", "--rbind", str(cover), str(private)], check=True)


def _cover(target: Path, source: Path) -> None:
    """Show source at target, read-only."""
    subprocess.run(["mount", "--bind", str(source), str(target)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(target)], check=True)
    assert os.statvfs(target).f_flag & os.ST_RDONLY
