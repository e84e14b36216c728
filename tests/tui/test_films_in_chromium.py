"""An animated SVG in a real browser: each moment is, to the pixel, the picture of that moment; it plays as an image."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rnnviz.cli.commands import COMMANDS
from rnnviz.cli.flags import read
from rnnviz.cli.pictures import _film
from rnnviz.tui.films.animated_svg import animated_svg
from rnnviz.tui.pictures.svg import svg
from tests.serve.chromium import PROGRAM, Chromium, Page

pytest.importorskip("aiohttp")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason="needs chromium: apt-get install chromium")]
SIZE = (828, 530)
WORDS = [
    "--steps",
    "6",
    "--gain",
    "0.7",
    "--keys",
    "right*6@0.1 right left*3 y o /gain@0.1 enter right",
    "--title",
    "T",
]


async def opened(page: Page, folder: Path, content: str, name: str) -> None:
    """An SVG as a README shows it: as an image in a page."""
    (folder / f"{name}.svg").write_text(content, encoding="utf-8")
    html = folder / f"{name}.html"
    html.write_text(f'<body style="margin:0"><img src="{name}.svg" width="{SIZE[0]}">', encoding="utf-8")
    await page.look()
    await page.go(html.as_uri())
    there = f"location.href === '{html.as_uri()}' && document.images.length && document.images[0].complete"
    async with asyncio.timeout(30):
        while not await evaluated(page, there):
            await asyncio.sleep(0.02)


async def evaluated(page: Page, expression: str) -> object:
    try:
        return (await page.send("Runtime.evaluate", expression=expression))["result"].get("value")
    except AssertionError:  # between two pages
        return None


async def screenshot(page: Page) -> str:
    return str((await page.send("Page.captureScreenshot"))["data"])


async def test_each_moment_is_the_picture_of_that_moment(tmp_path: Path) -> None:
    made = await _film(read(WORDS, COMMANDS["record"]))
    text = animated_svg(made)
    assert "</style>" in text
    async with Chromium(tmp_path / "profile") as chromium:
        page = await chromium.open("about:blank", *SIZE)
        for n in (0, 9, len(made.scenes) - 1):
            seconds, picture = made.scenes[n]
            delay = f"animation-delay:-{made.starts[n] + seconds / 2:.3f}s!important"
            paused = f"g{{{delay};animation-play-state:paused!important}}</style>"
            await opened(page, tmp_path, text.replace("</style>", paused), f"moving-{n}")
            moving = await screenshot(page)
            await opened(page, tmp_path, svg(picture, "T", made.about), f"still-{n}")
            assert moving == await screenshot(page), n
        assert not page.problems


async def test_it_plays_as_an_image_and_asks_for_nothing(tmp_path: Path) -> None:
    made = await _film(read([*WORDS, "--speed", "4"], COMMANDS["record"]))
    async with Chromium(tmp_path / "profile") as chromium:
        page = await chromium.open("about:blank", *SIZE)
        await opened(page, tmp_path, animated_svg(made), "film")
        pictures = set()
        for _ in range(8):
            pictures.add(await screenshot(page))
            await asyncio.sleep(0.25)
        assert len(pictures) >= 3
        assert {Path(address).name for address in page.requests} <= {"film.html", "film.svg", "about:blank"}
