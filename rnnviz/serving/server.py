"""The web server: a page, the files it asks for, and a websocket behind which the app runs in a terminal of its own.

    /TOKEN/            the page, or one sentence if all sessions are in use
    /TOKEN/static/…    what the page asks for; nothing of it comes from another host
    /TOKEN/ws          a session: it ends with its websocket, and the websocket with it

Every path begins with the token. What a session holds in memory is bounded: neither side is read while the other does
not take what was read before, except that typing which the app does not take is dropped.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING, Any

from aiohttp import WSCloseCode, WSMsgType, web

from rnnviz.crash import report
from rnnviz.serving import xterm_page
from rnnviz.serving.guard import Guard

if TYPE_CHECKING:
    from rnnviz.serving.terminal import Terminal  # POSIX has it

    Start = Callable[[tuple[int, int]], Awaitable[Terminal]]

LONGEST_MESSAGE = 1 << 19  # bytes from a browser; the page sends shorter ones
LONGEST_PING = 40
ALIVE = 15.0  # seconds between two questions whether the browser is there
FAREWELL = 1.0  # seconds a browser has to answer that its websocket is closed

#: What a terminal sends by itself: status, focus, modes, position, what it is. Not a person's doing.
ANSWERS = re.compile(r"(?:\x1b\[(?:0n|[IO]|\?[\d;]+\$y|\d+;\d+R|[?>][\d;]*c))+")

WRONG_HOST = "This server does not answer to the name in this address. Start it with --public-url ADDRESS."
WRONG_TOKEN = "This address has no token, or a wrong one. Open the whole address that rnnviz serve printed."
WRONG_ORIGIN = "This page may not open a session here."
NO_FILE = "There is no such page."
FULL = "All sessions of this server are in use ({0} of {0}). Try again in a few minutes."
IDLE = "This session has ended: no key for {:g} min. Lesson progress is saved as usual."
STOPPED = "The server has stopped."
BROKEN = "There was an error in the server."
FAILED = "rnnviz cannot start: {}."

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the token is in the address
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), clipboard-read=()",
    "Cache-Control": "no-store",
    "Server": "rnnviz",
}
#: xterm.js writes its own styles into the page; it needs no other exception.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src data:; "
    "connect-src 'self' {sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Limits:
    """sessions  how many may run at once
    idle      seconds without a key after which one ends; None: never"""

    sessions: int
    idle: float | None


class Sessions:
    """start: starts the app in a terminal of this size (columns, rows); raises OSError."""

    def __init__(self, start: Start, guard: Guard, limits: Limits) -> None:
        self._start, self._guard, self._limits = start, guard, limits
        self._files = xterm_page.page_files()
        self._page, self._notice = xterm_page.ours(xterm_page.PAGE), Template(xterm_page.ours(xterm_page.NOTICE))
        self._running: set[web.WebSocketResponse] = set()
        self._stopped = asyncio.Event()

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._guarded])
        app.router.add_get("/{token}", self._to_page)
        app.router.add_get("/{token}/", self._show_page)
        app.router.add_get("/{token}/static/{name}", self._show_file)
        app.router.add_get("/{token}/ws", self._open_session)
        app.on_shutdown.append(self._stop)
        return app

    async def _stop(self, app: web.Application) -> None:
        """End all sessions; each closes its own websocket."""
        self._stopped.set()
        while self._running:
            await asyncio.sleep(0.01)

    # -- pages ---------------------------------------------------------------------------------------------

    @property
    def _guarded(self) -> Any:
        """What is asked of every request, and said with every answer."""

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            host = request.headers.get("Host", "")
            if not self._guard.answers_to(host):
                return _refusal(403, WRONG_HOST)
            if not self._guard.knows(request.match_info.get("token", "")):
                return _refusal(403, WRONG_TOKEN)
            try:
                response = await handler(request)
            except web.HTTPException:
                response = _refusal(404, NO_FILE)
            except Exception as error:
                print(f"rnnviz serve: {report(error)}", file=sys.stderr, flush=True)
                response = _refusal(500, BROKEN)
            if not response.prepared:
                for name, value in HEADERS.items():
                    response.headers.setdefault(name, value)
                response.headers.setdefault(
                    "Content-Security-Policy", POLICY.format(sockets=" ".join(self._guard.sockets(host)))
                )
            return response

        return guarded

    async def _to_page(self, request: web.Request) -> web.Response:
        """An address whose last slash was lost."""
        return web.Response(status=307, headers={"Location": f"{self._guard.token}/"})

    async def _show_page(self, request: web.Request) -> web.Response:
        if self._is_full:
            text = self._notice.substitute(sentence=self._full)
            return web.Response(status=503, text=text, content_type="text/html", headers={"Retry-After": "60"})
        return web.Response(text=self._page, content_type="text/html")

    async def _show_file(self, request: web.Request) -> web.Response:
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        headers = {"Content-Type": file.kind, "Cache-Control": "private, max-age=3600", "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=file.packed, headers={**headers, "Content-Encoding": "gzip"})
        return web.Response(body=file.content, headers=headers)

    # -- sessions ------------------------------------------------------------------------------------------

    @property
    def _is_full(self) -> bool:
        return len(self._running) >= self._limits.sessions

    @property
    def _full(self) -> str:
        return FULL.format(self._limits.sessions)

    async def _open_session(self, request: web.Request) -> web.StreamResponse:
        if not self._guard.lets(request.headers.get("Origin", ""), request.headers.get("Host", "")):
            return _refusal(403, WRONG_ORIGIN)
        socket = web.WebSocketResponse(heartbeat=ALIVE, max_msg_size=LONGEST_MESSAGE, timeout=FAREWELL)
        if not socket.can_prepare(request):
            return _refusal(426, NO_FILE)
        is_full = self._is_full
        if not is_full:
            self._running.add(socket)
        try:
            await socket.prepare(request)
            if is_full:
                await _close(socket, self._full, WSCloseCode.TRY_AGAIN_LATER)
            else:
                await self._run(socket, (_number(request.query.get("width")), _number(request.query.get("height"))))
        finally:
            self._running.discard(socket)
        return socket

    async def _run(self, socket: web.WebSocketResponse, size: tuple[int, int]) -> None:
        """Run the app for this websocket until one of the two ends, nobody has typed for long, or the server stops."""
        try:
            terminal = await self._start(size)
        except OSError as error:
            await _close(socket, FAILED.format(error.strerror), WSCloseCode.INTERNAL_ERROR)
            return
        typed = _Typed()
        shown = asyncio.create_task(_show(terminal, socket))
        tasks: dict[asyncio.Task[Any], str] = {
            asyncio.create_task(self._stopped.wait()): STOPPED,
            asyncio.create_task(_take(socket, terminal, typed)): "",
            shown: "",
        }
        if self._limits.idle is not None:
            idle = IDLE.format(self._limits.idle / 60)
            tasks[asyncio.create_task(typed.nothing_for(self._limits.idle))] = idle
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            why = next(why for task, why in tasks.items() if task in done)
        finally:
            for task in tasks:
                task.cancel()
            code = await terminal.end()
            self._running.discard(socket)
            await asyncio.gather(*tasks, return_exceptions=True)
        if not why and shown in done:
            why = "rnnviz has ended." if code == 0 else f"rnnviz has ended with exit code {code}."
        await _close(socket, why)


class _Typed:
    """When a person last did something."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def hear(self, text: str) -> None:
        if not ANSWERS.fullmatch(text):
            self._last = time.monotonic()

    async def nothing_for(self, seconds: float) -> None:
        """Wait until nothing was done for so long."""
        while (left := self._last + seconds - time.monotonic()) > 0:
            await asyncio.sleep(left)


