"""The glossary over the score: the terms of the open page first, then all; typing searches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from rnnviz.glyphs import cut
from rnnviz.lessons.glossary import Place, definition, places
from rnnviz.lessons.pages import page
from rnnviz.lessons.prose import plain, wrapped
from rnnviz.sheet import Sheet
from rnnviz.tui.lesson_view import put
from rnnviz.tui.sheet_screen import SheetScreen
from rnnviz.words.glossary import search, terms_in
from rnnviz.words.terms import TERMS, Term

if TYPE_CHECKING:
    from rnnviz.tui.guide import Guide
    from rnnviz.tui.stage import Stage

NAMES = 34  # cells for the names, on a wide screen
MOST = 72  # cells of a line of the definition


class GlossaryScreen(SheetScreen):
    """Letters search, ↑↓ choose, enter opens the page that defines the term, esc clears the search, then closes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close", show=False),
        Binding("down", "move(1)", "down", show=False),
        Binding("up", "move(-1)", "up", show=False),
        Binding("pagedown", "move(10)", "down", show=False),
        Binding("pageup", "move(-10)", "up", show=False),
        Binding("home", "move(-999)", "first", show=False),
        Binding("end", "move(999)", "last", show=False),
        Binding("enter", "open", "open", show=False),
        Binding("backspace", "erase", "erase", show=False),
    ]

    def __init__(self, stage: Stage, guide: Guide | None, of_page: tuple[Term, ...] = ()) -> None:
        """of_page: the terms of what is on the screen."""
        super().__init__()
        self.stage, self.guide, self.of_page = stage, guide, of_page
        self.places: dict[str, Place] = places(guide.course) if guide is not None else {}
        self.typed = ""
        self.row = 0
        self._shown = range(0)  # the rows in view

    @property
    def terms(self) -> list[Term]:
        if self.typed:
            return search(self.typed)
        return [*self.of_page, *(one for one in TERMS if one not in self.of_page)]

    # -- drawing -------------------------------------------------------------------------------------------

    def draw(self, width: int, height: int) -> Sheet:
        palette, terms = self.stage.palette, self.terms
        opens = "enter open its page  " if terms and terms[self.row].name in self.places else ""
        search_ends = "esc show all" if self.typed else "esc close"
        sheet = self.framed(width, height, "Glossary", f"type to search  ↑↓ choose  {opens}{search_ends}", palette)
        sheet.right(
            0,
            f"{self.typed}▏ " if self.typed else f"{len(TERMS)} terms ",
            palette.accent if self.typed else palette.dim,
        )
        left = min(NAMES, width // 2 - 6)
        room = height - 3
        first = min(max(0, self.row - room // 2), max(0, len(terms) - room))
        self._shown = range(len(terms))[first : first + room]
        for y, one in enumerate(terms[first : first + room], start=2):
            here = first + y - 2 == self.row
            of_page = one in self.of_page
            sheet.put(y, 1, "▸" if here else ("·" if of_page else " "), palette.accent if here else palette.dim)
            style = palette.accent if here else palette.text if of_page or self.typed else palette.dim
            sheet.put(y, 3, cut(one.name, left - 4), style)
        if terms:
            self._definition(sheet, terms[self.row], left, min(MOST, width - left - 2), height)
        else:
            sheet.put(2, 3, cut("No term or definition holds these letters. esc shows all.", width - 4), palette.text)
        return sheet

    def _definition(self, sheet: Sheet, one: Term, x: int, width: int, height: int) -> None:
        palette = self.stage.palette
        name = f"**{one.name}**" + (f"   {one.symbol}" if one.symbol else "")
        place = self.places.get(one.name)
        where = [] if place is None else [f"Defined in {place.name}"]
        rows: list[str] = [name, *(row for text in (*definition(one), *where) for row in ("", text))]
        lines = [line for text in rows for line in (wrapped(text, width) if text else [[]])]
        for y, line in enumerate(lines[: height - 3], start=2):
            put(sheet, y, x, line, palette)

    # -- keys ----------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        if event.character is not None and event.is_printable:
            event.stop()
            self._search(f"{self.typed}{event.character}".lstrip()[:30])

    def _search(self, text: str) -> None:
        self.typed, self.row = text, 0
        self.repaint()

    def action_erase(self) -> None:
        self._search(self.typed[:-1])

    def action_close(self) -> None:
        if self.typed:
            self._search("")
        else:
            self.dismiss()

    def action_move(self, by: int) -> None:
        self.row = min(max(self.row + by, 0), max(0, len(self.terms) - 1))
        self.repaint()

    def action_open(self) -> None:
        """Open the page of the course that defines the term."""
        terms, guide = self.terms, self.guide
        place = self.places.get(terms[self.row].name) if terms else None
        if guide is not None and place is not None:
            self.dismiss()
            guide.open_at(guide.course.slug(place.file), place.page - 1)

    def on_click(self, event: events.Click) -> None:
        entries: dict[str, Callable[[], object]] = {
            "enter open its page": self.action_open, "esc close": self.action_close, "esc show all": self.action_close,
        }  # fmt: skip
        do = entries.get(self.entry_at(event))
        at = event.get_content_offset(event.widget) if event.widget is not None else None
        if do is not None:
            do()
        elif at is not None and 0 <= at.y - 2 < len(self._shown) and at.x < NAMES:
            self.action_move(self._shown[at.y - 2] - self.row)

    def on_mouse_scroll_down(self) -> None:
        self.action_move(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_move(-1)


def here(stage: Stage, guide: Guide | None) -> GlossaryScreen:
    """The glossary with the terms of the open page of a lesson, or of the open panel."""
    if guide is not None and guide.run is not None and guide.is_on:
        shown = page(guide.run, stage.frame)
        text = " ".join([shown.heading, *(plain(line) for line in shown.lines)])
    else:
        from rnnviz.tui import panels

        panel = panels.BY_ID.get(stage.view.panel or "")
        text = f"{panel.title}: {panel.about}" if panel is not None else ""
    return GlossaryScreen(stage, guide, tuple(terms_in(text)))
