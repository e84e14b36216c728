"""The app in a real browser, as people meet it: a headless Chromium opens, types, resizes, reloads and closes."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serve.chromium import PROGRAM, Chromium
from tests.serve.served import Served
from tests.terminal.app import ready

web = pytest.importorskip("aiohttp.web", reason="needs the extra serve")
pytest.importorskip("textual_serve", reason="needs the extra serve")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="needs Chromium"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc"),
]


@pytest.fixture
async def chromium(tmp_path: Path) -> AsyncIterator[Chromium]:
    async with Chromium(tmp_path / "chromium") as browser:
        yield browser


@pytest.fixture
def lessons(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


@pytest.fixture
def score(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, "--free") as served:
        yield served


def is_ready(text: str) -> bool:
    return ready(text.splitlines() or [""])


async def test_a_lesson_from_its_first_page_to_a_closed_tab(chromium: Chromium, lessons: Served) -> None:
    page = await chromium.open(lessons.address)
    await page.until(" 1/")
    assert page.emulator.screen.columns > 120
    assert await page.run("document.title") == "rnnviz"
    await page.press("ArrowRight")
    await page.until("t = 1")
    await page.press("n", "n", "n")
    await page.until("How many parameters")
    await page.press("1")
    await page.until("weight sharing")
    await page.reload()
    await page.when(lambda: page.sockets == 2)
    await page.until(" 4/")  # the lesson goes on where it was left
    lessons.wait(lambda: len(lessons.apps()) == 1)  # that of the page before is gone
    assert not page.problems
    assert all(request.startswith((lessons.address, lessons.address.replace("http", "ws"), "data:"))
               for request in page.requests), page.requests  # fmt: skip
    await page.close()
    lessons.wait_for_no_app()


async def test_two_at_once_train_and_one_of_them_quits(chromium: Chromium, score: Served) -> None:
    one, other = await chromium.open(score.address), await chromium.open(score.address, 900, 600)
    await one.until(is_ready)
    await other.until(is_ready)
    await one.press("b")
    await one.until("batch 1/5")
    assert "batch 0/5" in other.text()
    await other.press("e")
    await other.until(re.compile(r"epoch +1/20").search)
    assert "batch 1/5" in one.text()
    assert len(score.apps()) == 2
    await one.press("q")
    await one.when(lambda: not one.is_open)
    assert await one.run("document.getElementById('reason').textContent") == "rnnviz has ended."
    assert await one.run("getComputedStyle(document.getElementById('closed')).display") == "flex"
    await other.press("b")
    await other.until("batch 1/5")
    await one.press("Enter")  # the button that starts again has the focus
    await one.until(is_ready)
    assert one.sockets == 2


async def test_mouse_ctrl_keys_and_colours(chromium: Chromium, score: Served) -> None:
    page = await chromium.open(score.address)
    await page.until(is_ready)
    cell_width, cell_height = 1280 / page.emulator.screen.columns, 800 / page.emulator.screen.lines
    row = next(y for y, line in enumerate(page.rows()) if "? keys" in line)
    column = page.rows()[row].index("? keys")
    await page.click((column + 2.5) * cell_width, (row + 0.5) * cell_height)
    await page.until("esc")
    await page.press("Escape")
    await page.until(is_ready)
    await page.press("p", ctrl=True)  # in other pages it prints
    await page.until("Search for commands")
    await page.press("Escape")
    await page.until(is_ready)
    await page.press("ArrowRight")
    await page.until("t = 1")
    colours = {cell.bg for line in page.emulator.cells() for cell in line}
    assert len([colour for colour in colours if re.fullmatch("[0-9a-f]{6}", colour)]) >= 3, colours


async def test_text_is_copied_by_a_key_and_by_shift_and_mouse(chromium: Chromium, score: Served) -> None:
    page = await chromium.open(score.address)
    await page.until(is_ready)
    await page.run("navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve(); }")
    await page.press("ArrowRight", "Y")
    await page.until("row as TSV")
    await page.press("r")
    await page.until("Copied")
    assert (await page.run("window.copied")).startswith("t\th[0]\n0\t0.0\n1\t0.0")
    await page.drag((5, 5), (59, 5), shift=True)
    selected = await page.run("""(() => {
        const event = new ClipboardEvent("copy", {clipboardData: new DataTransfer(), bubbles: true});
        document.querySelector("textarea").dispatchEvent(event);
        return event.clipboardData.getData("text/plain");
    })()""")
    assert selected.strip() == "rnnviz"
    await page.press("F5")  # rnnviz gets it; the page is not loaded again
    await page.until("F5 ends it")
    assert page.sockets == 1


async def test_a_kiosk(chromium: Chromium, tmp_path: Path) -> None:
    with Served(tmp_path, "--kiosk") as served:
        page = await chromium.open(served.address)
        await page.until(" 1/")
        await page.press("n")
        await page.until(" 2/")
        await page.reload()
        await page.when(lambda: page.sockets == 2)
        await page.until(" 1/")  # progress lasts as long as the session
        await page.press("z", ctrl=True)
        await page.until("This is a kiosk: rnnviz cannot be suspended.")
        await page.press("n")
        await page.until(" 2/")


async def test_40_sizes(chromium: Chromium, score: Served) -> None:
    chance = random.Random(40)
    page = await chromium.open(score.address)
    await page.until(is_ready)
    await page.press("e")
    for _ in range(40):
        await page.resize(chance.randint(80, 2400), chance.randint(60, 1600))
        await page.press(chance.choice(["ArrowRight", "ArrowLeft", "b", "g"]))
    await page.resize(1280, 800)
    await page.when(lambda: page.emulator.screen.columns > 120)
    await page.until(lambda text: is_ready(text) and text.startswith(" rnnviz"))
    assert page.is_open
    assert not page.problems


async def test_a_page_from_elsewhere_opens_no_session(chromium: Chromium, score: Served) -> None:
    """Even one that knows the token; and it can neither read the page nor show it in a frame."""

    async def stranger(request: Any) -> Any:
        return web.Response(text="<title>stranger</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", stranger)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        page = await chromium.open(f"http://127.0.0.1:{runner.addresses[0][1]}/")
        await page.when(lambda: page.requests)
        opened = "new Promise(done => {{ const s = new WebSocket({!r}); s.onopen = s.onerror = e => done(e.type); }})"
        address = score.path("ws").replace("http", "ws")
        assert await page.run(opened.format(address)) == "error"
        read = "fetch({!r}).then(r => 'read', e => 'refused')"
        assert await page.run(read.format(score.address)) == "refused"
        framed = (
            "new Promise(done => { const f = document.createElement('iframe'); f.src = %r; "
            "f.onload = () => done(f.contentDocument === null ? 'another' : 'blank'); document.body.append(f); })"
        )
        await page.run(framed % score.address)
        await page.when(lambda: any("frame" in problem.lower() for problem in page.problems))
        assert not score.apps()
        assert await page.run(opened.format(address + "?width=80&height=24")) == "error"
    finally:
        await runner.cleanup()
    own = await chromium.open(score.address)
    assert await own.run(opened.format(address)) == "open"  # its own page may
