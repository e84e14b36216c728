"""The app: keys become commands, commands make frames, canvases draw them. Nothing is computed here.

The first paint needs neither NumPy nor a network: the player is built on a thread and its first frame is posted.
Slow commands run as jobs on threads of their own; numba is compiled in another process.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, RenderableType
from textual import events
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.driver import Driver
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import WorkerFailed

from rnnviz import terminal
from rnnviz.errors import InputError
from rnnviz.experiment.experiment import in_labels
from rnnviz.glyphs import visible
from rnnviz.scene.commands import SLOW, Command, Measure, Next, Seek, Train
from rnnviz.scene.cursor import Phase
from rnnviz.tui import keys, mouse, panels, plotext_private, score, status_lines, too_small
from rnnviz.tui.canvas import Canvas, Sheet
from rnnviz.tui.geometry import columns_of
from rnnviz.tui.held_frames import Frames
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.rich_private import set_color_system
from rnnviz.tui.textual_private import end_with, error_of
from rnnviz.tui.training_film import INTERVAL, OF_TRAINING, PICTURES, Film
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.experiment.experiment import Experiment
    from rnnviz.lessons.course import Course, Start
    from rnnviz.lessons.progress import Progress as Kept
    from rnnviz.lessons.run import LessonRun
    from rnnviz.player.player import Job, Player
    from rnnviz.scene.frame import Frame, Progress, Scene
    from rnnviz.tui.driver import TerminalDriver
    from rnnviz.tui.lesson import Guide

WIDE = 120
TALL = 32  # rows from which the moment is told in words beside a lesson
SPEEDS = (1.0, 2.0, 4.0, 8.0, 16.0)  # steps a second
LONGEST_PASTE = 1000  # characters
SETTLE = 0.15  # seconds the first frame is left alone before plots and numba are loaded
LAST_TRY = 0.3  # seconds, at the end, for progress that another program's lock has kept from being written
NO_UNICODE = "Drawn in ASCII: the output's encoding is {}, which has no other glyphs."
REPORT_EVERY = 0.05  # seconds between two looks at a job's progress


class PlayerReady(Message):
    """lesson: the course, its progress and the lesson to begin with; None for the plain score."""

    def __init__(self, player: Player, lesson: tuple[Course, Kept, LessonRun] | None = None) -> None:
        super().__init__()
        self.player = player
        self.lesson = lesson


class JobReported(Message):
    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress


class JobDone(Message):
    def __init__(self, job: Job, error: BaseException | None) -> None:
        super().__init__()
        self.job = job
        self.error = error


class EngineReady(Message):
    """The compiled engine is in use from now on."""


class Noted(Message):
    """Something a person should know that was found on another thread."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class PlotsReady(Message):
    """plotext is there to draw with."""


