"""Links to papers (OSC 8): on terminals that have them, around their own text alone, and never to an odd address."""

from __future__ import annotations

import re

import pyte
import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from rnnviz.glyphs import is_link
from rnnviz.lessons.course import Start, find
from rnnviz.lessons.reading import read
from rnnviz.lessons.sources import name_and_address
from rnnviz.terminal import has_links, link_begins
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.compact_update import Pen, codes
from rnnviz.tui.glass import cells_in
from tests.tui.driving import press

PAPER = "https://doi.org/10.1109/72.279181"
HOSTILE = (
    "http://doi.org/10.1109/72.279181", "javascript:alert(1)", "file:///etc/passwd", "ssh://host/x", "HTTPS://x.org/",
    "https://", "https://user@host/", "https://x.org/\x1b\\\x1b]0;title\x07", "https://x.org/\x07", "https://x.org/a b",
    "https://x.org/é", "https://x.org/\u202e", "https://x.org/<b>", 'https://x.org/"', "https://x.org\\evil", "https://é.org/",
    "https://x.org/" + "a" * 900, "https://x.org:123456/",
)  # fmt: skip


@pytest.mark.parametrize("address", HOSTILE)
def test_an_odd_address_stays_text(address):
    assert not is_link(address)
    assert name_and_address(f"Elman 1990 {address}") == (f"Elman 1990 {address}", "")
    assert link_begins(address) == link_begins("") == "\x1b]8;;\x1b\\"


def test_an_address_is_no_part_of_the_name():
    assert name_and_address(f"Bengio 1994: Learning {PAPER}") == ("Bengio 1994: Learning", PAPER)
    assert name_and_address(PAPER) == (PAPER, "")
    assert name_and_address("") == ("", "")
    for address in (
        PAPER,
        "https://x.org",
        "https://x.org:8080/a?b=c;d#e",
        "https://x.org?q",
        "https://a-b.c.org/%20(x)",
    ):
        assert is_link(address)


def test_a_link_is_around_its_text_alone_and_ends_with_the_update():
    linked = Style(color="#ff0000", link=PAPER)
    segments = [Segment("a", Style()), Segment("b c", linked), Segment("d", linked + Style(bold=True)), Segment("  e")]
    pen = Pen()
    pen.put(cells_in([*segments, Segment("f", linked)], ColorSystem.TRUECOLOR))
    sent = pen.text()
    begins, ends = link_begins(PAPER), link_begins("")
    assert sent.count(begins) == sent.count(ends) == 2
    assert re.sub(r"\x1b\[[\d;]*m", "", sent) == f"a{begins}b cd{ends}  e{begins}f{ends}"
    assert "https" not in sent.replace(begins, "")
    screen = pyte.Screen(20, 2)
    pyte.Stream(screen).feed(sent)
    assert screen.display[0].rstrip() == "ab cd  ef"
    assert screen.buffer[0][1].fg == screen.buffer[0][8].fg == "ff0000"
    assert screen.buffer[0][4].bold
    assert screen.buffer[0][7].fg == "default"
    hostile = Style(link="https://x.org/\x1b\\\x1b]0;title")
    assert codes(hostile, ColorSystem.TRUECOLOR) == codes(Style(), ColorSystem.TRUECOLOR)


def test_terminals_with_links():
    for term in ("xterm-256color", "xterm-kitty", "foot", "tmux-256color"):
        assert has_links({"TERM": term})
    for environ in ({"TERM": "linux"}, {"TERM": "screen"}, {"TERM": "vt220"}, {},
                    {"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}):  # fmt: skip
        assert not has_links(environ)


def test_the_papers_of_the_course_have_addresses():
    sources = {source for path in find().files for source in read(path)[0].sources}
    linked = [source for source in sources if name_and_address(source)[1]]
    assert len(linked) > 25
    assert all("http" not in name_and_address(source)[0] for source in sources)


@pytest.mark.parametrize("links", [True, False])
async def test_the_sources_in_the_list_of_lessons_are_links(links, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    app = RnnvizApp(compile=False, start=Start(None, "why-gradients-vanish"), links=links)
    async with app.run_test(size=(100, 40)) as pilot:
        await app.settled()
        await press(pilot, "L", "right")
        canvas = app.screen.query_one("#contents")
        shown = "\n".join(canvas.plain())
        assert "Bengio, Simard and Frasconi 1994" in shown
        assert "http" not in shown
        segments = [segment for y in range(canvas.size.height) for segment in canvas.render_line(y)]
        assert (PAPER in {segment.style.link for segment in segments if segment.style is not None}) == links
