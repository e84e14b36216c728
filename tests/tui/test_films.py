"""Films of the app: the same on each run, in asciicast and as an SVG that plays by CSS alone."""

from __future__ import annotations

import asyncio
import json
import re
from functools import lru_cache, partial
from xml.etree import ElementTree

import pyte
import pytest

from rnnviz.cli.commands import COMMANDS
from rnnviz.cli.flags import read
from rnnviz.cli.pictures import film_of
from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.tui.autoplay import AT_LEAST
from rnnviz.tui.films.animated_svg import animated_svg
from rnnviz.tui.films.cast import cast
from rnnviz.tui.films.film import Film, script
from rnnviz.tui.films.headless import studio
from rnnviz.tui.pictures.svg import svg
from tests.tui.pictures import difference, grid

SHORT = [
    "--steps",
    "6",
    "--gain",
    "0.7",
    "--keys",
    "right*6 right left*3 2s y o /gain@0.1 enter right",
    "--title",
    "A & B",
]


@lru_cache
def film(*words: str) -> Film:
    return film_of(read(list(words), COMMANDS["record"]))


def _moved(start: re.Match[str], x: float, y: float) -> str:
    return f"M{float(start[1]) + x:g} {float(start[2]) + y:g}"


def at(svg_text: str, percent: float) -> str:
    """The animated SVG as a still one, as it looks at this share of its time."""
    tables = dict(re.findall(r"@keyframes (m\d+)\{((?:[\d.e+-]+%\{[^}]*\})+)\}", svg_text))
    root = ElementTree.fromstring(svg_text)
    parents = {child: parent for parent in root.iter() for child in parent}
    for window in [e for e in root.iter() if e.tag.endswith("}svg") and e is not root]:
        group = window[0]
        moves = re.findall(r"([\d.e+-]+)%\{transform:translateY\((-?\d+)px\)\}", tables[group.get("class", "")])
        shift = [int(y) for start, y in moves if float(start) <= percent + 1e-9][-1]
        left, top, height = (float(window.get(name, "")) for name in ("x", "y", "height"))
        screen = parents[window]
        for shape in group:
            if shape.tag.endswith("path"):
                first = float(re.match(r"M[\d.]+ ([\d.]+)", shape.get("d", ""))[1])  # type: ignore[index]
                if 0 <= first + shift < height:
                    moved = re.sub(r"M([\d.]+) ([\d.]+)", partial(_moved, x=left, y=shift + top), shape.get("d", ""))
                    shape.set("d", moved)
                    screen.append(shape)
            elif 0 <= float(shape.get("y", "")) + shift < height:
                shape.set("x", f"{float(shape.get('x', '')) + left:g}")
                shape.set("y", f"{float(shape.get('y', '')) + shift + top:g}")
                screen.append(shape)
        screen.remove(window)
    return ElementTree.tostring(root, encoding="unicode")


def test_each_moment_of_the_animation_looks_like_its_picture() -> None:
    made = film(*SHORT)
    text = animated_svg(made)
    for start, (seconds, picture) in list(zip(made.starts, made.scenes, strict=True))[::3]:
        middle = 100 * (start + seconds / 2) / made.seconds
        assert not difference(grid(at(text, middle)), grid(svg(picture, "A & B")))


def test_the_animation_needs_nothing_and_does_nothing_but_move() -> None:
    text = animated_svg(film(*SHORT))
    assert text == animated_svg(film_of(read(SHORT, COMMANDS["record"])))
    assert "<title>A &amp; B</title>" in text
    assert {e.tag.partition("}")[2] for e in ElementTree.fromstring(text).iter()} <= {
        "svg", "title", "desc", "style", "rect", "circle", "text", "g", "path",
    }  # fmt: skip
    for wrong in ("<script", r"url\(", "@import", "href", "http:(?!//www.w3.org/2000/svg)", r"\bon\w+=", r"\bid="):
        assert not re.search(wrong, text), wrong
    assert "@media(prefers-reduced-motion:reduce){g{animation:none!important}}" in text