class Failed(Message):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class Main(Screen[None]):
    """The score, what it says, the panels, and the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(",".join(a.keys), f"act('{a.id}')", a.help, show=False, id=a.id) for a in keys.ACTIONS),
        *(Binding(p.key, f"panel('{p.id}')", p.about, show=False) for p in panels.ALL if p.key),
        *(Binding(str(n), f"digit('{n}')", "go to a step", show=False) for n in range(10)),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.player: Player | None = None
        self.frame: Frame | None = None
        self.view = View()
        self.palette = Palette()
        self._waiting: list[str] = []  # keys pressed before there was a player
        self.places: list[tuple[int, int, str]] = []  # where the keys stand in the key bar
        self._timer: Timer | None = None
        self.has_films = True  # whether trainings are shown on their way
        self.film: Film[JobDone] | None = None  # the training that is shown now
        self._film_timer: Timer | None = None
        self._drawn: dict[str, tuple[object, Sheet]] = {}
        self.guide: Guide | None = None  # leads through the lessons; None before one was opened
        self.expects_lesson = False  # one is being read
        self._rows: dict[str, int] = {}  # at which row panels were left that open there again
        self._asked: set[tuple[Scene, Command]] = set()  # what was asked for a panel or a lesson, of this scene

    def compose(self) -> ComposeResult:
        yield Canvas(self._title, id="title")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield Canvas(self._score, id="score")
                yield Canvas(self._telling, id="telling")
                yield Canvas(self._lesson, id="lesson")
                yield Canvas(self._tabs, id="tabs")
                yield Canvas(self._open_panel, id="panel")
            with Vertical(id="beside"):
                yield Canvas(self._lesson, id="lesson-beside")
                yield Canvas(self._tabs, id="tabs-beside")
                yield Canvas(self._open_panel, id="open")
                for panel in panels.BESIDE:
                    yield Canvas(partial(self._panel, panel), id=f"beside-{panel.id}")
        yield Canvas(self._keys, id="keys")
        yield Static(too_small.TEXT, id="notice")

    @property
    def is_busy(self) -> bool:
        """Something is still to come before the screen stands still."""
        lesson = self.expects_lesson or (self.guide is not None and self.guide.is_busy)
        return self.player is None or self.player.job is not None or lesson

    # -- drawing: each canvas asks for its sheet ---------------------------------------------------------

    def _title(self, width: int, height: int) -> Sheet:
        heading = self.guide.title if self.guide is not None and self.guide.is_on else " rnnviz "
        return status_lines.title(self.frame, width, self.palette, heading, self.view)

    def _score(self, width: int, height: int) -> Sheet:
        if self.frame is None:
            return score.skeleton(width, height, self.palette)
        sheet = score.draw(self.frame, width, height, self.palette, self.view)
        if self.guide is not None and self.guide.is_on:
            side = columns_of(self.frame, width).end + 2
            return self.guide.mark(sheet, side)
        return sheet

    def _telling(self, width: int, height: int) -> Sheet:
        return status_lines.telling(self.frame, self.view, width, height, self.palette)

    def _lesson(self, width: int, height: int) -> Sheet:
        if self.guide is None:
            return Sheet(width, height)
        told = ("", False) if self.query_one("#telling").display else status_lines.note(self.frame, self.view, width)
        return self.guide.sheet(width, height, *told)

    def _tabs(self, width: int, height: int) -> Sheet:
        if self.view.panel is None:
            return Sheet(width, height)
        marked = self.guide is not None and self.guide.points_at(self.view.panel)
        return status_lines.tabs(panels.BY_ID[self.view.panel], self.frame, width, self.palette, marked, self.view)

    def _open_panel(self, width: int, height: int) -> Sheet:
        if self.view.panel is None:
            return Sheet(width, height)
        return self._panel(panels.BY_ID[self.view.panel], width, height)

    def _panel(self, panel: panels.Panel, width: int, height: int) -> Sheet:
        if self.frame is None:
            return Sheet(width, height)
        if panel.follows is None:
            return sheet_for(panel, self.frame, self.view, width, height, self.palette)
        key = (panel.follows(self.frame, self.view), self.view.masked, self.palette, width, height)
        known = self._drawn.get(panel.id)
        if known is None or known[0] != key:
            sheet = sheet_for(panel, self.frame, self.view, width, height, self.palette)
            self._drawn[panel.id] = known = (key, sheet)
        return known[1]

    def _keys(self, width: int, height: int) -> Sheet:
        lesson = self.guide.keys() if self.guide is not None else []
        sheet, self.places = status_lines.key_bar(self.frame, self.view, width, self.palette, lesson)
        return sheet

    def draw(self) -> None:
        if self.guide is not None:
            self.view = self.guide.limited(self.view)
        if self.frame is not None:
            for panel in panels.BESIDE:
                has_nothing = panel.why_not(self.frame) is not None or not panel.stands_beside(self.frame)
                empty = has_nothing or not self.view.knows(panel.id)
                self.query_one(f"#beside-{panel.id}").set_class(empty, "empty")
        for canvas in self.query(Canvas):
            if canvas.display and canvas.size:
                canvas.repaint()

    def show(self, frame: Frame) -> None:
        self.frame = frame
        self.draw()
        self._ask()
        if self.guide is not None:
            self.guide.observe(frame)

    def look(self, **changes: Any) -> None:
        """Change what the app itself remembers, and draw."""
        self.view = replace(self.view, **changes)
        self.draw()
        self._ask()

    def _ask(self) -> None:
        """The open panel or the lesson may need what takes long to know: ask the player, once for each scene."""
        frame, player = self.frame, self.player
        panel = panels.BY_ID.get(self.view.panel or "")
        if frame is None or player is None:
            return
        wanted = (
            panel.needs(frame) if panel is not None and panel.needs is not None else None,
            self.guide.needs(frame) if self.guide is not None else None,
        )
        self._asked = {(scene, command) for scene, command in self._asked if scene is frame.scene}
        for command in wanted:
            is_free = player.job is None or (isinstance(command, Measure) and command.outdates(player.job.command))
            if command is not None and is_free and (frame.scene, command) not in self._asked:
                self._asked.add((frame.scene, command))
                self.send(command)
                return

    def use_colors(self, palette: Palette) -> None:
        self.palette = palette
        self.draw()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= WIDE, "wide")
        self.set_class(event.size.width < status_lines.NARROW, "narrow")
        self.set_class(too_small.is_too_small(event.size), "tiny")
        self.share_out()

    def share_out(self) -> None:
        """Share out the rows between score, lesson and open panel."""
        if not self.children:  # it may be told of its size, and to leave, before it has any
            return
        guide = self.guide if self.guide is not None and self.guide.is_on else None
        self.set_class(guide is not None or self.expects_lesson, "lesson")
        self.set_class(self.size.height >= TALL, "tall")
        wanted = panels.BY_ID[self.view.panel].height if self.view.panel else None
        self.view = replace(self.view, locked=guide.locked if guide is not None else ())
        if guide is not None:
            lesson, beside, room = guide.rows(*self.size, self.view.panel is not None)
            self.query_one("#lesson").styles.height = lesson
            self.query_one("#lesson-beside").styles.height = beside
            wanted = min(wanted, room) if wanted else None
        self.query_one("#panel").styles.height = wanted

    # -- keys --------------------------------------------------------------------------------------------

    def action_act(self, name: str) -> None:
        if self.view.prompt is not None and self._typed(name):
            return
        if self.guide is not None and self.guide.takes(name):
            return
        action = keys.BY_ID[name]
        panel = panels.BY_ID.get(self.view.panel or "")
        by = {"page_down": 1, "page_up": -1}.get(name, 0)
        if self.guide is not None and self.guide.can_scroll(by):  # what a lesson says comes before what a panel lists
            self.guide.scroll(by)
        elif panel is not None and name in panel.takes and self.frame is not None:
            self.take(panel.takes[name](self.frame, self.view))
        elif action.method is not None:
            verb, _, argument = action.method.partition("(")
            method = getattr(self, f"do_{verb}")
            method(int(argument.rstrip(")"))) if argument else method()
        elif self.frame is None:
            self._waiting.append(name)
        elif action.command is not None:
            self.pause()
            self.send(action.command(self.frame))

    def on_key(self, event: events.Key) -> None:
        """While something is typed into a panel or as an answer, keys are letters and not yet actions. What they do is
        done here: by the bindings it would be done only when the app hears of them again, after keys that came with
        them in one burst, over a slow line say, have been taken for something else."""
        if self.view.typing is None:
            heard = self.guide is not None and self.guide.hears(event.key, event.character)
            if heard or self._pressed(event.key):
                event.stop()
            return
        event.stop()
        text = self.view.typing
        if event.key == "escape":
            self.look(typing=None, finding=False)
        elif event.key == "enter":
            self._typed_into(text)
        elif event.key == "backspace":
            self._type(text[:-1])
        elif event.character is not None and event.character.isprintable():
            self._type((text + event.character)[:LONGEST_PASTE])

    def _pressed(self, key: str) -> bool:
        if key in keys.BY_KEY:
            self.action_act(keys.BY_KEY[key])
        elif key in panels.BY_KEY:
            self.action_panel(panels.BY_KEY[key])
        elif len(key) == 1 and key in "0123456789":
            self.action_digit(key)
        else:
            return False
        return True

    def _type(self, text: str) -> None:
        found = panels.BY_ID[self.view.panel or ""].found if self.view.finding else None
        if found is not None and self.frame is not None:
            self.look(**{"typing": text, **found(self.frame, self.view, text)})
        else:
            self.look(typing=text)

    def _typed_into(self, text: str) -> None:
        was_sought = self.view.finding
        self.view = replace(self.view, typing=None, finding=False)
        if was_sought:
            self.draw()
            return
        typed = panels.BY_ID[self.view.panel or ""].typed
        if typed is None or self.frame is None:
            return
        try:
            self.take(typed(self.frame, self.view, text))
        except InputError as error:
            self.look(message=in_labels(str(error)))

    def take(self, asked: Command | dict[str, Any] | None) -> None:
        """What an open panel made of a key."""
        if isinstance(asked, dict):
            self.look(**asked)
        elif asked is not None:
            self.send(asked)

    def action_panel(self, name: str) -> None:
        """A panel's own key opens it, and closes it again."""
        self.open_panel(None if self.view.panel == name else name)

    def action_digit(self, digit: str) -> None:
        if self.frame is None:
            return
        self._seek_typed((self.view.prompt or "") + digit)

    def _typed(self, name: str) -> bool:
        """A key while a number is being typed; whether that was all it meant."""
        prompt = self.view.prompt or ""
        if name == "previous":
            self._seek_typed(prompt[:-1])
            return True
        self.look(prompt=None)
        return name in ("next", "cancel", "seek")

    def _seek_typed(self, text: str) -> None:
        text = text.lstrip("0")[:6] or text[:1]
        self.view = replace(self.view, prompt=text)
        if text:
            self.send(Seek(int(text)))
        else:
            self.draw()

    def send(self, command: Command, *, is_watched: bool = True) -> None:
        """A command to the player: done at once, or on a thread. A training that is watched is seen epoch by epoch;
        one more command to train skips to its end."""
        if self.player is None:
            return
        if self.film is not None and isinstance(command, SLOW) and self.skip_film() and isinstance(command, Train):
            return
        if self.view.message and not (self.guide is not None and self.guide.keeps_message):
            self.view = replace(self.view, message="")
        try:
            job = self.player.begin(command)
        except InputError as error:
            self.look(message=in_labels(str(error)))
            return
        if job is not None:
            pictures = self._watch(command) if is_watched else 0
            Thread(target=self._work, args=(job, pictures), daemon=True).start()
        self.show(self.player.frame)

    def _work(self, job: Job, pictures: int) -> None:
        last = time.monotonic()

        def report(progress: Progress) -> None:
            nonlocal last
            if progress.seen is not None or time.monotonic() - last >= REPORT_EVERY:
                last = time.monotonic()
                self.post_message(JobReported(progress))

        error: BaseException | None = None
        try:
            job.run(report, pictures)
        except BaseException as raised:
            error = raised
        self.post_message(JobDone(job, error))

    def on_job_reported(self, message: JobReported) -> None:
        if self.film is not None and message.progress.seen is not None:
            self.film.add(message.progress, time.monotonic())
        elif self.player is not None and (self.film is None or not self.film.is_behind):
            self.show(self.player.note(message.progress))

    def on_job_done(self, message: JobDone) -> None:
        if self.film is not None and message.error is None:
            self.film.ended(message)
            self._next_picture()
        else:
            self._end_film()
            self._finish(message)

    def _finish(self, message: JobDone) -> None:
        assert self.player is not None
        frame = self.player.finish(message.job)
        if isinstance(message.error, InputError):
            self.view = replace(self.view, message=in_labels(str(message.error)))
        elif message.error is not None:
            raise message.error
        self.show(frame)

    # -- a training, seen --------------------------------------------------------------------------------

    def _watch(self, command: Command) -> int:
        """Get ready to show a training on its way, its loss curve open where nothing else is; how many pictures of it
        are wanted."""
        if not self.has_films or not isinstance(command, Train) or command.amount == "batch":
            return 0
        self.film = Film()
        self._film_timer = self.set_interval(INTERVAL, self._next_picture)
        has_room = self.guide is None or self.guide.has_room_for_film(*self.size)
        if self.view.panel is None and not self.has_class("wide") and has_room:
            self.open_panel(OF_TRAINING)
        return PICTURES

    def _next_picture(self) -> None:
        film, now = self.film, time.monotonic()
        if film is None or self.player is None:
            return
        if film.is_over(now):
            self._end_film()
            assert film.end is not None
            self._finish(film.end)
            return
        progress = film.next(now)
        if progress is not None:
            self.show(self.player.note(progress))

    @property
    def shows_film(self) -> bool:
        """Whether the training is over, and only still shown."""
        return self.film is not None and self.film.end is not None

    def skip_film(self) -> bool:
        """To the end of the training, now if it is there already; whether there was anything to skip."""
        if self.film is None:
            return False
        self.film.skip()
        self._next_picture()
        return True

    def _end_film(self) -> None:
        self.film = None
        if self._film_timer is not None:
            self._film_timer.stop()
            self._film_timer = None

    # -- what the app itself can do -------------------------------------------------------------------------

    def do_play(self) -> None:
        if self._timer is not None:
            self.pause()
        elif self.frame is not None:
            if self.frame.cursor.phase is Phase.UPDATE:
                self.send(Next())
            self._play()
            self.look(playing=True)

    def _play(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_interval(1 / self.view.speed, self._tick)

    def pause(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
            self.look(playing=False)

    def _tick(self) -> None:
        if self.player is None or self.frame is None or self.player.job is not None:
            return
        if self.frame.cursor.phase is not Phase.UPDATE:
            self.send(Next())
        if self.frame.cursor.phase is Phase.UPDATE:  # the story is told; its last line stays to be read
            self.pause()

    def do_faster(self, by: int = 1) -> None:
        at = SPEEDS.index(self.view.speed)
        speed = SPEEDS[min(max(at + by, 0), len(SPEEDS) - 1)]
        self.view = replace(self.view, speed=speed, message=f"space plays {speed:g} steps a second.")
        if self._timer is not None:
            self._play()
        self.draw()

    def do_slower(self) -> None:
        self.do_faster(-1)

    def do_seek(self) -> None:
        if self.frame is not None:
            self.look(prompt="")

    def do_panel(self, by: int) -> None:
        self.open_panel(panels.following(self.view.panel, by, self.frame, self.view))

    def open_panel(self, panel: str | None) -> None:
        """Open a panel by its id; None closes it."""
        left = panels.BY_ID.get(self.view.panel or "")
        if left is not None and left.leaves is not None and left.id != panel and self.frame is not None:
            command = left.leaves(self.frame)
            if command is not None:
                self.send(command)
        if left is not None and left.keeps_row:
            self._rows[left.id] = self.view.row
        keeps = panel is not None and panels.BY_ID[panel].keeps_row
        row = self._rows.get(panel or "", -1) if keeps else 0
        self._asked = set()
        self.set_class(panel is not None, "panel-open")
        self.view = replace(self.view, panel=panel, page=0, row=row, typing=None, finding=False)
        self.share_out()
        self.look()

    def do_find(self) -> None:
        if self.frame is not None:
            self.open_panel("knobs")
            self.look(typing="", finding=True)

    def do_page(self, by: int) -> None:
        """Where no open panel takes the key: through a lesson's text that is longer than its place."""
        if self.guide is not None:
            self.guide.scroll(by)

    def do_group(self) -> None:
        self.look(message="[ and ] lead through the groups of the knobs: o opens them.")

    def do_copy(self) -> None:
        """What the open panel has to copy goes to the terminal's clipboard."""
        panel = panels.BY_ID.get(self.view.panel or "")
        if panel is None or panel.copies is None or self.frame is None:
            self.look(message="Open a panel that has something to copy: s, the code.")
            return
        text = panel.copies(self.frame, self.view)
        self.app.copy_to_clipboard(text)
        self.look(message=f"{len(text.splitlines())} lines copied, if this terminal lets an app do that.")

    # -- lessons -------------------------------------------------------------------------------------------

    def do_lesson_next(self) -> None:
        self._with_lesson(lambda guide: guide.next())

    def do_lesson_previous(self) -> None:
        self._with_lesson(lambda guide: guide.previous())

    def do_lesson_hint(self) -> None:
        self._with_lesson(lambda guide: guide.hint())

    def do_lesson_return(self) -> None:
        self._with_lesson(lambda guide: guide.come_back())

    def do_lesson_leave(self) -> None:
        self._with_lesson(lambda guide: guide.leave())

    def _with_lesson(self, ask: Callable[[Guide], None]) -> None:
        if self.guide is not None and self.guide.run is not None:
            ask(self.guide)
        else:
            self.look(message="No lesson is open; L shows them.")

    def do_contents(self) -> None:
        """The lessons, and how far one is in each."""
        from rnnviz.tui.course_menu import ContentsScreen

        if self.player is None or too_small.is_too_small(self.size):
            return
        try:
            guide = self.guide or self._guide()
        except InputError as error:
            self.look(message=str(error))
            return
        self.app.push_screen(ContentsScreen(guide))

    def _guide(self) -> Guide:
        """A guide to rnnviz' own course, for who began on the plain score."""
        from rnnviz.lessons.course import find
        from rnnviz.lessons.progress import Progress
        from rnnviz.tui.lesson import Guide

        course = find()
        self.guide = Guide(self, course, Progress(course.name))
        return self.guide

    def begin_lesson(self, course: Course, progress: Kept, run: LessonRun, speed: float | None) -> None:
        """The lesson the app starts with."""
        from rnnviz.tui.lesson import Guide

        self.guide, self.expects_lesson = Guide(self, course, progress), False
        self.guide.start(run, speed)

    def do_cancel(self) -> None:
        if self.shows_film:
            self.skip_film()
        elif self.player is not None and self.player.job is not None:
            self.player.job.cancel()
        elif self._timer is not None:
            self.pause()
        elif self.view.panel is not None:
            self.open_panel(None)
        else:
            self.look(message="")

    def do_help(self) -> None:
        from rnnviz.tui.help import HelpScreen

        if not too_small.is_too_small(self.size):
            self.app.push_screen(HelpScreen())

    def do_command_palette(self) -> None:
        self.app.action_command_palette()

    def do_suspend(self) -> None:
        self.app.action_suspend_process()

    def do_quit(self) -> None:
        self.app.exit()

    # -- mouse -----------------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        mouse.click(self, event)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        mouse.wheel(self, event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        mouse.wheel(self, event, -1)


class RnnvizApp(App[None]):
    """rnnviz in a full-screen terminal."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(keys.BY_ID["suspend"].keys), "suspend_process", show=False, priority=True, id="suspend"),
        # As one has ctrl+c in the fingers, whatever is open and whatever is being typed.
        Binding("ctrl+q,ctrl+c", "quit", show=False, priority=True, id="leave"),
    ]
    CSS_PATH = "app.tcss"
    TITLE = "rnnviz"
    ENABLE_COMMAND_PALETTE = True
    ALLOW_SELECT = False

    def __init__(
        self,
        experiment: Experiment | None = None,
        *,
        start: Start | None = None,
        compile: bool = True,
        ascii: bool = False,
    ) -> None:
        if not os.environ.get("NO_COLOR"):
            os.environ.pop("NO_COLOR", None)  # empty, it is not set; Textual takes it for set
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)
        self.strength = terminal.colors()
        set_color_system(self.console, COLOR_SYSTEMS.get(self.strength, ColorSystem.TRUECOLOR))
        self.own_driver: TerminalDriver | None = None  # it says so itself; None on Windows and in tests
        self._frames = Frames(self)
        self.ascii = ascii  # the terminal has no other glyphs
        self._experiment = experiment
        self._start = start  # with which lesson; None: the plain score
        self._compile = compile
        self._compiling: Any = None
        self.failure: BaseException | None = None

    def get_driver_class(self) -> type[Driver]:
        """On POSIX a driver of our own; where there is no termios Textual's, if it has one."""
        with suppress(ImportError):
            from rnnviz.tui.driver import TerminalDriver

            return TerminalDriver
        with suppress(ImportError):
            return super().get_driver_class()
        from textual.drivers.headless_driver import HeadlessDriver

        return HeadlessDriver

    def get_default_screen(self) -> Screen[None]:
        self.main = Main()
        self.main.expects_lesson = self._start is not None
        return self.main

    def on_mount(self) -> None:
        if not self.is_headless:
            self._catch_the_rest()
        self.main.has_films = not self.is_headless  # pictures and tests are of how it ends
        self._choose_colors()
        self.watch(self, "theme", self._choose_colors, init=False)
        self.call_after_refresh(self._build)

    def on_resize(self, event: events.Resize) -> None:
        """In a window too small for it what is open over the score is covered by the notice, and uncovered again."""
        covered = isinstance(self.screen, too_small.TooSmall)
        if too_small.is_too_small(event.size):
            if len(self.screen_stack) > 1 and not covered:
                self.push_screen(too_small.TooSmall())
        elif covered:
            self.pop_screen()

    def action_command_palette(self) -> None:
        if not too_small.is_too_small(self.size):
            super().action_command_palette()

    async def on_event(self, event: events.Event) -> None:
        """What is pasted into a line of input is text, nothing that steers; of a whole book its beginning."""
        if isinstance(event, events.Paste) and not event.is_forwarded:  # once: unhandled it comes back here
            event = events.Paste(visible(event.text[:LONGEST_PASTE].splitlines()[0] if event.text else ""))
        await super().on_event(event)

    async def settled(self) -> None:
        """Until the player is there, plotext is loaded, and no job is under way: for tests and pictures."""
        import asyncio

        while not self.main.view.plots or self.main.is_busy:
            if self.failure is not None:
                raise self.failure
            await asyncio.sleep(0.005)

    def _choose_colors(self) -> None:
        theme = self.current_theme
        ground = (theme.background or "").lower()
        if not (ground.startswith("#") and len(ground) == 7):
            ground = ""  # the usual one, or the terminal's own, which nobody knows
        self.main.use_colors(Palette(self.strength, theme.dark, self.ascii, ground))

    # -- the player is built, and plotext and numba are loaded, while the first paint is already there ---------

    def _build(self) -> None:
        Thread(target=self._make_player, daemon=True).start()

    def _make_player(self) -> None:
        try:
            from rnnviz.player.player import open_player

            lesson = self._read_lesson()
            player = open_player(self._experiment if lesson is None else lesson[2].target.experiment, live=True)
        except BaseException as error:
            self.post_message(Failed(error))
            return
        self.post_message(PlayerReady(player, lesson))

    def _read_lesson(self) -> tuple[Course, Kept, LessonRun] | None:
        """The lesson to begin with: the one asked for, else where the learner left. Raises InputError."""
        if self._start is None:
            return None
        from rnnviz.lessons.course import find
        from rnnviz.lessons.progress import Progress
        from rnnviz.tui.lesson import first_lesson

        course = find(self._start.folder)
        progress = Progress(course.name)
        return course, progress, first_lesson(course, progress, self._start.slug)

    def on_player_ready(self, message: PlayerReady) -> None:
        main = self.main
        main.player = message.player
        main.show(message.player.frame)
        if message.lesson is not None and self._start is not None:
            main.begin_lesson(*message.lesson, self._start.speed)
        if self.ascii:
            main.look(message=NO_UNICODE.format(getattr(sys.__stdout__, "encoding", "ASCII")))
        waiting, main._waiting = main._waiting, []
        for name in waiting:
            main.action_act(name)
        self.set_timer(SETTLE, lambda: Thread(target=self._load, args=(message.player,), daemon=True).start())

    def _load(self, player: Player) -> None:
        """On a thread: what the first frame did not need."""
        gc.freeze()  # what is there now stays; nobody need look through it again
        gc.enable()
        try:
            plotext_private.load()
            player.frame.scene.complete()
            self.post_message(PlotsReady())
        except Exception as error:
            self.post_message(Failed(error))
        if self._compile:
            with suppress(Exception):  # whatever numba lacks here, the numpy engine stays
                from rnnviz.nn import loading

                self._compiling = loading.start(self._engine_ready, on_note=self._note)

    def _engine_ready(self, name: str) -> None:
        """Called on another thread."""
        self.post_message(EngineReady())

    def _note(self, text: str) -> None:
        """Called on another thread."""
        self.post_message(Noted(text))

    def on_noted(self, message: Noted) -> None:
        self.main.look(message=message.text)

    def on_plots_ready(self) -> None:
        self.main.look(plots=True)

    def on_engine_ready(self) -> None:
        main = self.main
        if main.player is not None and main.player.job is None:
            main.show(main.player.refresh())

    def on_failed(self, message: Failed) -> None:
        self.failure = message.error
        self.exit(return_code=2 if isinstance(message.error, InputError) else 1)

    # -- the end ------------------------------------------------------------------------------------------------

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        super().exit(result, return_code, message)
        if self.own_driver is not None:
            self.own_driver.end_soon(return_code)

    def action_suspend_process(self) -> None:
        """Stop, as any program does on ctrl+z, and give the shell its terminal."""
        if self.own_driver is not None and self.own_driver.has_job_control:
            self.own_driver.suspend()
        else:
            self.main.look(message="ctrl+z needs a shell that can bring rnnviz back (fg); there is none here.")

    def _handle_exception(self, error: Exception) -> None:
        """Whatever a widget, a worker or a timer lets through."""
        if self.own_driver is None:
            super()._handle_exception(error)
        else:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """End with this error; `run` raises it."""
        if self.own_driver is not None:
            self.own_driver.end_soon(1)
        cause = error.error if isinstance(error, WorkerFailed) else error
        end_with(self, cause if isinstance(cause, Exception) else error)

    def _catch_the_rest(self) -> None:
        """Errors that would only be printed, over the picture: on threads, and in what the event loop calls."""
        import asyncio
        import logging
        import threading

        def on_thread(args: threading.ExceptHookArgs) -> None:
            if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
                self.post_message(Failed(args.exc_value))

        def in_loop(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            if isinstance(context.get("exception"), Exception) and self.is_running:
                self.fail(context["exception"])

        threading.excepthook = on_thread
        logging.getLogger("asyncio").addHandler(logging.NullHandler())  # PYTHONDEVMODE: what took longer than 0.1 s
        asyncio.get_running_loop().set_exception_handler(in_loop)

    def on_unmount(self) -> None:
        if self.main.guide is not None:
            self.main.guide.progress.flush(LAST_TRY)
        if self._compiling is not None:  # last: it waits for another process
            self._compiling.stop()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """What Textual draws goes out in its short form, in ASCII where there is no more, and when the line is free."""
        self._frames.show(renderable, partial(super()._display, screen))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        for action in keys.ACTIONS:
            if action.id != "commands":
                title = action.help[0].upper() + action.help[1:]
                face = "  ".join(map(keys.face, action.keys))
                yield SystemCommand(title, face, partial(self.main.action_act, action.id))
        for panel in panels.ALL:
            yield SystemCommand(f"Panel: {panel.title}", panel.about, partial(self.main.open_panel, panel.id))
        yield SystemCommand("Theme", "change the colours", self.action_change_theme)


def run(experiment: Experiment | None = None, start: Start | None = None) -> int:
    """Open the app, on a lesson or on the plain score, and stay until it is left; the exit code. Raises InputError
    if the experiment cannot run."""
    app = RnnvizApp(experiment, start=start, ascii=terminal.lacks_unicode(sys.stdout))
    try:
        app.run()
    finally:
        if app.own_driver is not None:
            app.own_driver.finish()
    failure: BaseException | None = error_of(app) or app.failure
    if failure is not None:
        raise failure
    return app.return_code or 0
