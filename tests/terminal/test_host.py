"""Sessions that `rnnviz host` forks for its clients: they are as a session without a host, each belongs to its client
and has the client's rights, and nothing that a client sends harms the host or another session."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rnnviz import attach
from rnnviz.cli import hosted, hosting
from tests.terminal.app import ready, rnnviz
from tests.terminal.driver import Terminal, environment
from tests.terminal.hosts import host, is_running, wait_for_end

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="a host needs Linux"),
]
is_root = hasattr(os, "geteuid") and os.geteuid() == 0
needs_root = pytest.mark.skipif(not is_root, reason="only root can have several accounts")
OTHERS = (65534, 65533)  # users; an account for them need not exist


@pytest.fixture(scope="module")
def the():
    with host() as found:
        yield found


def run(client: list[str], **settings) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        client, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment(), timeout=60, **settings
    )


# -- as without a host -----------------------------------------------------------------------------------


def test_a_session_looks_and_ends_as_one_without_a_host(the):
    screens = []
    for start in (the.terminal, rnnviz):
        with start("--steps", "12", columns=100, rows=30) as t:
            t.wait_for(ready)
            t.wait_for("●")
            t.press("right", "right", "right")
            t.settle()
            screens.append(t.screen())
            t.resize(80, 24)
            t.settle()
            screens.append(t.screen())
            t.keys("q")
            assert t.exit_code() == 0
            assert t.left_behind() == []
    assert screens[:2] == screens[2:]
    the.wait_for(0)


def test_a_lesson(the):
    with the.terminal("lesson", "1") as t:
        t.wait_for("n next")
        t.settle()
        t.keys("q")
        assert t.exit_code() == 0


def test_a_kiosk(the):
    """Its wall allows what a session of a host does to the end: it hears its client, and says its exit code."""
    with the.terminal("--kiosk") as t:
        t.wait_for("n next")
        t.press("right")
        t.resize(100, 30)
        t.settle()
        t.signal(signal.SIGTERM)
        assert t.exit_code() == 128 + signal.SIGTERM
        assert t.left_behind() == []
    refused = run(the.client("--kiosk", "--data", "/etc/passwd"))
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


def test_output_and_exit_code_of_a_command(the):
    assert run(the.client("--version")).stdout.startswith("rnnviz ")
    wrong = run(the.client("--hiden", "3"))
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (2, "", 1)
    assert "--hiden: unknown flag" in wrong.stderr


def test_folder_umask_limits_and_variables_are_those_of_the_client(the, tmp_path):
    def limited() -> None:
        os.umask(0o027)
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))

    (tmp_path / "mine.toml").write_text("hidden_size = 3\n")
    assert '"hidden_size": 3' in run(the.client("train", "mine.toml", "--epochs", "1", "--json"), cwd=tmp_path).stdout
    reader, writer = socket.socketpair()
    with reader, writer:
        pid = os.fork()
        if pid == 0:  # another process: it gives its limits up
            limited()
            request = ascii(([], {"A": "1", "RNNVIZ_X": "1"}, 0o27, {"NOFILE": (50, 2**62)})).encode()
            null = os.open(os.devnull, os.O_RDWR)
            folder = os.open(tmp_path, os.O_PATH)
            socket.send_fds(writer, [len(request).to_bytes(4, "big") + request], [null, null, null, folder])
            hosted.take(hosted.read(reader))
            found = resource.getrlimit(resource.RLIMIT_NOFILE), os.umask(0), dict(os.environ), os.getcwd()
            expected = (50, 200), 0o27, {"RNNVIZ_X": "1", "PATH": hosted.PATH}, str(tmp_path)
            os._exit(0 if found == expected else 1)
        assert os.waitpid(pid, 0)[1] == 0


def test_without_a_host_the_client_becomes_rnnviz(tmp_path):
    client = [sys.executable, "-IS", attach.__file__, "--socket", str(tmp_path / "none"), "--version"]
    assert run(client).stdout.startswith("rnnviz ")


# -- a session and its client ----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_the_client_ends_the_session(the, number):
    with the.terminal() as t:
        t.wait_for(ready)
        t.signal(number)
        assert t.exit_code() == 128 + number
        assert t.left_behind() == []
    the.wait_for(0)


def test_a_session_ends_with_its_client(the):
    with the.terminal() as t:
        t.wait_for(ready)
        (session,) = the.wait_for(1)
        t.signal(signal.SIGKILL)
        wait_for_end(session)


def test_a_session_ends_with_its_terminal(the):
    with the.terminal() as t:
        t.wait_for(ready)
        (session,) = the.wait_for(1)
        t.hang_up()
        wait_for_end(session)
        wait_for_end(t.process.pid)


def test_a_client_restores_the_terminal_after_a_session_that_was_killed(the):
    with the.terminal() as t:
        t.wait_for(ready)
        (session,) = the.wait_for(1)
        os.kill(session, signal.SIGKILL)
        assert t.exit_code() == 1
        assert t.left_behind() == []
        assert "ended from outside" in "".join(t.screen())


def test_ctrl_z_and_signals_to_stop_do_not_leave_a_stopped_session(the):
    with the.terminal() as t:
        t.wait_for(ready)
        (session,) = the.wait_for(1)
        for pid in (session, t.process.pid):
            os.kill(pid, signal.SIGTSTP)
        t.keys("ctrl+z")
        t.wait_for("Cannot suspend")
        t.keys("q")
        assert t.exit_code() == 0


def test_a_client_in_the_background_waits_for_the_foreground(the):
    with Terminal(["bash", "--norc", "-i"], env={"PS1": "> "}) as t:
        t.wait_for(">")
        t.type(" ".join(the.client()) + " &\n")
        t.settle(1.0)
        assert the.sessions() == []
        t.type("fg\n")
        t.wait_for(ready)
        t.keys("q")
        t.wait_for(lambda screen: screen[-1] == "" and any(row == ">" for row in screen))
    the.wait_for(0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_sessions_go_on_without_the_host(tmp_path, number):
    with host(folder=tmp_path) as mine, mine.terminal() as t:
        t.wait_for(ready)
        (session,) = mine.wait_for(1)
        mine.process.send_signal(number)
        mine.process.wait(10)
        assert mine.socket.exists() == (number == signal.SIGKILL)
        t.press("right")
        t.keys("q")
        assert t.exit_code() == 0
        assert t.left_behind() == []
        wait_for_end(session)
        if number == signal.SIGKILL:  # another host takes the place of the socket that was left
            with host(folder=tmp_path) as next_one:
                assert run(next_one.client("--version")).returncode == 0


# -- strangers -------------------------------------------------------------------------------------------


def answer_to(the, sent: bytes, descriptors: int = 0) -> bytes:
    """What a host answers to these bytes, until it ends the connection."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(the.socket))
        null = os.open(os.devnull, os.O_RDWR)
        try:
            socket.send_fds(connection, [sent], [null] * descriptors)
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(4096)
        except OSError:  # it had ended the connection before it had read everything
            return b""
        finally:
            os.close(null)


def request(content: object) -> bytes:
    text = ascii(content).encode()
    return len(text).to_bytes(4, "big") + text


@pytest.mark.parametrize(
    ("sent", "descriptors"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 0),
        (b"\xff" * 100_000, 4),
        (b"\0\0", 4),
        (b"\0\0\0\x05((((", 4),
        ((60_000).to_bytes(4, "big") + b"(" * 60_000, 4),
        (request(["--version"]), 4),
        (request((["--version"], {}, 0, {})), 0),
        (request((["--version"], {}, 0, {})), 3),
        (request((["--version", 3], {}, 0, {})), 4),
        (request((["--version"], {"A=B": "c"}, 0, {})), 4),
        (request((["--version"], {"A": "\0"}, 0, {})), 4),
        (request((["--version"], {}, "0", {})), 4),
        (request((["--version"], {}, 0, {"AS": 3})), 4),
        (request("__import__('os').system('id')"), 4),
    ],
)
def test_garbage_is_refused_in_one_line(the, sent, descriptors):
    assert answer_to(the, sent, descriptors) == attach.packed(
        attach.REFUSED, b"the host cannot read this request: it runs another version of rnnviz; restart rnnviz host"
    )
    assert run(the.client("--version")).returncode == 0


def test_a_client_that_sends_nothing_holds_up_nobody(the):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.connect(str(the.socket))
        assert run(the.client("--version")).returncode == 0
    the.wait_for(0)


@needs_root
def test_a_session_has_the_rights_of_its_client_and_no_other(the):
    with the.terminal(uid=OTHERS[0], env={"HOME": "/nonexistent"}) as t:
        t.wait_for(ready)
        (session,) = the.wait_for(1)
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{session}/status").read_text().splitlines())
        uid = str(OTHERS[0])
        assert status["Uid"].split() == status["Gid"].split() == [uid] * 4
        assert status["Groups"].split() == ["4242", uid]
        assert all(int(status[f"Cap{name}"], 16) == 0 for name in ("Prm", "Eff", "Inh", "Amb"))
        assert files_of(session) & files_of(the.process.pid) <= {os.devnull}  # neither its socket nor its log
        for attempt in (f"os.kill({session}, 9)", f"open('/proc/{session}/mem', 'rb')"):
            assert exception_of(OTHERS[1], attempt) == "PermissionError"
        t.keys("q")
        assert t.exit_code() == 0


