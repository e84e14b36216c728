"""The course menu: every lesson with its pages and the learner's progress; it opens, finds, replays and resets them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Thread
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
from rnnviz.lessons.searching import LONGEST, Found, Index
from rnnviz.lessons.sources import name_and_address
from rnnviz.sheet import Sheet
from rnnviz.tui import panels
from rnnviz.tui.notice import Kind, Notice
from rnnviz.tui.sheet_screen import SheetScreen
from rnnviz.tui.voice import KEYS

if TYPE_CHECKING:
    from rnnviz.lessons.lesson import Lesson
    from rnnviz.tui.guide import Guide

ABOUT = 2  # the most rows for a lesson's summary
OPEN = "·"


class ContentsScreen(SheetScreen):
    """↑↓ choose, enter opens, → shows a lesson's pages and sources, / finds, esc closes; r replays a lesson, s sums it
    up, R resets it. found: what a search lists; words: what is searched for, None without a search."""

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
        Binding("r", "replay", "replay", show=False, id="lesson_return"),
        Binding("s", "summary", "summary", show=False),
        Binding("c", "closing", "closing page", show=False),
        Binding("slash", "search", "find", show=False, id="find"),
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
        self.words: str | None = None
        self.found: list[Found] = []
        self.at = 0  # which of those is chosen
        self.index: Index | None = None

    # -- drawing -------------------------------------------------------------------------------------------

    def draw(self, width: int, height: int) -> Sheet:
        palette = self.guide.stage.palette
        sheet = self.framed(width, height, *self._frame(width - 2), palette)
        rows = self._rows()
        chosen = self._chosen
        about = wrapped(self._about() if self.note is None else self.note.line, width - 2)[:ABOUT]
        went = self.guide.progress.of(self.slugs[self.row]).tally if self.words is None else ""
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

    def _frame(self, width: int) -> tuple[str, str]:
        """The title, and the keys; where they do not fit, without the words for what is plain from the picture."""
        if self.words is not None:
            return f"Find: {self.words}▏", "type words  ↑↓ choose  enter open  esc all lessons"
        title, pages = ("Lessons", "→ pages") if self.lesson is None else (self.lesson.name, "← lessons")
        entries = [
            "↑↓ choose", "enter open", pages, f"{KEYS['find']} find", f"{KEYS['lesson_return']} replay", "s summary",
            "R reset", "esc close",
        ]  # fmt: skip
        if is_over(self.guide.course, self.guide.progress):
            entries.insert(-2, "c closing page" if width >= 98 else "c end")
        while len(entries) > 1 and len("  ".join(entries)) > width:
            del entries[0]
        return title, "  ".join(entries)

    @property
    def _chosen(self) -> int:
        return self.at if self.words is not None else self.row if self.lesson is None else self.step

    def _rows(self) -> list[tuple[str, str, str]]:
        if self.words is not None:
            return [self._result(one) for one in self.found]
        return self._lessons() if self.lesson is None else self._steps(self.lesson)

    def _about(self) -> str:
        """The line on what is chosen."""
        if self.words is not None:
            if self.index is None:
                return "Reading the lessons …"
            return self.found[self.at].about if self.found else "No term, lesson or page holds all of these words."
        return self.heads[self.row][1] if self.lesson is None else self.lesson.summary

    def _result(self, found: Found) -> tuple[str, str, str]:
        mark, name, far = self._lessons()[self.slugs.index(found.slug)]
        return (mark, name, far) if found.page is None else (NONE, f"   {found.name}", found.kind)

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
            "enter open": self.action_open, "→ pages": self.action_steps, "← lessons": self.action_lessons,
            "c closing page": self.action_closing, "c end": self.action_closing, "s summary": self.action_summary,
            f"{KEYS['find']} find": self.action_search, f"{KEYS['lesson_return']} replay": self.action_replay,
            "R reset": self.action_reset, "esc close": self.dismiss, "esc all lessons": self.end_search,
        }  # fmt: skip
        do = entries.get(self.entry_at(event))
        if do is not None:
            do()
            return
        at = event.get_content_offset(event.widget) if event.widget is not None else None
        row = self._shown[at.y - 2] if at is not None and 0 <= at.y - 2 < len(self._shown) else None
        if row == self._chosen:
            self.action_open()
        elif row is not None:
            self.action_move(row - self._chosen)

    def on_mouse_scroll_down(self) -> None:
        self.action_move(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_move(-1)

    def action_move(self, by: int) -> None:
        self._reset_asked = False
        if self.words is not None:
            self.at = min(max(self.at + by, 0), max(0, len(self.found) - 1))
        elif self.lesson is None:
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
        if self.words is not None:
            if not self.found:
                return
            slug, step = self.found[self.at].slug, self.found[self.at].page
        self.dismiss()
        guide.open_at(slug, step)

    def action_search(self) -> None:
        """Type words; the list narrows to the lessons and pages that hold them all."""
        self.words, self.lesson, self.at = "", None, 0
        self._find()
        if self.index is None:  # a moment's work, but not for the thread that draws
            Thread(target=self._read, daemon=True).start()

    def end_search(self) -> None:
        if self.found and self.words:
            self.row = self.slugs.index(self.found[self.at].slug)
        self.words = None
        self._say()

    def _read(self) -> None:
        index = Index(self.guide.course)
        with suppress(RuntimeError):  # the app has ended meanwhile
            self.app.call_from_thread(self._have, index)

    def _have(self, index: Index) -> None:
        self.index = index
        if self.is_attached and self.words is not None:
            self._find()

    def _find(self) -> None:
        if self.index is not None:
            self.found = self.index.find(self.words or "", self.guide.progress)
        self.at = 0
        self._say()

    def on_key(self, event: events.Key) -> None:
        """While words are typed, a letter is a letter; the keys that move are those of the list."""
        if self.words is None or event.key in ("up", "down", "home", "end", "enter"):
            return
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.end_search()
        elif event.key == "backspace":
            self.words = self.words[:-1]
            self._find()
        elif event.character is not None and event.character.isprintable():
            self.words = (self.words + event.character)[:LONGEST]
            self._find()

    def action_replay(self) -> None:
        """Open a lesson at its first page, with its questions asked again."""
        self.dismiss()
        self.guide.replay(self.slugs[self.row])

    def action_summary(self) -> None:
        """Open the page that sums a lesson up."""
        slug = self.slugs[self.row]
        try:
            lesson = read_lesson(self.guide.course, slug, panels.BY_ID)
        except InputError as error:
            self._say(str(error), Kind.WARNING)
            return
        self.dismiss()
        self.guide.close(lesson)

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
