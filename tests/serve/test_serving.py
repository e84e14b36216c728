"""The server itself, asked by a client that sends what no browser would: who is let in, what is bounded, and that no
app outlives its websocket or its server."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from rnnviz.serving.guard import Guard
from tests.serve.served import Served
from tests.terminal.driver import Emulator, process_stat
from tests.terminal.hosts import host

aiohttp: Any = pytest.importorskip("aiohttp", reason="needs the extra serve")
pytest.importorskip("textual_serve", reason="needs the extra serve")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc"),
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served"), "--free", "--sessions", "3") as server:
        yield server
        assert server.errors.read_text() == ""


@pytest.fixture
def served(shared: Served) -> Served:
    """A server without a session."""
    shared.wait_for_no_app()
    return shared


@pytest.fixture
def ending(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, "--free") as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[Any]:
    async with aiohttp.ClientSession() as client:
        yield client


class Screen:
    """What a websocket shows; closed: the code and the reason it was closed with."""

    def __init__(self, websocket: Any) -> None:
        self.websocket = websocket
        self.emulator = Emulator(80, 24)
        self.texts: list[str] = []

    async def until(self, words: str) -> None:
        async with asyncio.timeout(60):
            while words not in "\n".join(self.emulator.text()):
                assert await self.take(), (words, self.emulator.text())

    async def closed(self) -> tuple[int, str]:
        async with asyncio.timeout(60):
            while await self.take():
                pass
        return self.websocket.close_code, self.reason

    async def take(self) -> bool:
        message = await self.websocket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            self.emulator.feed(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            self.texts.append(message.data)
        else:
            self.reason = message.extra
            return False
        return True

    async def type(self, text: str) -> None:
        await self.websocket.send_str(json.dumps(["stdin", text]))


async def opened(served: Served, http: Any) -> Screen:
    screen = Screen(await served.session(http))
    await screen.until("? keys")
    return screen


# -- who is let in -------------------------------------------------------------------------------------------


async def test_without_the_token_there_is_nothing(served: Served, http: Any) -> None:
    wrong = served.token[:-1] + ("A" if served.token[-1] != "A" else "B")
    for path in ("", "favicon.ico", "ws", "static/textual.js", f"{wrong}/", f"{wrong}/ws", f"{wrong}/static/page.js",
                 f"x/{served.token}/", f"{served.token}/../../etc/passwd", "%2e%2e/"):  # fmt: skip
        async with http.get(f"{served.origin}/{path}", headers={"Origin": served.origin}) as answer:
            assert (answer.status, await answer.text()) == (
                403,
                "This address has no token, or a wrong one. Open the whole address that rnnviz serve printed.\n",
            ), path
    for path in ("nothing", "static/", "static/nothing", "static/..%2f..%2fserver.py", "static/../serving/server.py"):
        async with http.get(served.path(path)) as answer:
            assert answer.status in (403, 404), path
    async with http.post(served.path()) as answer:
        assert answer.status == 403
    assert not served.apps()


async def test_the_page_its_files_and_what_is_said_with_them(served: Served, http: Any) -> None:
    async with http.get(served.path()[:-1], allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (307, f"{served.token}/")
    async with http.get(served.path()) as answer:
        page = await answer.text()
    for path in ("", *re.findall(r'(?:href|src)="(static/[^"]+)"', page)):
        async with http.get(served.path(path)) as answer:
            assert answer.status == 200
            assert await answer.read()
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'; script-src 'self';" in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == ("private, max-age=3600" if path else "no-store")
            assert "aiohttp" not in answer.headers["Server"]
    assert "://" not in page


async def test_another_host_is_refused(served: Served, http: Any) -> None:
    """A name that someone else lets point here: DNS rebinding."""
    for path in ("", "static/page.js", "ws"):
        headers = {"Host": "attacker.example", "Origin": "http://attacker.example"}
        async with http.get(served.path(path), headers=headers) as answer:
            assert answer.status == 403
            assert "does not answer" in await answer.text()


async def test_another_origin_is_refused(served: Served, http: Any) -> None:
    for origin in ("http://attacker.example", "http://127.0.0.1:1", "null", None):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(served.path("ws"), headers={} if origin is None else {"Origin": origin})
        assert refused.value.status == 403
    assert not served.apps()


async def test_what_is_no_request_is_answered_without_a_traceback(served: Served) -> None:
    for data in (b"\0" * 100, b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 100_000, b"\x16\x03\x01\x02\0\x01"):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(served.origin.rpartition(":")[2]))
        writer.write(data + b"\r\n\r\n")
        with suppress(ConnectionError):
            await asyncio.wait_for(reader.read(100), 20)
        writer.close()
    async with aiohttp.ClientSession() as http, http.get(served.path()) as answer:
        assert answer.status == 200


# -- sessions ------------------------------------------------------------------------------------------------


async def test_the_next_one_is_told_that_all_are_in_use(served: Served, http: Any) -> None:
    screens = [await opened(served, http) for _ in range(3)]
    full = "All sessions of this server are in use (3 of 3). Try again in a few minutes."
    async with http.get(served.path()) as answer:
        assert (answer.status, full in await answer.text()) == (503, True)
    assert await Screen(await served.session(http)).closed() == (1013, full)
    assert len(served.apps()) == 3
    await screens[0].websocket.close()
    served.wait(lambda: len(served.apps()) == 2)
    status = 503
    while status == 503:
        async with http.get(served.path()) as answer:
            status = answer.status
    await opened(served, http)


async def test_an_idle_session_ends_though_its_terminal_answers(tmp_path: Path, http: Any) -> None:
    """What a terminal sends by itself is no key; a key is."""
    with Served(tmp_path, "--free", "--idle", "0.05") as served:
        idle, busy = await opened(served, http), await opened(served, http)

        async def answers() -> None:
            while True:
                await idle.type("\x1b[0n\x1b[?2026;0$y\x1b[I")
                await busy.type("\x1b[C")
                await asyncio.sleep(0.3)

        answering = asyncio.create_task(answers())
        watching = asyncio.create_task(busy.closed())
        _, reason = await idle.closed()
        assert reason == "This session has ended: no key for 0.05 min. Lesson progress is saved as usual."
        answering.cancel()
        assert not watching.done()
        served.wait(lambda: len(served.apps()) == 1)
        watching.cancel()


async def test_quitting_and_failing_are_told_apart(served: Served, tmp_path: Path, http: Any) -> None:
    screen = await opened(served, http)
    await screen.type("q")
    assert await screen.closed() == (1000, "rnnviz has ended.")
    served.wait_for_no_app()
    screen = await opened(served, http)
    os.kill(served.apps()[0], signal.SIGKILL)
    assert await screen.closed() == (1000, "rnnviz has ended with exit code -9.")


async def test_the_app_has_a_clean_environment_and_no_shell(tmp_path: Path, http: Any) -> None:
    secret = {"SECRET": "x", "PYTHONSTARTUP": "/x", "NO_COLOR": "1", "SSH_AUTH_SOCK": "/x", "TEXTUAL_DRIVER": "x:X"}
    folder = tmp_path / "it's; a $(folder)"
    folder.mkdir()
    (folder / "one.toml").write_text("hidden_size = 3\n")
    with Served(tmp_path, str(folder / "one.toml"), env=secret) as served:
        screen = await opened(served, http)
        assert "H 3" in screen.emulator.text()[0]
        (app,) = served.apps()
        variables = dict(
            pair.split("=", 1) for pair in Path(f"/proc/{app}/environ").read_text().split("\0") if "=" in pair
        )
        assert not secret.keys() & variables.keys()
        assert variables["COLORTERM"] == "truecolor"
        assert int(process_stat(app)[1]) == served.process.pid
        assert os.getsid(app) == app


# -- bounds --------------------------------------------------------------------------------------------------


def size_of(app: int) -> tuple[int, ...]:
    """Of the terminal of a process."""
    terminal = os.open(f"/proc/{app}/fd/0", os.O_RDONLY | os.O_NOCTTY)
    try:
        return tuple(os.get_terminal_size(terminal))
    finally:
        os.close(terminal)


async def test_sizes_are_clamped(served: Served, http: Any) -> None:
    screen = await opened(served, http)
    (app,) = served.apps()
    for size in (
        {"width": 10**9, "height": 10**9}, {"width": 0, "height": -5}, {"width": "80", "height": None}, {}, [], None,
        {"width": 1e308, "height": 3.5}, {"width": True, "height": False}, {"width": 10**400, "height": 1},
    ):  # fmt: skip
        await screen.websocket.send_str(json.dumps(["resize", size]))
    await screen.websocket.send_str(json.dumps(["resize", {"width": 10**9, "height": 10**9}]))
    served.wait(lambda: size_of(app) == (500, 200))
    await screen.websocket.send_str(json.dumps(["resize", {"width": 80, "height": 24}]))
    await screen.type("q")
    assert (await screen.closed())[1] == "rnnviz has ended."


async def test_what_is_no_message_of_the_page_is_ignored(served: Served, http: Any) -> None:
    screen = await opened(served, http)
    for text in ("", "x", "[]", "{}", "null", "1", '["stdin"]', '["stdin", 3]', '["stdin", "a", "b"]', '["quit"]',
                 '["exec", "id"]', "[" * 100_000, '["stdin", "\\ud800"]', '["ping", "%s"]' % ("9" * 1000),
                 '["resize", {"width": NaN, "height": Infinity}]', "1" * 100_000):  # fmt: skip
        await screen.websocket.send_str(text)
    await screen.websocket.send_bytes(b"\0\xff" * 100)
    await screen.websocket.send_str('["ping", "123"]')
    await screen.type("\x1b[C")
    await screen.until("t = 1")
    assert screen.texts == ['["pong", "123"]']
    await screen.websocket.send_str(json.dumps(["stdin", "x" * (1 << 20)]))
    assert (await screen.closed())[0] == 1009  # too big
    served.wait_for_no_app()


def memory() -> int:
    """Resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_browser_that_does_not_read_costs_no_memory(http: Any) -> None:
    """A program that writes without end, in a server and for a client that are both in this process."""
    from rnnviz.serving.server import Limits, Sessions, listen
    from rnnviz.serving.terminal import Terminal

    flood = [sys.executable, "-c", "import os\nwhile True: os.write(1, os.urandom(1 << 16))"]
    sessions = Sessions(lambda size: Terminal.start(flood, {}, size), Guard("token", ()), Limits(1, None))
    runner = await listen(sessions, "127.0.0.1", 0)
    here = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        websocket = await http.ws_connect(f"{here}/token/ws", headers={"Origin": here})
        await asyncio.sleep(0.2)
        before = memory()
        await asyncio.sleep(1.5)
        assert memory() - before < 4_000_000
        assert not websocket.closed
    finally:
        await runner.cleanup()


