"""A headless Chromium for the tests, driven by its DevTools protocol: pages are opened, typed into, resized and looked
at, and what their websockets carry is read.

    async with Chromium(folder) as chromium:
        page = await chromium.open(address, 1280, 800)
        await page.until("time t")     # on the screen that the page's terminal shows
        await page.press("ArrowRight")
        await page.close()
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.terminal.driver import Emulator

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 60.0  # seconds; a test that waits this long fails

FLAGS = (
    "--headless=new", "--remote-debugging-port=0", "--no-first-run", "--no-default-browser-check",
    "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb", "--hide-scrollbars",
)  # fmt: skip

#: Keys that have no character: their names, and their numbers in the DevTools protocol.
KEYS = {
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Escape": 27, "Tab": 9,
    "Backspace": 8, "Home": 36, "End": 35, "PageUp": 33, "PageDown": 34, "F1": 112, "F5": 116,
}  # fmt: skip


class Chromium:
    """One browser. folder: where it keeps its profile."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder, self.flags = folder, flags
        self.pages: dict[str, Page] = {}
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Chromium:
        import aiohttp

        assert PROGRAM is not None
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        self.process = await asyncio.create_subprocess_exec(
            PROGRAM, *FLAGS, *root, *self.flags, f"--user-data-dir={self.folder}", "about:blank",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        port_file = self.folder / "DevToolsActivePort"
        async with asyncio.timeout(PATIENCE):
            while not (port_file.exists() and port_file.read_text().count("\n")):
                await asyncio.sleep(0.02)
        port, path = port_file.read_text().split()
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(f"ws://127.0.0.1:{port}{path}", max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reader.cancel()
        await self._http.close()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    async def open(self, address: str, width: int = 1280, height: int = 800) -> Page:
        """A new tab with this address, of this size in pixels."""
        target = (await self.send("Target.createTarget", url="about:blank"))["targetId"]
        session = (await self.send("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        page = self.pages[session] = Page(self, target, session)
        for domain in ("Page", "Network", "Runtime", "Log"):
            await page.send(f"{domain}.enable")
        await page.resize(width, height)
        await page.go(address)
        return page

    async def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(message if session is None else {**message, "sessionId": session})
        async with asyncio.timeout(PATIENCE):
            return await answer

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                answer = self._answers.pop(said["id"])
                if answer.done():
                    continue
                if "error" in said:
                    answer.set_exception(AssertionError(said["error"]))
                else:
                    answer.set_result(said["result"])
            elif (page := self.pages.get(said.get("sessionId", ""))) is not None:
                page.hear(said["method"], said["params"])


class Page:
    """One tab. `emulator` shows what came through the newest of its websockets, as the page's own terminal does."""

    def __init__(self, chromium: Chromium, target: str, session: str) -> None:
        self.chromium, self.target, self.session = chromium, target, session
        self.emulator = Emulator(80, 24)
        self.sockets = 0  # opened so far
        self.is_open = False  # the newest of them
        self.heard = asyncio.Event()
        self.requests: list[str] = []  # the addresses of all it asked for
        self.problems: list[str] = []  # errors of its scripts, and what its policy refused

    def hear(self, method: str, about: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(about["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(about["url"])
                self.sockets += 1
                self.is_open = True
                self.emulator = Emulator(80, 24)
            case "Network.webSocketClosed":
                self.is_open = False
            case "Network.webSocketFrameSent":
                with suppress(ValueError, TypeError, KeyError):
                    kind, value = json.loads(about["response"]["payloadData"])
                    if kind == "resize":
                        self.emulator.resize(value["width"], value["height"])
            case "Network.webSocketFrameReceived" if about["response"]["opcode"] == 2:
                self.emulator.feed(base64.b64decode(about["response"]["payloadData"]))
            case "Runtime.exceptionThrown":
                self.problems.append(about["exceptionDetails"].get("exception", {}).get("description", "exception"))
            case "Log.entryAdded" if about["entry"]["level"] == "error":
                self.problems.append(about["entry"]["text"])
        self.heard.set()

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        return await self.chromium.send(method, self.session, **parameters)

    # -- what a person does --------------------------------------------------------------------------------

    async def go(self, address: str) -> None:
        await self.send("Page.navigate", url=address)

    async def reload(self) -> None:
        await self.send("Page.reload")

    async def close(self) -> None:
        await self.chromium.send("Target.closeTarget", targetId=self.target)

    async def resize(self, width: int, height: int) -> None:
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def look(self) -> None:
        """Make it the tab that is seen; Chromium slows down what a tab behind it does."""
        await self.send("Page.bringToFront")

    async def press(self, *keys: str, ctrl: bool = False) -> None:
        """Press keys: names of KEYS, or single characters."""
        await self.look()
        for key in keys:
            about: dict[str, Any] = {"key": key, "modifiers": 2 if ctrl else 0}
            if key in KEYS:
                about |= {"code": key, "windowsVirtualKeyCode": KEYS[key]} | ({"text": "\r"} if key == "Enter" else {})
            else:
                about |= {"windowsVirtualKeyCode": ord(key.upper())} | ({} if ctrl else {"text": key})
            await self.send("Input.dispatchKeyEvent", type="keyDown", **about)
            await self.send("Input.dispatchKeyEvent", type="keyUp", **about)

    async def click(self, x: float, y: float) -> None:
        """Click at a place in pixels."""
        await self.look()
        for kind in ("mousePressed", "mouseReleased"):
            await self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def drag(self, start: tuple[float, float], end: tuple[float, float], *, shift: bool = False) -> None:
        await self.look()
        for kind, (x, y) in (("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end)):
            await self.send(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1,
                modifiers=8 if shift else 0,
            )  # fmt: skip

    # -- what a person sees --------------------------------------------------------------------------------

    def rows(self) -> list[str]:
        return self.emulator.text()

    def text(self) -> str:
        return "\n".join(self.rows())

    async def until(self, wanted: str | Callable[[str], object], why: str = "") -> str:
        """Wait until the terminal's screen shows this text, or has this property; the screen."""
        is_there = (lambda text: wanted in text) if isinstance(wanted, str) else wanted
        await self.when(lambda: is_there(self.text()), lambda: f"{why or wanted!r} not seen:\n{self.text()}")
        return self.text()

    async def when(self, is_so: Callable[[], object], otherwise: Callable[[], str] = lambda: "") -> None:
        """Wait until this is so; it is looked at after each event of the page."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not is_so():
                    self.heard.clear()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.2):
                            await self.heard.wait()
        except TimeoutError:
            raise AssertionError(f"{otherwise()}\nproblems: {self.problems}") from None

    async def run(self, code: str) -> Any:
        """The value of an expression of JavaScript in the page; a promise is awaited."""
        done = await self.send("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise AssertionError(done["exceptionDetails"])
        return done["result"].get("value")

    async def picture(self) -> bytes:
        """The tab as a PNG."""
        await self.look()
        return base64.b64decode((await self.send("Page.captureScreenshot", format="png"))["data"])