def test_without_motion_the_poster_is_shown() -> None:
    made = film(*SHORT)
    still = dict(re.findall(r"\.(m\d+)\{transform:translateY\((-?\d+)px\)", animated_svg(made)))
    moves = dict(re.findall(r"@keyframes (m\d+)\{((?:[\d.e+-]+%\{[^}]*\})+)\}", animated_svg(made)))
    assert still
    for name, shift in still.items():
        assert moves[name].endswith(f"({shift}px)}}"), "the poster of a film of keys is its end"


@pytest.mark.parametrize("version", [2, 3])
def test_a_cast_ends_on_the_screen_that_the_app_shows(version: int) -> None:
    made = film(*SHORT)
    head, *events = [json.loads(line) for line in cast(made, version).splitlines()]
    assert head["version"] == version
    columns, rows = (head["width"], head["height"]) if version == 2 else (head["term"]["cols"], head["term"]["rows"])
    assert "timestamp" not in head
    screen = pyte.Screen(columns, rows)
    stream = pyte.Stream(screen)
    now, shown = 0.0, {}
    for seconds, kind, data in events:
        assert kind == "o"
        now = seconds if version == 2 else round(now + seconds, 3)
        stream.feed(data)
        shown[now] = list(screen.display)
    for start, (_, picture) in zip(made.starts, made.scenes, strict=True):
        assert shown[start] == picture.sheet.plain()
    assert now == pytest.approx(made.seconds)


def test_a_lesson_plays_in_its_own_time_and_keeps_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    words = ("sequences-and-memory", "--speed", "2", "--color", "256")
    one = cast(film(*words))
    assert one == cast(film_of(read(list(words), COMMANDS["record"])))
    assert json.loads(one.splitlines()[0])["title"] == "1 Sequences and memory"
    assert "The lesson is over." in "".join(film(*words).scenes[-1][1].sheet.plain())
    assert not list(tmp_path.iterdir()), "a film is nobody's progress"


def test_a_film_of_twenty_seconds_is_small() -> None:
    made = film("--steps", "30", "--gain", "0.7")
    assert made.seconds >= 19
    assert len(animated_svg(made).encode()) < 400_000


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("", "name the keys"),
        ("2s", "name the keys"),
        ("right*0", "1 to"),
        ("right*9999", "1 to"),
        ("nokey", "is no key"),
        ("space", "right*20"),
        ("q", "ends by itself"),
        ("S", "saves nothing"),
        ("right*2000 left", "at most"),
        ("99s right", "0.01 to 60"),
        ("right*3@x", "0.01 to 60"),
    ],
)
def test_a_wrong_script_is_one_line(keys: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as error:
        script(keys)
    assert str(error.value).startswith("keys: ")
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_every_page_of_a_lesson_can_be_read_and_training_takes_no_time() -> None:
    """A training that takes longer on one run than on another changes neither the pages nor their times."""
    made = film("why-gradients-vanish")
    assert cast(made) == cast(film_of(read(["why-gradients-vanish"], COMMANDS["record"])))
    shown: dict[str, float] = {}
    for seconds, picture in made.scenes:
        for step in re.findall(r" (\d+/8) ─", "\n".join(picture.sheet.plain())):
            shown[step] = shown.get(step, 0.0) + seconds
    assert len(shown) == 8
    assert min(shown.values()) >= AT_LEAST


async def test_an_error_while_drawing_ends_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would wait for a picture that never comes."""

    def fails(*given: object, **named: object) -> None:
        raise ZeroDivisionError("while drawing")

    monkeypatch.setattr("rnnviz.tui.score.draw", fails)
    with pytest.raises(ZeroDivisionError):
        async with studio(Experiment(seq_len=4), size=(80, 24)) as made:
            await asyncio.wait_for(made.rest(), 20)


def test_no_edge_of_another_state_is_in_a_scaled_window() -> None:
    """A viewer that scales draws up to a pixel around a clipped window: the next state must be farther away."""
    text = animated_svg(film(*SHORT))
    root = ElementTree.fromstring(text)
    shifts = {-int(y) for y in re.findall(r"translateY\((-?\d+)px\)", text)}
    for window in [e for e in root.iter() if e.tag.endswith("}svg") and e is not root]:
        height = float(window.get("height", ""))
        tops = {float(m) for shape in window[0] for m in re.findall(r"M[\d.]+ ([\d.]+)", shape.get("d", ""))}
        assert all(not height <= top - shift < height + 2 for shift in shifts for top in tops if shift <= top)