async def _show(terminal: Terminal, socket: web.WebSocketResponse) -> None:
    """What the app writes goes to the browser. While it does not take it, nothing is read, and the app holds back."""
    with suppress(ConnectionError):
        while data := await terminal.read():
            await socket.send_bytes(data)
            await asyncio.sleep(0)  # neither of the two waits while there is more: the others have their turn


async def _take(socket: web.WebSocketResponse, terminal: Terminal, typed: _Typed) -> None:
    """What the browser sends goes to the app, until the browser is gone. What is no message of the page is ignored."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        with suppress(ValueError, RecursionError):
            match json.loads(message.data):
                case ["stdin", str(text)] if text:
                    typed.hear(text)
                    terminal.write(text.encode("utf-8", "ignore"))
                case ["resize", {"width": int(width), "height": int(height)}]:
                    terminal.resize((width, height))
                case ["ping", str(when)] if len(when) <= LONGEST_PING:
                    with suppress(ConnectionError):
                        await socket.send_str(json.dumps(["pong", when]))


async def _close(socket: web.WebSocketResponse, why: str, code: int = WSCloseCode.OK) -> None:
    """Close it; why: for the person, as long as a websocket takes."""
    with suppress(ConnectionError):
        await socket.close(code=code, message=why.encode()[:123], drain=False)


def _refusal(status: int, sentence: str) -> web.Response:
    headers = {**HEADERS, "Content-Security-Policy": "default-src 'none'"}
    return web.Response(status=status, text=f"{sentence}\n", headers=headers)


def _number(text: str | None) -> int:
    """The text as a number; 0 if it is none."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


async def listen(sessions: Sessions, host: str, port: int) -> web.AppRunner:
    """Begin to serve; its `addresses` are where, and its `cleanup` ends it. Raises OSError."""
    quiet = logging.Logger("rnnviz.serving", logging.CRITICAL)  # it would log each request that is none
    app = sessions.application()
    runner = web.AppRunner(app, access_log=None, logger=quiet, handle_signals=False, shutdown_timeout=FAREWELL)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner
