"""The app over a real sshd, in a pty of its own, in tmux and in GNU screen: the same screen as here; and nothing but
the app for an account that is forced into it."""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.terminal import ssh
from tests.terminal.app import RNNVIZ, ready, rest
from tests.terminal.driver import Cell, Terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(ssh.missing()), reason=f"needs sshd and ssh: {ssh.missing()}"),
]

#: How the app is started on the other side: a shell's command line around it.
INSIDE = {
    "": "{app}",
    "tmux": "tmux -u -S {place}/tmux -f /dev/null new {quoted} ';' set status off",
    "screen": "LANG=C.UTF-8 SCREENDIR={place}/screens screen -U -c /dev/null {app}",
}
FLAGS = ["--steps", "10", "--seed", "3"]


class Side(NamedTuple):
    port: int
    forced: int  # the port of an account that is forced into the app
    place: Path


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    place = tmp_path_factory.mktemp("ssh")
    (place / "screens").mkdir(mode=0o700)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        forced = free.getsockname()[1]
    more = f"""
        Subsystem sftp internal-sftp
        ListenAddress 127.0.0.1:{forced}
        Match LocalPort {forced}
            ForceCommand {environment(place / "forced")} {shlex.join(RNNVIZ)} --free
            DisableForwarding yes
        """
    with ssh.server(place, more) as port:
        yield Side(port, forced, place)


def environment(place: Path) -> str:
    """Where a session on the other side keeps what it remembers: not with this user's own."""
    return shlex.join(["env", "LANG=C.UTF-8", f"XDG_DATA_HOME={place}", f"XDG_STATE_HOME={place}"])


def walked(t: Terminal) -> list[list[list[Cell]]]:
    """A walk: forward, back, a batch of training, a lesson's page and a step in it; the screen after each key."""
    t.wait_for(ready)
    rest(t)
    seen = []
    for key in ("right", "right", "left", "b", "L", "enter", "n", "right"):
        t.press(key, quiet=0.4)
        seen.append(t.styled())
    t.keys("ctrl+q")
    assert t.exit_code(20) == 0
    assert t.left_behind() == []
    return seen


@pytest.fixture(scope="module")
def here(side: Side) -> list[list[list[Cell]]]:
    """The same walk without ssh."""
    with Terminal([*RNNVIZ, *FLAGS], colours="256", env={"XDG_DATA_HOME": str(side.place / "here")}) as t:
        return walked(t)


@pytest.mark.parametrize("inside", INSIDE)
def test_the_screen_is_the_one_that_a_person_has_here(side: Side, here: list[list[list[Cell]]], inside: str) -> None:
    if inside and not shutil.which(inside):
        pytest.skip(f"needs {inside}: apt-get install {inside}")
    app = f"{environment(side.place / f'data {inside}')} {shlex.join([*RNNVIZ, *FLAGS])}"
    command = INSIDE[inside].format(app=app, quoted=shlex.quote(app), place=side.place)
    with Terminal([*ssh.client(side.place, side.port), command], colours="256") as t:
        there = walked(t)
    assert [list(map(text, screen)) for screen in there] == [list(map(text, screen)) for screen in here]
    if not inside:  # the others have colours of their own
        assert there == here


def text(row: list[Cell]) -> str:
    return "".join(cell.char for cell in row)


def test_an_account_that_is_forced_into_the_app_gets_the_app(side: Side) -> None:
    for asked in ([], ["sh", "-i"]):
        with Terminal([*ssh.client(side.place, side.forced), *asked], colours="256") as t:
            t.wait_for(ready)
            t.keys("q")
            assert t.exit_code(20) == 0
            assert t.left_behind() == []


def test_and_nothing_else(side: Side, tmp_path: Path) -> None:
    def asked(*words: str, stdin: str = "") -> tuple[int, str, str]:
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    client = [word for word in ssh.client(side.place, side.forced) if word != "-tt"]
    code, out, error = asked(*client, "sh -c id", stdin="id\n")
    assert (code, out) == (2, "")
    assert len(error.splitlines()) == 1, error
    assert "terminal" in error
    (tmp_path / "mine").write_text("mine")
    options = [*client[1:-1]]
    options[options.index("-p")] = "-P"
    for words, stdin in (
        (
            ["sftp", *options, "-b", "-", client[-1]],
            f"put {tmp_path}/mine {tmp_path}/put\nget /etc/passwd {tmp_path}/got\n",
        ),
        (["scp", *options, str(tmp_path / "mine"), f"{client[-1]}:{tmp_path}/put"], ""),
        (["scp", *options, f"{client[-1]}:/etc/passwd", str(tmp_path / "got")], ""),
    ):
        code, out, _ = asked(*words, stdin=stdin)
        assert code != 0
        assert "root:" not in out
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
