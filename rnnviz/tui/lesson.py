"""The lesson on the screen: its text, the mark on what it speaks of, and the guide that leads through it.

Drawing is pure. The Guide turns keys into a new LessonRun and brings the player to where that run wants it, with
the same commands a person has.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.errors import InputError, shown
from rnnviz.glyphs import cells, cut, lines_at_most
from rnnviz.lessons import arithmetic
from rnnviz.lessons.course import introduced
from rnnviz.lessons.introductions import keys_named, tools
from rnnviz.lessons.pages import LINES, WIDTH, page
from rnnviz.lessons.reading import read
from rnnviz.lessons.run import LessonRun, references, right_answer, setup_of
from rnnviz.lessons.setup import toward
from rnnviz.lessons.withheld import masked
from rnnviz.scene.commands import Back, Change, Cut, Go, ShowSample, Train
from rnnviz.scene.cursor import Phase
from rnnviz.tui import panels
from rnnviz.tui.canvas import Sheet
from rnnviz.tui.geometry import GUTTER
from rnnviz.tui.keys import ACTIONS, INTRODUCED, face
from rnnviz.tui.palette import Palette
from rnnviz.tui.score import GATES
from rnnviz.tui.training_film import LEAST_ROWS, OF_TRAINING
from rnnviz.views.metrics import needs

if TYPE_CHECKING:
    from rnnviz.lessons.course import Course
    from rnnviz.lessons.lesson import Lesson, Point
    from rnnviz.lessons.progress import Progress
    from rnnviz.lessons.prose import Line
    from rnnviz.lessons.setup import Setup
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame
    from rnnviz.tui.app import Main
    from rnnviz.tui.autoplay import Performer
    from rnnviz.tui.view import View

TRY_AGAIN = 1.0  # seconds until progress that could not be kept is tried again
DIGITS = "0123456789"
LOW = 24  # rows below which a panel beside a lesson costs the score more of its own
#: What a key has been introduced with, by its face; and the keys of what an exercise takes.
_OF_KEYS = {
    **{face(action.keys[0]): INTRODUCED[action.id] for action in ACTIONS if action.id in INTRODUCED},
    **{panel.key: panel.id for panel in panels.ALL if panel.key},
}
_TOOL_KEYS = {"knobs": ("knobs", "knobs"), "train": ("all", "train"), "cut": ("cut", "loop")}
LEAST_SCORE = 8  # rows the score keeps beside lesson and panel
GATE_ROWS = 3  # rows more, so that there is room for a gate
LEAST_PANEL = 5  # rows an open panel has at least
LEAST_TEXT = 4  # rows of a lesson, its rule included


# -- drawing -------------------------------------------------------------------------------------------


def draw(run: LessonRun, frame: Frame | None, width: int, height: int, palette: Palette, *, typed: str = "",
         note: str = "", warns: bool = False, top: int = 0) -> Sheet:  # fmt: skip
    """A rule with the step's heading, or a note in its place, and the step's text below it, from line `top` on. The
    rule says how many lines there are above and below. A note longer than the rule takes the rows it needs."""
    sheet = Sheet(width, height)
    told = page(run, frame, measure(width), typed)
    place = f" {run.at + 1}/{len(run.lesson.steps)} "
    if told.standing and len(told.heading) + len(told.standing) + len(place) + 8 <= width and not note:
        place = f" {told.standing} ·{place}"
    top, above, below = scrolled(len(told.lines), height - 1, top)
    if above or below:
        place = f" PgUp ↑{above} ─{place}" if above else place
        place = f" PgDn ↓{below} ─{place}" if below else place
    sheet.put(0, 0, "─" * width, palette.faint)
    heading = f" {cut(note or told.heading, width - len(place) - 5)} "
    sheet.put(0, 1, heading, palette.warn if warns else (palette.text if note else palette.accent))
    sheet.right(0, place + "─", palette.accent if below else palette.dim)
    for y, line in enumerate(told.lines[top : top + max(0, height - 1)], start=1):
        put(sheet, y, 1, line, palette)
    if cells(note) > width - cells(place) - 5:
        for y, row in enumerate(lines_at_most(note, width - 2, height)):
            sheet.put(y, 0, f" {row}".ljust(width), palette.warn if warns else palette.text)
    return sheet


def scrolled(lines: int, room: int, top: int) -> tuple[int, int, int]:
    """The first of so many lines that is shown, and how many are above and below what is."""
    top = min(max(0, top), max(0, lines - room))
    return top, top, max(0, lines - room - top)


def choices_in(run: LessonRun, lines: tuple[Line, ...]) -> list[tuple[int, int, str]]:
    """Where the choices of the open question begin: (line, cell, its digit)."""
    question = run.open_question
    found = []
    for y, line in enumerate(lines):
        x = 0
        for text, style in line:
            if style == "code" and text in DIGITS:
                found.append((y, x, text))
            x += cells(text)
    return found[-len(question.choices) :] if question is not None and question.choices else []


def put(sheet: Sheet, y: int, x: int, line: Line, palette: Palette) -> None:
    strong = palette.text + Style(bold=True)
    styles = {
        "": palette.text, "bold": strong, "em": palette.text + Style(italic=True), "code": palette.accent,
        "typed": palette.accent, "quiet": palette.dim,
    }  # fmt: skip
    for text, style in line:
        x = sheet.put(y, x, text, styles[style])


def measure(width: int) -> int:
    """Cells for text: long lines read badly."""
    return max(20, min(WIDTH, width - 2))


def needed(run: LessonRun, frame: Frame | None, width: int, typed: str = "") -> int:
    """Rows the step wants now, its rule included."""
    return 1 + len(page(run, frame, measure(width), typed).lines)


_ROWS: dict[str, tuple[str, ...]] = {  # how the rows of the score are named there
    "input": ("input x",),
    "gates": tuple(GATES.values()),
    "cell": ("cell c",),
    "hidden": ("hidden h",),
    "output": ("output ŷ",),
    "gradient": ("‖∂L",),
    "time": ("time t",),
    "reach": ("reach",),
}


def mark(sheet: Sheet, point: Point | None, palette: Palette, side: int) -> Sheet:
    """Mark what a step speaks of: its name is set off, with a pointer to it. side: the cell at which
    the numbers of the moment begin."""
    if point is None or point.at.startswith("panel:"):
        return sheet
    names = ["".join(char for char, _ in row[:GUTTER]) for row in sheet.cells]
    if point.at == "side":
        for y, row in enumerate(sheet.cells):
            if any(char != " " for char, _ in row[side:]):
                sheet.put(y, side - 1, "▌", palette.accent)
        return sheet
    every = tuple(name for names_of in _ROWS.values() for name in names_of)
    inside = False
    for y, name in enumerate(names):
        if name.startswith(every):
            inside = name.startswith(_ROWS[point.at])
            if inside:
                label = name.rstrip()[: GUTTER - 1].rstrip("▀▄▸ ")
                sheet.put(y, 0, label, palette.accent + Style(reverse=True))
                if sheet.at(y, GUTTER - 1) == " " and point.at != "time":  # the chosen unit keeps its own mark
                    sheet.put(y, GUTTER - 1, "◂", palette.accent)
    return sheet


# -- the guide -----------------------------------------------------------------------------------------


class Guide:
    """Leads through the lessons of a course. `run` is all it knows of the lesson; the rest is getting there."""

    def __init__(self, main: Main, course: Course, progress: Progress) -> None:
        self.main, self.course, self.progress = main, course, progress
        self.run: LessonRun | None = None
        self.typed = ""
        self.performer: Performer | None = None
        self._pursuing = False
        self._sent = 0
        self._sending = False
        self._way: set[type[Command]] = set()  # kinds of commands sent on it
        self._via: Setup | None = None  # a network to pass by on it, which stays behind as the ghost
        self._stood_in = ""  # the lesson whose picture stood last
        self._goal: Setup | None = None  # where a performance is heading, off the lesson's own path
        self._skip_asked = False
        self.top = 0  # the first line of the text that is shown, where it is longer than its place
        self._below, self._page = 0, 1
        self._told: list[str] = []
        self._known: dict[str, frozenset[str] | None] = {}  # what the lessons up to one have introduced
        self._is_keeping = False  # a timer runs that tries again to keep progress

    # -- what the screen asks ------------------------------------------------------------------------------

    @property
    def is_on(self) -> bool:
        """A lesson is open and the learner on its rails."""
        return self.run is not None and not self.run.free

    @property
    def is_busy(self) -> bool:
        return self._pursuing

    @property
    def title(self) -> str:
        assert self.run is not None
        return f" {self.run.lesson.name} "

    @property
    def point(self) -> Point | None:
        return page(self.run, self.main.frame).point if self.run is not None and self.is_on else None

    @property
    def locked(self) -> tuple[str, ...]:
        """Settings the open exercise does not let be changed."""
        exercise = self.run.open_exercise if self.run is not None and self.is_on else None
        return exercise.locked if exercise is not None else ()

    def limited(self, view: View) -> View:
        """The view without what an open question asks for, and without what no lesson has introduced yet."""
        run, frame = self.run, self.main.frame
        if run is None or frame is None or not self.is_on:
            return replace(view, masked=frozenset(), introduced=None)
        kept = masked(run, frame)
        return replace(
            view, masked=kept.names, masked_from=kept.since, masked_until=kept.until,
            introduced=self._introduced(run),
        )  # fmt: skip

    def _introduced(self, run: LessonRun) -> frozenset[str] | None:
        """What the lessons have introduced so far; to that this step's panel and the keys it names or takes."""
        slug = run.lesson.slug
        if slug not in self._known:
            self._known[slug] = introduced(self.course.files, run.lesson.path)
        known = self._known[slug]
        if known is None:
            return None
        of_keys = {_OF_KEYS[face] for face in keys_named(run) if face in _OF_KEYS}
        return known | of_keys | {*tools(run), *filter(None, [run.target.panel])}

    def mark(self, sheet: Sheet, side: int) -> Sheet:
        return mark(sheet, self.point, self.main.palette, side)

    def points_at(self, panel: str) -> bool:
        return self.point is not None and self.point.at == f"panel:{panel}"

    def rows(self, width: int, height: int, panel_open: bool) -> tuple[int, int, int]:
        """Rows for the lesson under the score, for the lesson beside it, and at most for an open panel below."""
        assert self.run is not None
        frame = self.main.frame
        wanted = needed(self.run, frame, width, self.typed)
        told = 2 * self.main.query_one("#telling").display
        if panel_open:  # on a low screen the score gives up rows, and the text scrolls
            spare = height - 3 - told - (LEAST_SCORE if height >= LOW else LEAST_SCORE - 2)
            below = min(wanted, max(LEAST_TEXT, spare - LEAST_PANEL))
        else:
            gates = GATE_ROWS if frame is not None and frame.scene.trace.gates else 0
            below = max(1 + LINES, min(wanted, height - 2 - told - LEAST_SCORE - gates))
        beside = needed(self.run, frame, min(90, width * 42 // 100) - 3, self.typed) + 1
        room = height - 3 - told - below - (LEAST_SCORE if height >= LOW else LEAST_SCORE - 2)
        return below, beside, max(3, room)

    def has_room_for_film(self, width: int, height: int) -> bool:
        """Whether the loss curve can be drawn below the score."""
        return not self.is_on or self.rows(width, height, True)[2] >= LEAST_ROWS

    def sheet(self, width: int, height: int, note: str, warns: bool) -> Sheet:
        if self.run is None:
            return Sheet(width, height)
        lines = page(self.run, self.main.frame, measure(width), self.typed).lines
        self.top, _, self._below = scrolled(len(lines), height - 1, self.top)
        self._page = max(1, height - 2)
        return draw(self.run, self.main.frame, width, height, self.main.palette, typed=self.typed, note=note,
                    warns=warns, top=self.top)  # fmt: skip

    def scroll(self, by: int, lines: int | None = None) -> None:
        """Through a text that is longer than its place, by pages or so many lines."""
        self.top = max(0, self.top + by * (lines or self._page))
        self.main.draw()

    def can_scroll(self, by: int) -> bool:
        """Whether there is text below (1) or above (-1) what is shown."""
        return self.is_on and (self._below > 0 if by > 0 else by < 0 < self.top)

    def clicked(self, x: int, y: int, width: int) -> None:
        """A click on a choice is its digit."""
        run = self.run
        if run is None or not self.is_on or run.open_question is None or y < 1:
            return
        line, cell = y - 1 + self.top, x - 1
        starts = choices_in(run, page(run, self.main.frame, measure(width), self.typed).lines)
        before = [(at, start, digit) for at, start, digit in starts if (at, start) <= (line, cell)]
        if before and line >= starts[0][0]:
            self._answer(before[-1][2])

    def _onward(self, run: LessonRun) -> str:
        if not run.is_last:
            return "next"
        return "closing page" if run.lesson.slug == self.course.slug(self.course.files[-1]) else "next lesson"

    def keys(self) -> list[tuple[str, str]]:
        """The keys a lesson adds to the key bar, most wanted first."""
        run = self.run
        if run is None:
            return []
        if run.free:
            return [("lesson_return", "back to the lesson")]
        skip = ("lesson_next", "skip")
        if run.open_question is not None:
            if run.again:
                skip = ("lesson_next", "leave it")
            return [skip] if run.open_question.choices else [("next", "answer"), skip]
        if run.open_exercise is not None:
            hints = run.open_exercise.hints
            more = [_TOOL_KEYS[tool] for tool in tools(run)]
            more += [("lesson_hint", "hint")] if len(run.shown_hints) < len(hints) else []
            return [*more, ("lesson_return", "restore"), skip]
        again = [("lesson_return", "try again")] if run.answer is not None else []
        return [("lesson_next", self._onward(run)), *again]

    # -- opening -------------------------------------------------------------------------------------------

    def open(self, slug: str) -> None:
        """Open a lesson where it was left. One that is not right says so and changes nothing."""
        try:
            run = self.progress.resume(read_lesson(self.course, slug))
        except InputError as error:
            self.main.look(message=str(error))
            return
        self._become(once_more(run))

    def start(self, run: LessonRun, speed: float | None = None) -> None:
        """The first lesson of a session, read already; with a speed it performs by itself."""
        if speed is not None:
            from rnnviz.tui.autoplay import Performer

            self.performer = Performer(self, speed)
            self._become(run.reset())
            self.performer.begin()
        else:
            self._become(run)

    # -- keys ----------------------------------------------------------------------------------------------

    def takes(self, name: str) -> bool:
        """A key, by its action; whether the lesson wants it."""
        run = self.run
        if name == "cancel" and self._pursuing and not self.main.shows_film:
            self._pursuing = False
            self.main.look(message="Stopped. r sets up this step's picture.")
            return False
        if run is None or run.free:
            return False
        if name != "lesson_next":
            self._skip_asked = False
        if self.typed and name == "cancel":
            self._type("")
            return True
        if self.typed and name == "previous":
            self._type(self.typed[:-1])
            return True
        if name == "next" and run.open_question is not None and self.typed:
            self._answer(self.typed)
            return True
        panel = panels.BY_ID.get(self.main.view.panel or "")
        panel_wants_it = panel is not None and "next" in panel.takes
        if name == "next" and not panel_wants_it and (run.is_done or run.open_question is not None):
            self.next()
            return True
        return False

    def hears(self, key: str, character: str | None) -> bool:
        """Any key before it becomes an action; whether the lesson wants it."""
        if self.performer is not None and self.performer.hears(key):
            return True
        return self.types(character)

    def types(self, character: str | None) -> bool:
        """A character, while a number is asked for or a choice; whether it was taken. Once a number has been begun
        every character is a part of it, and no longer a key; only n enters it, as it goes on elsewhere."""
        is_asked = self.is_on and not self._pursuing and self.main.view.prompt is None
        run = self.run if is_asked else None
        if run is None or character is None or not character.isprintable():
            return False
        question = run.open_question
        if question is None or question.choices:
            return character in DIGITS and self._chooses(run, character)
        if character == "n" and self.typed and not self.typed.endswith("l"):  # ln begins with an l
            self._answer(self.typed)
        elif self.typed or character in arithmetic.STARTS:
            self._type(self.typed + character)
        else:
            return False
        return True

    def _chooses(self, run: LessonRun, digit: str) -> bool:
        """A digit where no number is asked for: a choice, or nothing to answer with; whether it was taken."""
        question = run.open_question
        if question is None and run.answer is None:
            return False
        if question is None:
            self.main.look(message="This is answered. r asks it once more; g goes to a time step.")
        elif digit in "1234"[: len(question.choices)]:
            self._answer(digit)
        else:
            self.main.look(message=f"Choose 1 to {len(question.choices)}; g goes to a time step.")
        return True

    def next(self) -> None:
        """Forward; over an open question or exercise only when asked twice."""
        run = self.run
        if run is None:
            return
        if not run.is_done and not run.again and run.step.id not in run.skipped and not self._skip_asked:
            self._skip_asked = True
            question = run.open_question
            what = "Solve this first"
            if question is not None:
                what = f"Answer first, 1 to {len(question.choices)}" if question.choices else "Type a number first"
            self.main.look(message=f"{what}; n once more skips it.")
            return
        moved = run.next(self.main.frame)
        if run.is_last:
            self._finish(moved)
        else:
            self._become(moved)

    def previous(self) -> None:
        if self.run is None:
            return
        if self.run.at == 0:
            self.main.look(message="This is the first step. L shows all lessons.")
            return
        self._become(self.run.previous())

    def jump(self, at: int) -> None:
        if self.run is not None:
            self._become(self.run.jump(at))

    def come_back(self) -> None:
        """What the return key does: back on the rails or the picture as it was; an answered question once more."""
        run = self.run
        if run is not None and run.answer is not None and not run.free:
            self._become(run.retried())
        else:
            self.restore()

    def restore(self) -> None:
        """Back on the rails, the step's picture as it was."""
        if self.run is not None:
            self._become(self.run.restored())

    def leave(self) -> None:
        if self.run is not None and not self.run.free:
            self.run = self.run.left()
            self._pursuing = False
            self.main.share_out()
            self.main.look(message="Free to play. r comes back to the lesson, as it was.")

    def hint(self) -> None:
        run = self.run
        if run is None or run.open_exercise is None:
            self.main.look(message="No hint here: hints belong to exercises.")
        elif not run.open_exercise.hints:
            self.main.look(message="This exercise has no hints.")
        else:
            self.run, self.top = run.hinted(), 0
            self.main.view = replace(self.main.view, message="")
            self._keep()
            self.main.share_out()
            self.main.draw()

    def reset(self, slug: str) -> None:
        """One lesson as if it had never been opened."""
        self.progress.forget(slug)
        self._keep_late()
        if self.run is not None and self.run.lesson.slug == slug:
            self._become(self.run.reset())

    def _type(self, text: str) -> None:
        self.typed = text[: arithmetic.LONGEST]
        self.main.view = replace(self.main.view, message="")
        self.main.draw()

    def _answer(self, said: str) -> None:
        assert self.run is not None
        try:
            run = self.run.saying(said, self.main.frame)
        except InputError as error:
            self.main.look(message=str(error))  # what was typed stays, to be mended
            return
        self.typed = ""
        self._become(run)

    # -- getting there -------------------------------------------------------------------------------------

    def _become(self, run: LessonRun) -> None:
        """A new state of the lesson: set off for its picture."""
        self._pursuing = False
        self.main.skip_film()
        self.run, self.typed, self._skip_asked, self.top = run, "", False, 0
        self.main.pause()
        self._pursuing, self._sent, self._goal, self._way = True, 0, None, set()
        self._via = self._question_of(run)
        self.main.share_out()
        self.main.view = replace(self.main.view, message="")
        self.pursue()

    @staticmethod
    def _question_of(run: LessonRun) -> Setup | None:
        """The network of an answered question, where the answer's bars are held against its: come back to, the answer
        has its ghost again."""
        question = setup_of(run.lesson, run.at, revealed=False)
        is_compared = run.answer is not None and run.target.phase is Phase.BACKWARD
        return question if is_compared and question.experiment != run.target.experiment else None

    def pursue(self) -> None:
        """One command after the other, until the player stands where the lesson wants it. A slow one is waited
        for: the frame after it calls again."""
        main = self.main
        while self._pursuing and self.run is not None and main.player is not None and main.player.job is None:
            target = self._via or self._goal or self.run.target
            command = toward(main.player.frame, target, cursor=self._via is None and not self.run.keep_cursor)
            if command is None and self._via is None:  # what is asked, graded or told here has to be known first
                command = needs(main.player.frame, references(self.run.step))
            if command is None and self._via is not None:
                main.frame = main.player.settle(ghost=False)
                self._via, self._way = None, set()
                continue
            if isinstance(command, Go) and self.performer is not None and self.performer.walks(target):
                return
            if command is None:
                self._pursuing = False
                self._arrived()
                return
            self._sent += 1
            self._way.add(type(command))
            if self._sent > 60:
                self._pursuing = False
                main.look(message="This step's picture cannot be set up. n goes on.")
                return
            self._sending = True
            main.send(command, is_watched=self._goes_on(self.run))
            self._sending = False

    def _goes_on(self, run: LessonRun) -> bool:
        """Whether the network on the screen, in this lesson, is the one that is changed now, and not another that a
        step begins with."""
        return self._stood_in == run.lesson.slug and not self._way & {Back, Change, Cut, ShowSample}

    def needs(self, frame: Frame) -> Command | None:
        """What this step speaks of and takes long to know, of whatever the learner has made of the network."""
        is_there = self.is_on and self.run is not None and not self._pursuing
        return needs(frame, references(self.run.step)) if is_there and self.run is not None else None

    def _arrived(self) -> None:
        main, run = self.main, self.run
        assert run is not None
        assert main.frame is not None
        wanted = run.target.panel or (OF_TRAINING if Train in self._way and main.view.panel == OF_TRAINING else None)
        first = not run.stands
        self._stood_in = run.lesson.slug
        if self.performer is not None and run.pending is not None:
            run = replace(run, pending=right_answer(run.task, main.frame, run.start))
        if self._goal is not None:  # the performer has solved an exercise
            self._goal = None
            self.observe(main.frame)
            return
        if main.player is not None:
            main.frame = main.player.settle(ghost=self._compares(run))
        self.run = run.arrived(main.frame)
        do = run.step.do + (run.step.reveal if run.pending is not None or run.answer is not None else ())
        if first and main.view.panel != wanted and (not run.keep_cursor or any(name == "panel" for name, _ in do)):
            main.open_panel(wanted)
        self._keep()
        main.share_out()
        main.draw()

    def _compares(self, run: LessonRun) -> bool:
        """Whether the ghost stays: the bars of an answer are held against those of its question, where bars are
        drawn; but those of another step are no comparison for a network set up in this one."""
        is_new = bool(self._way & {Back, Change, Cut, Train})
        is_answer = run.pending is not None or self._question_of(run) is not None
        return (is_answer and Change in self._way and run.target.phase is Phase.BACKWARD) or not is_new

    @property
    def keeps_message(self) -> bool:
        """Whether the message stays through the next command: a paused performance says so until the presenter acts,
        and a step that was on its way arrives meanwhile."""
        return self._sending and self.performer is not None and self.performer.is_paused

    def predict(self) -> None:
        """Answer the open question: for a performance, which then turns out to be right."""
        self._answer("1")

    def walk(self, command: Command) -> None:
        """One step on the way, at the pace of a performance."""
        self._sending = True
        self.main.send(command)
        self._sending = False

    def solve(self) -> None:
        """Carry out the first known solution of the open exercise: for a performance."""
        if self.run is not None and self.run.open_exercise is not None:
            self._goal = self.run.target.after(self.run.open_exercise.solutions[0])
            self._pursuing, self._sent = True, 0
            self.pursue()

    def observe(self, frame: Frame) -> None:
        """Every frame comes by here: on the way somewhere, or perhaps with an exercise solved."""
        if self.run is None or self.run.free or self._sending:
            return
        if self._pursuing:
            if frame.job is None:
                self.pursue()
            return
        run = self.run.observed(frame)
        if run is not self.run:
            self.run, self.top = run, 0
            self._keep()
            if run.target.panel and self.main.view.panel == "knobs":  # the step's own panel shows what was reached
                self.main.open_panel(run.target.panel)
            self.main.share_out()
            self.main.draw()

    def _finish(self, run: LessonRun) -> None:
        """The lesson is over: the next one, or the end of the course."""
        self.run = run
        self._keep()
        if self.performer is not None:
            self.performer.end()
            return
        slugs = [self.course.slug(file) for file in self.course.files]
        at = slugs.index(run.lesson.slug) + 1 if run.lesson.slug in slugs else len(slugs)
        if at < len(slugs):
            self.open(slugs[at])
        else:
            self.close()

    def close(self) -> None:
        """The closing page of the course."""
        from rnnviz.tui.closing_page import ClosingScreen

        self.main.app.push_screen(ClosingScreen(self))

    def _keep(self) -> None:
        assert self.run is not None
        if self.performer is not None:
            return  # a performance is nobody's progress
        self.progress.keep(self.run)
        self._keep_late()

    def _keep_late(self) -> None:
        """What another program's lock kept from being written is tried again, until it is."""
        self.tell_notes()
        if self.progress.is_late and not self._is_keeping:
            self._is_keeping = True
            self.main.set_timer(TRY_AGAIN, self._try_again)

    def _try_again(self) -> None:
        self._is_keeping = False
        self.progress.flush()
        self._keep_late()

    def tell_notes(self) -> None:
        """What went wrong with keeping progress, said once."""
        fresh = [note for note in self.progress.notes if note not in self._told]
        if fresh:
            self._told += fresh
            self.main.look(message=fresh[-1])


def once_more(run: LessonRun) -> LessonRun:
    """A lesson that was left at its end is opened at its first step again, its answers and its tick kept."""
    return run.jump(0) if run.finished and run.is_last else run


def first_lesson(course: Course, progress: Progress, slug: str | None) -> LessonRun:
    """The lesson a session begins with: the one asked for; else the one that was left, or the one after it if it
    was finished; else the first. Raises InputError where it cannot be read."""
    slugs = [course.slug(file) for file in course.files]
    if slug is not None:
        return once_more(progress.resume(read_lesson(course, course.slug(course.file(slug)))))
    last = progress.last if progress.last in slugs else slugs[0]
    at = slugs.index(last)
    run = progress.resume(read_lesson(course, last))
    if run.finished and run.is_last and at + 1 < len(slugs):
        run = progress.resume(read_lesson(course, slugs[at + 1]))
    return once_more(run)


def read_lesson(course: Course, slug: str) -> Lesson:
    """Raises InputError with the first thing that is wrong."""
    lesson, problems = read(course.file(slug))
    if lesson is None:
        first = problems[0]
        raise InputError(f"{first.path.name}, line {first.line}: {first.what}. rnnviz lessons check says more.")
    for step in lesson.steps:
        for name, argument in step.do + step.reveal:
            if name == "panel" and argument and argument not in panels.BY_ID:
                unknown = f"{lesson.path.name}, line {step.line}: unknown panel {shown(argument)}."
                raise InputError(f"{unknown} rnnviz lessons check says more.")
    return lesson