@needs_root
def test_a_host_of_an_account_serves_that_account_alone(tmp_path):
    with host_of(OTHERS[0], tmp_path) as socket_file:
        client = [sys.executable, "-IS", attach.__file__, "--socket", str(socket_file), "--version"]
        answer = run(client)
        assert answer.returncode == 2
        assert "it belongs to another user" in answer.stderr  # the client looks first
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(str(socket_file))
            assert connection.recv(4096) == attach.packed(attach.REFUSED, b"this host belongs to another user")


def files_of(pid: int) -> set[str]:
    """What a process has open: the names of files and the numbers of sockets."""
    names = {os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    return {name for name in names if not name.startswith("anon_inode:")}


def exception_of(uid: int, statement: str) -> str:
    """The name of the exception that this statement raises for this user, or ""."""
    code = f"""
import os
os.setgroups([]), os.setgid({uid}), os.setuid({uid})
try:
    {statement}
except Exception as error:
    print(type(error).__name__, end="")
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@contextlib.contextmanager
def host_of(uid: int, folder: Path):
    """The socket of a host that has given up root's rights."""
    path = folder / "its"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    pid = os.fork()
    if pid == 0:
        try:
            listener.bind(str(path))
            path.chmod(0o666)
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            listener.listen(8)
            hosting.Host(listener, 8, None).serve()
        finally:
            os._exit(0)
    listener.close()
    try:
        while not path.exists():
            pass
        yield path
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


# -- the host itself -------------------------------------------------------------------------------------


def test_the_number_of_sessions_is_bounded():
    with host("--sessions", "2", "--per-account", "1") as mine, mine.terminal() as t:
        t.wait_for(ready)
        second = run(mine.client("--version"))
        assert (second.returncode, second.stderr) == (
            2,
            "rnnviz: all your sessions are in use (1 of 1); end one of them first\n",
        )
        t.keys("q")
        t.exit_code()
        mine.wait_for(0)
        assert run(mine.client("--version")).returncode == 0


def test_a_socket_in_a_folder_that_others_can_write_is_refused(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "file").write_text("mine")
    for place, reason in (
        ("open/host", "others can write it"),
        ("open/new/host", "others can write it"),
        ("file", "it is a file, not a socket"),
    ):
        answer = run([sys.executable, "-m", "rnnviz", "host", "--socket", str(tmp_path / place)])
        assert answer.returncode == 2
        assert reason in answer.stderr
        assert answer.stderr.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"
    assert not list((tmp_path / "open").iterdir())  # nothing is made there, either


def test_a_link_on_the_way_to_the_socket_is_followed_once(tmp_path):
    way, real = tmp_path / "way", tmp_path / "real"
    real.mkdir()
    way.symlink_to(real)
    with host(folder=way) as mine:
        assert run(mine.client("--version")).returncode == 0
        way.unlink()
        way.symlink_to(tmp_path)
        mine.process.terminate()
        assert mine.process.wait(10) == 0
    assert not (real / "host").exists()


def test_two_hosts_do_not_share_a_socket(the):
    answer = run([sys.executable, "-m", "rnnviz", "host", "--socket", str(the.socket)])
    assert answer.returncode == 2
    assert "another host listens there" in answer.stderr


def test_the_host_has_one_thread(the):
    assert len(os.listdir(f"/proc/{the.process.pid}/task")) == 1


def test_a_host_that_systemd_started_serves_at_its_socket(tmp_path):
    path = tmp_path / "passed"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(8)
        start = (
            "import os, sys; os.dup2(int(sys.argv[1]), 3); os.set_inheritable(3, True);"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1');"
            "os.execv(sys.executable, [sys.executable, '-m', 'rnnviz', 'host'])"
        )
        number = listener.fileno()
        process = subprocess.Popen([sys.executable, "-c", start, str(number)], pass_fds=[number], env=environment())
    client = [sys.executable, "-IS", attach.__file__, "--socket", str(path), "--version"]
    assert run(client).stdout.startswith("rnnviz ")  # it waits until the host is there
    process.terminate()
    assert process.wait(10) == 0
    assert not is_running(process.pid)
