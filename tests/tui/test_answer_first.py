"""What an open question asks is nowhere on the screen, in none of the panels and at no place of the walk."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rnnviz.lessons import pages
from rnnviz.lessons.course import Course, Start, find
from rnnviz.lessons.lesson import Prediction
from rnnviz.lessons.masking import NAMES, NOTHING, READOUTS, SHOWN_NOWHERE, Masked, masked, references
from rnnviz.lessons.prose import plain, quotes
from rnnviz.lessons.reading import read
from rnnviz.lessons.run import LessonRun, right_answer
from rnnviz.lessons.setup import Setup, arrive
from rnnviz.numbers import factor, fixed, loss, percent, rounded, scientific, significant, steps
from rnnviz.player.player import Player
from rnnviz.scene.commands import Go
from rnnviz.scene.cursor import Phase
from rnnviz.scene.frame import Frame
from rnnviz.tui import beside, corner, panels, score, status_lines
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas
from rnnviz.tui.geometry import GRID, WHOLE_SIDE, WIDEST, columns_of
from rnnviz.tui.lesson_view import draw, measure
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel, sheet_for
from rnnviz.tui.view import ANSWER_FIRST, View
from rnnviz.views.metrics import METRICS, Reference, say, value
from tests.lessons.learner import Learner
from tests.tui.driving import text

COURSE: Course = find()
QUICK = ("sequences-and-memory",)
SLUGS = [pytest.param(slug, marks=() if slug in QUICK else pytest.mark.slow) for slug in map(COURSE.slug, COURSE.files)]
SIZES = ((80, 24), (160, 50))
PALETTE = Palette()
SLOW = ("compare", "travel", "map")  # panels that would train other networks; closed wherever that would tell anything


def test_every_metric_is_a_read_out_or_known_to_be_none() -> None:
    settings = {name for name, metric in METRICS.items() if metric.setting is not None}
    shown = set(READOUTS)
    assert shown | SHOWN_NOWHERE | settings == set(METRICS)
    assert not shown & (SHOWN_NOWHERE | settings)


def test_every_name_is_asked_by_someone() -> None:
    """A name that no panel and no row asks would mask nothing."""
    asked = {name for panel in panels.ALL for name in panel.shows}
    assert asked <= NAMES
    assert NAMES - asked == {"accuracy", "evidence"}, "a row of the score alone"


@pytest.mark.parametrize("slug", SLUGS)
def test_no_answer_is_on_the_screen_before_its_question_is_answered(slug: str) -> None:
    lesson, _ = read(COURSE.file(slug))
    assert lesson is not None
    player = Player(lesson.experiment)
    run = LessonRun(lesson)
    for at, step in enumerate(lesson.steps):
        run = run.jump(at)
        frame = arrive(player, run.target)
        run = run.arrive(frame)
        beside_it(run, frame)
        if not isinstance(step.task, Prediction):
            continue
        figures = list(answers(run, arrive(player, run.submit("1").target)))
        reveal = run.submit("1").target
        is_of_another = reveal.weights != run.target.weights  # then what is there now is no secret
        for frame in places(player, run.target):
            look(run, frame, [] if is_of_another else figures, player)
            closed = [panel.id for panel in panels.ALL if masked(run, frame).names & panel.shows]
            assert not is_of_another or "compare" in closed or not masked(run, frame).names
        is_the_same = replace(reveal, phase=run.target.phase, t=run.target.t, panel=run.target.panel) == run.target
        for frame in places(player, reveal):  # as if the learner had got there by himself
            look(run, frame, figures, player)
            if is_the_same:
                break  # the other places are those seen already
        frame = arrive(player, reveal)
        said = right_answer(step.task, frame, run.start)
        run = run.submit(said).arrive(frame)
        assert run.answer is not None
        assert run.answer.is_right
        assert masked(run, frame) == NOTHING or masked(run, frame).until > at + 1, "only what is asked later"
        shown = "\n".join(line for size in SIZES for line in screen(run, frame, *size))
        assert ANSWER_FIRST not in shown.lower(), step.heading
        assert run.answer.right.split()[0] in shown, step.heading


def beside_it(run: LessonRun, frame: Frame) -> None:
    """On a large screen the step has a panel beside it that its question does not close, and room for both; the score
    uses its width, and the lines of the text are not too long."""
    kept = masked(run, frame)
    view = View(masked=kept.names, masked_from=kept.since, masked_until=kept.until, panel=run.target.panel or None)
    names = run.target.beside or corner.USUAL
    for width, height in ((138, 36), (160, 50), (200, 60), (300, 100)):
        room = beside.text_width(width, frame)
        lines = pages.page(run, frame, measure(room)).lines
        assert 60 <= measure(room).room <= 75 or width < 160
        assert max(len(plain(line)) for line in lines) <= 75
        score_width = width - beside.column_width(width, frame)
        cols = columns_of(frame, score_width)
        free = score_width - cols.end - WHOLE_SIDE
        assert cols.count <= frame.T or cols.width == WIDEST or free < max(GRID, cols.count)
        shown = corner.places(corner.chosen(frame, view, names), frame, height - 3 - len(lines) - 6)
        assert run.target.panel or {panel.id for panel, _, _ in shown} & set(names), run.step.heading
        assert all(rows >= corner.LEAST for panel, _, rows in shown if panel.rows is None)


def answers(run: LessonRun, frame: Frame) -> Iterator[tuple[Reference, str]]:
    """What is asked and not told by the step itself, as the screen would write it."""
    question = run.open_question
    assert question is not None
    told = {reference for words in (*run.step.before, question.question) for reference, _ in quotes(words)}
    for reference in set(references(question)) - told:
        found = value(frame, reference)
        if reference.name in READOUTS and isinstance(found, float) and math.isfinite(found) and found:
            forms = {say(reference.name, found), scientific(found), factor(found), loss(found), percent(found),
                     significant(found, 5), rounded(found, 4), rounded(found, 2), fixed(found, 3),
                     f"{100 * found:.2g} %", steps(found, frame.T)}  # fmt: skip
            yield from ((reference, form) for form in forms if len(re.sub(r"^0\.0*|[^\d]", "", form)) >= 2)


def places(player: Player, setup: Setup) -> Iterator[Frame]:
    """Everywhere on the walk that says something of its own, with the network as it is set up."""
    frame = arrive(player, setup)
    yield frame
    for phase, t in ((Phase.FORWARD, 1), (Phase.FORWARD, frame.T), (Phase.LOSS, frame.T), (Phase.BACKWARD, frame.T),
                     (Phase.BACKWARD, frame.T // 2), (Phase.BACKWARD, 1), (Phase.BACKWARD, 0)):  # fmt: skip
        yield player.do(Go(phase, t))


def look(run: LessonRun, frame: Frame, figures: list[tuple[Reference, str]], player: Player) -> None:
    for width, height in SIZES:
        rows = screen(run, frame, width, height, player)
        for reference, form in figures:
            sign = re.compile(rf"(?<![\d.+\-e]){re.escape(form)}(?![\d.%]|e[+-])")
            found = [row for row in rows if sign.search(row)]
            if not found:
                continue
            # A figure of another kind may happen to be the same: what counts is that masking makes no difference then.
            bare = screen(run, frame, width, height, player, hides=masked(run, frame).names | set(names_of(reference)))
            assert found == [row for row in bare if sign.search(row)], (run.step.heading, str(reference), form, found)
        if "gradient" in masked(run, frame).names:
            words = ("grows", "half-life", "horizon", "vanished", "of it is left", "times as large", "arrives ")
            given = plain_text(run, frame)
            found = [row for row in rows for word in words if word in row and row.strip() not in given]
            assert not found, (run.step.heading, found)


def names_of(reference: Reference) -> tuple[str, ...]:
    return READOUTS[reference.name]


def plain_text(run: LessonRun, frame: Frame) -> str:
    from rnnviz.words.voice import Voice

    return "\n".join(plain(line) for width in (76, 63) for line in pages.page(run, frame, Voice(width)).lines)


def screen(
    run: LessonRun, frame: Frame, width: int, height: int, player: Player | None = None,
    hides: frozenset[str] | set[str] | None = None,
) -> list[str]:  # fmt: skip
    """Title, score, what is told, and every panel that could be opened; the lesson's own text is not here."""
    kept = masked(run, frame)
    kept = kept if hides is None else Masked(frozenset(hides), kept.since)
    view = View(masked=kept.names, masked_from=kept.since, masked_until=kept.until, plots=True)
    rows = status_lines.title(frame, width, PALETTE, view=view).plain()
    rows += score.draw(frame, width if width < 120 else width * 58 // 100, height - 8, PALETTE, view).plain()
    rows += status_lines.narration(frame, view, width, 2, PALETTE).plain()
    for panel in panels.ALL:
        closed = view.hides(*panel.shows)
        if panel.id in SLOW and not closed:
            continue
        if player is not None and not closed and panel.needs is not None and panel.why_not(frame) is None:
            command = panel.needs(frame)
            if command is not None:
                frame = player.do(command)
        for page in range(3 if panel.id in ("network",) else 1):
            rows += drawn(panel, frame, replace(view, page=page), width - 4)
    if player is None:
        rows += draw(run, frame, width, 10, PALETTE).plain()
    return rows


_kept: dict[tuple[object, ...], tuple[object, list[str]]] = {}


def drawn(panel: Panel, frame: Frame, view: View, width: int) -> list[str]:
    """The panel's rows; those that the cursor does not change are drawn once."""
    if panel.depends_on is None:
        return sheet_for(panel, frame, view, width, 12, PALETTE).plain()
    on = panel.depends_on(frame, view)
    parts = on if isinstance(on, tuple) else (on,)
    key = (panel.id, width, view.masked, view.masked_from, view.masked_until, view.page, *map(id, parts))
    if key not in _kept:
        _kept[key] = on, sheet_for(panel, frame, view, width, 12, PALETTE).plain()  # `on` keeps its id
    return _kept[key][1]


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    _kept.clear()


@pytest.fixture
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


@pytest.mark.usefixtures("_own_data")
@pytest.mark.parametrize("size", SIZES)
async def test_in_the_app_all_of_it_waits_for_the_answer_and_comes_with_it(size: tuple[int, int]) -> None:
    app = RnnvizApp(start=Start(slug="back-through-time"), compile=False)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        learner = Learner(app, pilot)
        guide = app.main.guide
        assert guide is not None
        at = next(i for i, step in enumerate(learner.run.lesson.steps) if step.heading == "All errors at once")
        guide.jump(at)
        await app.settled()

        def everything() -> str:
            names = ("title", "score", "telling", "panel", "open")
            return "\n".join(text(app, name) for name in names if app.main.query_one(f"#{name}", Canvas).display)

        for keys in ((), ("home",), ("y",), ("v",), ("f",), ("d",), ("m",), ("c",)):
            await learner.press(*keys)
            assert ANSWER_FIRST in everything().lower(), keys
            assert "grows" not in everything(), keys
            if keys and keys[0] in "yvfdmc":
                panel = text(app, "open" if size[0] >= 120 else "panel").strip()
                assert panel == "Answer first: this panel shows it.", keys
        await learner.press("escape", "home", "1")
        assert "grows" in everything()
        assert ANSWER_FIRST not in everything().lower()
        await learner.press("r")
        assert "grows" not in everything(), "asked once more it is masked once more"


def test_the_format_lists_all_names() -> None:
    told = (COURSE.folder / "README.md").read_text(encoding="utf-8")
    listed = told.partition("`hides` names")[2].partition(".\n")[0]
    assert set(re.findall(r"`([^`]+)`", listed)) == NAMES


async def until(slug: str, heading: str, *keys: str) -> str:
    """What the score shows after some keys in a step that only leads to a question."""
    app = RnnvizApp(start=Start(slug=slug), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        learner = Learner(app, pilot)
        guide = app.main.guide
        assert guide is not None
        guide.jump(next(i for i, step in enumerate(learner.run.lesson.steps) if step.heading == heading))
        await app.settled()
        await learner.press(*keys)
        return text(app)


@pytest.mark.usefixtures("_own_data")
async def test_steps_that_lead_to_a_question_do_not_give_it_away() -> None:
    shown = await until("back-through-time", "Four moves", "end", "right", *["left"] * 9)
    assert "after page 3" in shown
    assert "half-life" not in shown
    shown = await until("short-term-memory", "What the task needs")
    assert "of the gradient arrives" not in shown


@pytest.mark.usefixtures("_own_data")
async def test_what_a_step_speaks_of_is_shown_all_the_same() -> None:
    shown = await until("the-hidden-state", "One unit", "right")
    assert "after page" not in shown