async def test_an_app_that_does_not_read_costs_no_memory(served: Served, http: Any) -> None:
    """Stopped, as one that hangs: typing is dropped, closing still ends it."""
    screen = await opened(served, http)
    (app,) = served.apps()
    os.kill(app, signal.SIGSTOP)
    before = served.memory()
    for _ in range(400):
        await screen.type("x" * 60_000)
    await screen.websocket.send_str('["ping", "1"]')
    while not screen.texts:
        await screen.take()
    assert served.memory() - before < 8_000_000
    await screen.websocket.close()
    served.wait_for_no_app()


# -- the end -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP], ids=str)
def test_it_ends_by_other_signals(ending: Served, number: int) -> None:
    ending.process.send_signal(number)
    assert ending.process.wait(20) == 128 + number
    assert ending.errors.read_text() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=str)
async def test_no_app_outlives_its_server(ending: Served, http: Any, number: int) -> None:
    screens = [await opened(ending, http) for _ in range(2)]
    await screens[0].type("a")  # trains
    os.kill(ending.apps()[0], signal.SIGSTOP)
    ending.process.send_signal(number)
    ending.wait_for_no_app()
    code = ending.process.wait(20)
    assert code == (-number if number == signal.SIGKILL else 128 + number)
    if number != signal.SIGKILL:
        assert await screens[1].closed() == (1000, "The server has stopped.")
    assert ending.errors.read_text() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=str)
async def test_a_session_of_a_host_ends_with_its_page_and_with_its_server(
    number: int, tmp_path: Path, http: Any
) -> None:
    """`rnnviz host` forks the app: it is no child of the server."""
    with host(folder=tmp_path) as waiting, Served(tmp_path, "--free", "--socket", str(waiting.socket)) as served:
        screens = [await opened(served, http) for _ in range(2)]
        waiting.wait_for(2)
        await screens[0].type("\x1b[C")
        await screens[0].until("t = 1")
        await screens[0].websocket.send_str(json.dumps(["resize", {"width": 100, "height": 30}]))
        screens[0].emulator.resize(100, 30)
        await screens[0].type("q")
        assert await screens[0].closed() == (1000, "rnnviz has ended.")
        waiting.wait_for(1)
        served.process.send_signal(number)
        waiting.wait_for(0)


async def test_a_connection_that_breaks_ends_its_app(served: Served, http: Any) -> None:
    screen = await opened(served, http)
    screen.websocket.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
    served.wait_for_no_app()
    await opened(served, http)
