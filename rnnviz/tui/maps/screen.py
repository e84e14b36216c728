"""The screen of a map: it fills in while it is computed; a cursor has the numbers of a place, enter opens its run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.timer import Timer

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import in_labels
from rnnviz.glyphs import cells, cut
from rnnviz.maps.chart import VALUES
from rnnviz.maps.point import FAILED
from rnnviz.scene.commands import Open
from rnnviz.sheet import Sheet
from rnnviz.tui.maps import painter
from rnnviz.tui.maps.arrangement import Place, arrange
from rnnviz.tui.maps.session import MapSession
from rnnviz.tui.sheet_screen import SheetScreen
from rnnviz.words import map as words

if TYPE_CHECKING:
    from rnnviz.tui.stage import Stage

LOOK_EVERY = 0.2  # seconds between two looks at what has come
MOST_SEEDS = 8  # rows for the runs of a place, on a large screen
STOPPING = "stopping …"


class MapView:
    """What is chosen on a map: a tile, a seed from 0 on, and the value that the tiles show. It is kept while a run is
    open in the app."""

    def __init__(self, value: str) -> None:
        self.place = Place()
        self.seed = 0
        self.value = value

    def choose(self, place: Place, seed: int) -> None:
        self.place, self.seed = place, seed

    def next_value(self) -> None:
        names = list(VALUES)
        self.value = names[(names.index(self.value) + 1) % len(names)]


class MapScreen(SheetScreen):
    """Arrows move, tab chooses a seed, enter opens its run, v shows another value; esc stops the work, then closes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "close", show=False),
        Binding("left,h", "move(-1, 0)", "left", show=False),
        Binding("right,l", "move(1, 0)", "right", show=False),
        Binding("up,k", "move(0, 1)", "up", show=False),
        Binding("down,j", "move(0, -1)", "down", show=False),
        Binding("home", "move(-999, 0)", "first", show=False),
        Binding("end", "move(999, 0)", "last", show=False),
        Binding("pageup", "move(0, 999)", "top", show=False),
        Binding("pagedown", "move(0, -999)", "bottom", show=False),
        Binding("tab", "seed(1)", "seed", show=False),
        Binding("shift+tab", "seed(-1)", "seed", show=False),
        Binding("v", "value", "value", show=False),
        Binding("c", "go_on", "go on", show=False),
        Binding("enter", "open", "open", show=False),
        Binding("q", "app.quit", "quit", show=False),
    ]

    def __init__(self, stage: Stage, session: MapSession, at: MapView | None = None) -> None:
        super().__init__()
        self.stage, self.session = stage, session
        self.at = at or MapView(session.value)
        self.note = ""
        self._rows = range(0)  # the seeds in view, from the row `_top` on
        self._top = 0
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        self._timer = self.set_interval(LOOK_EVERY, self._look)

    def _look(self) -> None:
        """Take what has come. Without work under way nothing changes, and nothing is drawn."""
        if self.session.is_on and (self.session.poll() or self.session.is_on):
            self.repaint()

    # -- drawing -------------------------------------------------------------------------------------------

    def draw(self, width: int, height: int) -> Sheet:
        session, at, palette = self.session, self.at, self.stage.palette
        far = cut(self._progress(), width - 8)
        title, keys = self._title(width - cells(far) - 4), self._keys(width - 2)
        sheet = self.framed(width, height, title, "  ".join(keys), palette)
        x = 1
        for entry in keys:
            sheet.put(height - 1, x, entry.partition(" ")[0], palette.accent)
            x += cells(entry) + 2
        sheet.right(0, f"{far} ", palette.dim)
        room = self._place_rows(height)
        picture = painter.draw(session.chart, at.value, width, height - 2 - room, palette, at.place)
        sheet.paste(1, 0, picture, 0, width)
        self._place(sheet, height - 1 - room, room - 1, width)
        return sheet

    def _title(self, room: int) -> str:
        """The name of the map, and what is trained where there is room: of a long path only the folder, then."""
        name, about = self.session.name, words.title_in_short(self.session.spec)
        names = [f"Map: {one}" for one in (name, Path(name).name) if one] or ["Map"]
        ways = [*(f"{one} · {about}" for one in names), *names]
        return next((way for way in ways if cells(way) <= room), cut(names[-1], room))

    def _place_rows(self, height: int) -> int:
        """Rows for the numbers of the place: a heading, and its seeds."""
        most = 2 if height < 24 else 4 if height < 30 else MOST_SEEDS
        return 1 + min(self.session.spec.seeds, most)

    def _place(self, sheet: Sheet, top: int, room: int, width: int) -> None:
        session, at, palette = self.session, self.at, self.stage.palette
        points, seeds = session.points(at.place), session.spec.seeds
        where = words.where(session.spec, session.site(at.place, 0))
        note = self.note or f"{where}: {words.of_place(list(points.values()), seeds)}"
        sheet.put(top, 1, cut(note, width - 2), palette.warn if self.note else palette.accent)
        first = min(max(0, at.seed - room // 2), max(0, seeds - room))
        self._rows, self._top = range(first, min(seeds, first + room)), top + 1
        for y, n in enumerate(self._rows, start=top + 1):
            here, point = n == at.seed, points.get(n)
            name = f"seed {session.spec.base.seed + n}: "
            text = name + ("·" if point is None else words.of_point(point))
            if point is not None and cells(text) > width - 4:
                text = name + words.of_point_in_short(point)
            style = palette.text if here else palette.dim
            if here:
                sheet.put(y, 1, "▸", palette.accent)
            sheet.put(y, 3, cut(text, width - 4), style)

    def _progress(self) -> str:
        session = self.session
        if session.error:
            return in_labels(session.error)
        if session.is_stopping:
            return STOPPING
        if session.is_on and session.note:
            return session.note
        return words.progress(
            session.done, session.total, is_on=session.is_on, seconds_left=session.seconds_left,
            resumes=", c computes the others" if session.can_go_on else "",
        )  # fmt: skip

    def _keys(self, width: int) -> list[str]:
        """The entries of the last row; where they do not fit, without those that are plain from the picture."""
        session = self.session
        leave = "esc stop" if session.is_on else "esc close"
        entries = ["←→↑↓ move", "enter open its run", "v value", "tab seed", leave, "q quit"]
        if session.can_go_on:
            entries.insert(1, "c continue")
        if session.spec.seeds == 1:
            entries.remove("tab seed")
        while len("  ".join(entries)) > width and len(entries) > 2:
            del entries[0]
        return entries

    # -- keys ----------------------------------------------------------------------------------------------

    def action_move(self, right: int, up: int) -> None:
        """To a neighbouring tile; beyond the edge of a plane to the plane beside it."""
        session, place = self.session, self.at.place
        columns, rows = len(session.chart.x), len(session.chart.y)
        x, plane = place.x + right, place.plane
        if abs(right) == 1 and 0 <= plane + right < len(session.chart.planes) and not 0 <= x < columns:
            plane, x = plane + right, 0 if right > 0 else columns - 1
        self._go(Place(plane, min(max(x, 0), columns - 1), min(max(place.y + up, 0), rows - 1)))

    def _go(self, place: Place, seed: int | None = None) -> None:
        self.at.choose(place, self.at.seed if seed is None else seed)
        self.note = ""
        self.repaint()

    def action_seed(self, by: int) -> None:
        self._go(self.at.place, (self.at.seed + by) % self.session.spec.seeds)

    def action_value(self) -> None:
        self.at.next_value()
        self._go(self.at.place)

    def action_go_on(self) -> None:
        self.session.start()
        self._go(self.at.place)

    def action_leave(self) -> None:
        """Stop the work; without any, close the map."""
        if self.session.is_on:
            self.session.stop()
            self._go(self.at.place)
        else:
            self.dismiss()

    def action_open(self) -> None:
        """Open the run of this place and seed in the app: trained as long as the map has trained it."""
        session, at, stage = self.session, self.at, self.stage
        point = session.points(at.place).get(at.seed)
        if point is not None and point.status == FAILED:
            self.note = f"This run failed: {point.error}"
            self.repaint()
            return
        try:
            experiment = session.experiment(at.place, at.seed)
        except InputError as error:
            self.note = in_labels(str(error))
            self.repaint()
            return
        self.dismiss()
        stage.send(Open(experiment, 0 if point is None else point.epoch))
        where = words.where(session.spec, session.site(at.place, at.seed))
        what = "not computed yet" if point is None else words.of_point(point)
        stage.say(f"{where}, seed {experiment.seed}: {what}. [to_map] goes back to the map.")

    # -- the mouse -----------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Select the clicked tile or seed, or open its run if it is selected already; in the last row do what it
        says."""
        entries: dict[str, Callable[[], object]] = {
            "enter open its run": self.action_open, "v value": self.action_value, "c continue": self.action_go_on,
            "tab seed": lambda: self.action_seed(1), "esc stop": self.action_leave, "esc close": self.action_leave,
            "q quit": self.app.exit,
        }  # fmt: skip
        do = entries.get(self.entry_at(event))
        if do is not None:
            do()
            return
        at = event.get_content_offset(event.widget) if event.widget is not None else None
        if at is None or event.widget is None:
            return
        width, height = event.widget.size
        if 0 <= at.y - self._top < len(self._rows):
            self._choose(self.at.place, self._rows[at.y - self._top])
            return
        way = arrange(self.session.chart, width, height - 2 - self._place_rows(height), self.at.place)
        place = way.at(at.y - 1, at.x)
        if place is not None:
            self._choose(place, self.at.seed)

    def _choose(self, place: Place, seed: int) -> None:
        if (place, seed) == (self.at.place, self.at.seed):
            self.action_open()
        else:
            self._go(place, seed)
