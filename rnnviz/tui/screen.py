"""The screen: canvases around the score, how they divide the rows, and what each draws. It implements Stage.

What it shows is two immutable records: the frame, which comes from the player, and the view, which is its own. Any
change ends in `draw`; canvases send only the cells that differ.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Region
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from rnnviz.errors import InputError
from rnnviz.scene.commands import Command, Measure
from rnnviz.session import USUAL, Session
from rnnviz.sheet import Sheet
from rnnviz.tui import beside, corner, layout, needed, panels, presenter, score, status_lines, too_small
from rnnviz.tui.canvas import Canvas
from rnnviz.tui.jobs import Jobs
from rnnviz.tui.notice import Kind, Notice
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.play import Playback
from rnnviz.tui.view import USUAL_SPEED, View

if TYPE_CHECKING:
    from rnnviz.lessons.course import Course
    from rnnviz.lessons.progress import Progress
    from rnnviz.nn import Trace
    from rnnviz.player.player import Player
    from rnnviz.scene.frame import Frame
    from rnnviz.tui.guide import Guide
    from rnnviz.tui.maps.screen import MapView
    from rnnviz.tui.maps.session import MapSession

CORNERS = ("corner", "corner-beside")


class ScoreScreen(Screen[None]):
    def __init__(self, *, expects_lesson: bool = False, session: Session = USUAL) -> None:
        """expects_lesson: one is being read, and will begin."""
        super().__init__()
        self.session = session
        self.player: Player | None = None
        self.frame: Frame | None = None
        self.view = View(speed=USUAL_SPEED * (session.speed or 1.0), presenting=session.presenting)
        self.palette = Palette()
        self.map: MapSession | None = None  # the map that is open, or lies behind the run that was opened from it
        self._map_view: MapView | None = None
        self.guide: Guide | None = None  # leads through the lessons; None before one was opened
        self.expects_lesson = expects_lesson
        self.jobs = Jobs(self, self.post_message)
        self.playback = Playback(self)
        self.pace = corner.Pace(self.set_timer, self._draw_corners)
        self.early: list[str] = []  # actions requested before there was a player
        self.places: list[tuple[int, int, str]] = []  # the places of the keys in the key bar
        self._canvases: dict[str | None, Canvas] = {}  # by id, from the top left to the bottom right
        self._drawn: dict[str, tuple[object, Sheet]] = {}
        self._rows: dict[str, int] = {}  # the last row of each panel that reopens there
        self._shape: object = None  # what of the frame the layout depends on
        self._requested: set[tuple[Trace, Command]] = set()  # what was asked for a panel or a lesson, of this scene

    def on_mount(self) -> None:
        self._canvases = {canvas.id: canvas for canvas in self.query(Canvas)}

    def compose(self) -> ComposeResult:
        yield Canvas(self._title, id="title")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield Canvas(self._score, id="score")
                yield Canvas(self._narration, id="telling")
                yield Canvas(self._lesson, id="lesson")
                yield Canvas(partial(self._corner, is_second=True), id="corner")
                yield Canvas(self._tabs, id="tabs")
                yield Canvas(self._open_panel, id="panel")
            with Vertical(id="beside") as column:
                column.styles.padding = beside.PADDING
                yield Canvas(self._lesson, id="lesson-beside")
                yield Canvas(self._narration_beside, id="telling-beside")
                yield Canvas(self._tabs, id="tabs-beside")
                yield Canvas(self._open_panel, id="open")
                yield Canvas(self._corner, id="corner-beside")
                for panel in panels.BESIDE:
                    yield Canvas(partial(self._panel, panel), id=f"beside-{panel.id}")
        yield Canvas(self._keys, id="keys")
        yield Static(too_small.TEXT, id="notice")

    @property
    def is_busy(self) -> bool:
        """Whether more updates will come before the screen is at rest."""
        lesson = self.expects_lesson or (self.guide is not None and self.guide.is_busy)
        return self.player is None or self.player.job is not None or lesson

    # -- drawing: each canvas asks for its sheet ---------------------------------------------------------

    def _title(self, width: int, height: int) -> Sheet:
        heading = self.guide.title if self.guide is not None and self.guide.is_on else " rnnviz "
        return status_lines.title(self.frame, width, self.palette, heading, self.view)

    def _score(self, width: int, height: int) -> Sheet:
        if self.frame is None:
            return score.skeleton(width, height, self.palette)
        row = self.guide.row if self.guide is not None else None
        return score.draw(self.frame, width, height, self.palette, self.view, row)

    def _narration(self, width: int, height: int) -> Sheet:
        return status_lines.narration(self.frame, self.view, width, height, self.palette)

    def _narration_beside(self, width: int, height: int) -> Sheet:
        """The moment in words below a lesson's text, after an empty row."""
        sheet = Sheet(width, height)
        sheet.paste(1, 0, self._narration(width, height - 1), 0, width)
        return sheet

    def _lesson(self, width: int, height: int) -> Sheet:
        if self.guide is None:
            return Sheet(width, height)
        is_said_nearby = self._canvases["telling"].display or self._canvases["telling-beside"].display
        note = None if is_said_nearby else status_lines.current_notice(self.frame, self.view, width - 12)
        return self.guide.sheet(width, height, note)

    def _tabs(self, width: int, height: int) -> Sheet:
        if self.view.panel is None:
            return Sheet(width, height)
        marked = self.guide is not None and self.guide.points_at(self.view.panel)
        return status_lines.tabs(panels.BY_ID[self.view.panel], self.frame, width, self.palette, marked, self.view)

    def _open_panel(self, width: int, height: int) -> Sheet:
        if self.view.panel is None:
            return Sheet(width, height)
        return self._panel(panels.BY_ID[self.view.panel], width, height)

    def _corner(self, width: int, height: int, is_second: bool = False) -> Sheet:
        places = self.corner_places(height, is_second)
        return corner.draw(places, self.frame, width, height, self.palette, self._panel)

    def corner_places(self, height: int, is_second: bool = False) -> list[corner.Place]:
        """What is in the corner, and where, if it has so many rows. is_second: below the score, where the one below the
        text has the first panels."""
        if self.frame is None or self.guide is None:
            return []
        shown = corner.chosen(self.frame, self.view, self.guide.corner)
        first = self._canvases["corner-beside"]
        if is_second and first.display:
            shown = shown[len(corner.places(shown, self.frame, first.size.height)) :]
        return corner.places(shown, self.frame, height)

    def _panel(self, panel: panels.Panel, width: int, height: int) -> Sheet:
        if self.frame is None:
            return Sheet(width, height)
        if panel.depends_on is None:
            return sheet_for(panel, self.frame, self.view, width, height, self.palette)
        key = (panel.depends_on(self.frame, self.view), self.view.masked, self.palette, width, height)
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
                has_nothing = panels.why_not(panel, self.frame) is not None or not panel.opens_beside(self.frame)
                empty = has_nothing or not self.view.knows(panel.id)
                self._canvases[f"beside-{panel.id}"].set_class(empty, "empty")
            if self._shape != (shape := beside.shape(self.frame)):
                self._shape = shape
                self.share_out()
        for name, canvas in self._canvases.items():
            if canvas.display and canvas.size and name not in CORNERS:
                canvas.repaint()
        named = self.guide.corner if self.guide is not None else ()
        if self._corners and self.pace.is_due((replace(self.view, notice=None), self.palette, named)):
            self._draw_corners()

    @property
    def _corners(self) -> list[Canvas]:
        return [canvas for name in CORNERS if (canvas := self._canvases.get(name)) and canvas.display and canvas.size]

    def _draw_corners(self) -> None:
        for canvas in self._corners:
            canvas.repaint()

    def by_importance(self) -> list[Region]:
        """The places of what must be read first, where a frame takes its time. The corner is not among them."""
        first = ("title", "keys", "telling", "lesson", "lesson-beside", "telling-beside", "score")
        opened = ("tabs", "panel", "tabs-beside", "open")
        return [self._canvases[name].region for name in (*first, *opened) if name in self._canvases]

    # -- what is shown ------------------------------------------------------------------------------------

    def open(self, player: Player) -> None:
        """Start with a player."""
        self.player = player
        self.show(player.frame)

    def show(self, frame: Frame, warning: str = "") -> None:
        self.frame = frame
        if warning:
            self.change(notice=Notice(warning, Kind.WARNING))
        if self._request():
            return
        self.draw()
        if self.guide is not None:
            self.guide.observe(frame)

    def change(self, **changes: Any) -> None:
        """Change the view; the caller draws it."""
        self.view = replace(self.view, **changes)

    def look(self, **changes: Any) -> None:
        self.change(**changes)
        if not self._request():
            self.draw()

    def say(self, text: str) -> None:
        self.look(notice=Notice(text))

    def warn(self, text: str) -> None:
        self.look(notice=Notice(text, Kind.WARNING))

    def hush(self) -> None:
        self.change(notice=None)

    def use_colors(self, palette: Palette) -> None:
        self.palette = palette
        self.draw()

    def _request(self) -> bool:
        """The panels, the lesson or the plots may need what is not known yet: ask the player, once for each scene.
        Whether that was done: then it has been shown, too."""
        if self.guide is not None:
            self.view = self.guide.limited(self.view)
        frame, player = self.frame, self.player
        if frame is None or player is None:
            return False
        corners = [(canvas, name == "corner") for name in CORNERS if (canvas := self._canvases[name]).display]
        places = [place for canvas, is_second in corners for place in self.corner_places(canvas.size.height, is_second)]
        shown = [panel for panel, _, _ in places]
        self._requested = {(trace, command) for trace, command in self._requested if trace is frame.scene.trace}
        for command in needed.by_screen(frame, self.view, self.guide, shown):
            is_free = player.job is None or (isinstance(command, Measure) and command.outdates(player.job.command))
            if is_free and (frame.scene.trace, command) not in self._requested:
                self._requested.add((frame.scene.trace, command))
                self.send(command)
                return True
        return False

    # -- ways out ------------------------------------------------------------------------------------------

    def picture(self) -> str:
        """The whole screen as SVG."""
        from rnnviz.tui.pictures.picture import of_app
        from rnnviz.tui.pictures.svg import svg

        assert self.frame is not None
        self.pace.catch_up()
        picture = of_app(self.app, self.palette.colors, ascii=self.palette.ascii)
        return svg(picture, f"rnnviz · {self.frame.scene.task.title}")

    def command_line(self) -> tuple[str, str]:
        """The command that shows this view, and what it leaves out."""
        from rnnviz.lessons.course import OWN
        from rnnviz.tui.command_line import command_line

        assert self.frame is not None
        guide = self.guide if self.guide is not None and self.guide.is_on else None
        is_own = guide is None or guide.course.name == OWN
        folder = None if guide is None or is_own else str(guide.course.folder)
        run = None if guide is None else guide.run
        theme = self.app.theme.removeprefix("textual-")
        size = (self.outer_size.width, self.outer_size.height)
        return command_line(self.frame, self.view, size, theme, self.palette.ascii, run, folder)

    # -- layout ---------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(too_small.is_too_small(event.size), "tiny")
        self.share_out()

    def share_out(self) -> None:
        if not self.children:  # a resize or an end may come before compose
            return
        guide = self.guide if self.guide is not None and self.guide.is_on else None
        self.change(locked=guide.locked if guide is not None else ())
        layout.share_out(self, self, guide, is_lesson=guide is not None or self.expects_lesson)

    @property
    def moment_rows(self) -> int:
        return 2 * self.query_one("#telling").display

    def present(self) -> None:
        """Take the presenter's layout, or end it."""
        self.change(presenting=not self.view.presenting)
        self.share_out()
        self.say(presenter.BEGINS if self.view.presenting else presenter.ENDS)

    def has_room_for_film(self) -> bool:
        room, _ = presenter.room(self.outer_size, self.view.presenting)
        return not self.has_class("wide") and (self.guide is None or self.guide.has_room_for_film(*room))

    def open_panel(self, panel: str | None) -> None:
        left = panels.BY_ID.get(self.view.panel or "")
        if left is not None and left.on_close is not None and left.id != panel and self.frame is not None:
            command = left.on_close(self.frame)
            if command is not None:
                self.send(command)
        if left is not None and left.keeps_row:
            self._rows[left.id] = self.view.row
        keeps = panel is not None and panels.BY_ID[panel].keeps_row
        row = self._rows.get(panel or "", -1) if keeps else 0
        self._requested = set()
        self.set_class(panel is not None, "panel-open")
        self.change(panel=panel, page=0, row=row, typing=None, finding=False)
        self.share_out()
        self.look()

    # -- the player, seen from the stage -------------------------------------------------------------------

    def send(self, command: Command, *, is_watched: bool = True, keeps_notice: bool = False) -> None:
        self.jobs.send(command, is_watched=is_watched, keeps_notice=keeps_notice)

    def apply(self, result: Command | dict[str, Any] | None) -> None:
        """Apply the result of a panel's action: a command, or changes to the view."""
        if isinstance(result, dict):
            self.look(**result)
        elif result is not None:
            self.send(result)

    def settle(self, *, ghost: bool) -> None:
        if self.player is not None:
            self.frame = self.player.settle(ghost=ghost)

    def pause(self) -> None:
        self.playback.pause()

    @property
    def shows_film(self) -> bool:
        return self.jobs.projector.has_end

    def skip_film(self) -> bool:
        return self.jobs.projector.skip()

    # -- lessons ------------------------------------------------------------------------------------------

    def lead(self, course: Course, progress: Progress) -> Guide:
        """Start a guide through this course."""
        from rnnviz.tui.guide import Guide

        self.guide, self.expects_lesson = Guide(self, course, progress), False
        return self.guide

    def show_lessons(self) -> None:
        from rnnviz.tui.course_menu import ContentsScreen

        if self.player is None or too_small.is_too_small(self.outer_size):
            return
        try:
            guide = self.guide or self._lead_through_own_course()
        except InputError as error:
            self.warn(str(error))
            return
        self.open_screen(ContentsScreen(guide))

    def _lead_through_own_course(self) -> Guide:
        """Start the guide after a start on the plain score."""
        from rnnviz.lessons.course import find
        from rnnviz.lessons.progress import progress_of

        course = find()
        return self.lead(course, progress_of(course.name, self.session.kiosk))

    def open_map(self, session: MapSession) -> None:
        from rnnviz.tui.maps.screen import MapScreen, MapView

        self.pause()
        self.map = session
        self._map_view = self._map_view or MapView(session.value)
        self.open_screen(MapScreen(self, session, self._map_view))

    def open_screen(self, screen: ModalScreen[None]) -> None:
        self.app.push_screen(screen)
