"""The course menu: every lesson with its steps and the learner's progress; it opens any of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from rnnviz.errors import InputError
from rnnviz.glyphs import cut
from rnnviz.lessons.closing_page import is_over
from rnnviz.lessons.course import BROKEN, head
from rnnviz.lessons.lesson import Prediction
from rnnviz.lessons.opening import read_lesson
from rnnviz.lessons.prose import plain, wrapped
from rnnviz.lessons.results import DONE, NONE, SKIPPED
from rnnviz.lessons.sources import name_and_address
from rnnviz.sheet import Sheet
from rnnviz.tui import panels
from rnnviz.tui.notice import Kind, Notice
from rnnviz.tui.sheet_screen import SheetScreen

if TYPE_CHECKING:
    from rnnviz.lessons.lesson import Lesson
    from rnnviz.tui.guide import Guide

ABOUT = 2  # the most rows for a lesson's summary
OPEN = "·"


class ContentsScreen(SheetScreen):
    """↑↓ choose, enter opens, → shows a lesson's steps and sources, R resets a lesson, esc closes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,L,q", "dismiss", "close", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("home", "move(-99)", "first", show=False),
        Binding("end", "move(99)", "last", show=False),
        Binding("right,l,tab", "steps", "steps", show=False),
        Binding("left,h,shift+tab", "lessons", "lessons", show=False),
        Binding("enter,space", "open", "open", show=False),
        Binding("R", "reset", "reset", show=False),
        Binding("c", "closing", "closing page", show=False),
    ]

    def __init__(self, guide: Guide) -> None:
        super().__init__()
        self.guide = guide
        self.slugs = [guide.course.slug(file) for file in guide.course.files]
        self.heads = [head(file) for file in guide.course.files]
        here = guide.run.lesson.slug if guide.run is not None else guide.progress.last
        self.row = self.slugs.index(here) if here in self.slugs else 0
        self.lesson: Lesson | None = None  # the lesson whose steps are shown
        self.step = 0
        notes = guide.progress.notes
        self.note = Notice(notes[-1], Kind.WARNING) if notes else None  # whole here: there are two rows for it
        self._reset_asked = False
        self._shown = range(0)  # the rows in view

    # -- drawing -------------------------------------------------------------------------------------------

    def draw(self, width: int, height: int) -> Sheet:
        palette = self.guide.stage.palette
        title, steps = ("Lessons", "→ steps") if self.lesson is None else (self.lesson.name, "← lessons")
        page = "c closing page  " if is_over(self.guide.course, self.guide.progress) else ""
        legend = f"↑↓ choose  enter open  {steps}  {page}R reset  esc close"
        sheet = self.framed(width, height, title, legend, palette)
        rows = self._lessons() if self.lesson is None else self._steps(self.lesson)
        chosen = self.row if self.lesson is None else self.step
        summary = self.heads[self.row][1] if self.lesson is None else self.lesson.summary
        about = wrapped(summary if self.note is None else self.note.line, width - 2)[:ABOUT]
        went = self.guide.progress.of(self.slugs[self.row]).tally
        about += wrapped(f"So far: {went}.", width - 2)[:1] if went and self.note is None else []
        end = height - 1 - len(about)
        room = end - 3
        first = min(max(0, chosen - room // 2), max(0, len(rows) - room))
        self._shown = range(len(rows))[first : first + room]
        for y, (mark, name, far) in enumerate(rows[first : first + room], start=2):
            here = first + y - 2 == chosen
            style = palette.accent if here else palette.text
            sheet.put(y, 1, "▸" if here else " ", palette.accent)
            sheet.put(y, 3, mark, palette.output)
            sheet.put(y, 5, cut(name, width - 7 - max(9, len(far))), style)
            sheet.right(y, f"{far} ", palette.dim)
        if self.lesson is not None:
            self._sources(sheet, self.lesson, len(rows) + 3, width, end)
        for y, line in enumerate(about, start=end):
            sheet.put(y, 1, plain(line), palette.dim if self.note is None else self.note.style(palette))
        return sheet

    def _lessons(self) -> list[tuple[str, str, str]]:
        rows = []
        for file, slug, (title, summary) in zip(self.guide.course.files, self.slugs, self.heads, strict=True):
            kept = self.guide.progress.of(slug)
            left_out = SKIPPED if kept.done < kept.steps else DONE
            mark = left_out if kept.finished else (OPEN if kept.steps else NONE)
            number = int(file.stem.partition("-")[0])
            far = "broken" if summary == BROKEN else f"{kept.done}/{kept.steps}" if kept.steps else ""
            rows.append((mark, f"{number:>2} {title}", far))
        return rows

    def _steps(self, lesson: Lesson) -> list[tuple[str, str, str]]:
        kept = self.guide.progress.of(lesson.slug)
        rows = []
        for i, step in enumerate(lesson.steps, start=1):
            mark, how = kept.standing(step.id)
            if step.task is None:
                mark, how = (DONE if step.id in kept.seen else NONE), ""
            elif not how:
                how = "question" if isinstance(step.task, Prediction) else "exercise"
            rows.append((mark, f"{i:>2} {step.heading}", how))
        return rows

    def _sources(self, sheet: Sheet, lesson: Lesson, y: int, width: int, end: int) -> None:
        """Draw the sources, as far as there is room below the steps."""
        palette = self.guide.stage.palette
        lines = []
        for source in lesson.sources:
            name, address = name_and_address(source)
            lines += [(line, palette.link(address)) for line in wrapped(name, max(20, width - 6), indent=2)]
        y -= y + 1 + len(lines) > end  # where it is tight, without a row between
        if y >= end:
            return
        sheet.put(y, 3, "Sources", palette.dim)
        for i, (line, style) in enumerate(lines[: end - y], start=y + 1):
            text = cut(plain(line), width - 6)
            blank = len(text) - len(text.lstrip())
            sheet.put(i, 5 + blank, text.lstrip(), style)

    # -- keys ----------------------------------------------------------------------------------------------

    def _say(self, text: str = "", kind: Kind = Kind.NEWS) -> None:
        self.note = Notice(text, kind) if text else None
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        """Select the clicked row, or open it if it is selected already; in the last row do what it says."""
        entries: dict[str, Callable[[], object]] = {
            "enter open": self.action_open, "→ steps": self.action_steps, "← lessons": self.action_lessons,
            "c closing page": self.action_closing, "R reset": self.action_reset, "esc close": self.dismiss,
        }  # fmt: skip
        do = entries.get(self.entry_at(event))
        if do is not None:
            do()
            return
        at = event.get_content_offset(event.widget) if event.widget is not None else None
        row = self._shown[at.y - 2] if at is not None and 0 <= at.y - 2 < len(self._shown) else None
        chosen = self.row if self.lesson is None else self.step
        if row == chosen:
            self.action_open()
        elif row is not None:
            self.action_move(row - chosen)

    def on_mouse_scroll_down(self) -> None:
        self.action_move(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_move(-1)

    def action_move(self, by: int) -> None:
        self._reset_asked = False
        if self.lesson is None:
            self.row = min(max(self.row + by, 0), len(self.slugs) - 1)
        else:
            self.step = min(max(self.step + by, 0), len(self.lesson.steps) - 1)
        self._say()

    def action_steps(self) -> None:
        if self.lesson is not None:
            return
        try:
            self.lesson = read_lesson(self.guide.course, self.slugs[self.row], panels.BY_ID)
        except InputError as error:
            self._say(str(error), Kind.WARNING)
            return
        run = self.guide.run
        self.step = run.at if run is not None and run.lesson.slug == self.lesson.slug else 0
        self._say()

    def action_lessons(self) -> None:
        self.lesson = None
        self._say()

    def action_open(self) -> None:
        guide, slug = self.guide, self.slugs[self.row]
        step = self.step if self.lesson is not None else None
        self.dismiss()
        guide.open_at(slug, step)

    def action_closing(self) -> None:
        if is_over(self.guide.course, self.guide.progress):
            self.dismiss()
            self.guide.close()
        else:
            self._say("The closing page opens after the last lesson.")

    def action_reset(self) -> None:
        """Clear a lesson's progress, after a second request."""
        title = self.heads[self.row][0]
        if not self._reset_asked:
            self._reset_asked = True
            self._say(f"Press R again to clear all answers of {title!r}.")
            return
        self._reset_asked = False
        self.guide.reset(self.slugs[self.row])
        self._say(f"{title!r} has been reset.")
