"""Everything private of Textual that the app uses, seen with Textual 8.2.8: nothing else in rnnviz names any of it.

| name | what it is for | without it |
|---|---|---|
| `_compositor.ChopsUpdate`, its `chops`, `spans`, `chop_ends` | a step sends changed cells only | Textual's update |
| `_compositor.LayoutUpdate`, its `strips`, `region` | the same for a whole screen | Textual's update |
| `App._display(screen, update)`, overridden | sees every update before it is written | Textual's update |
| `Screen._compositor.render_update`, `App._background_screens` | a picture of the screen | no pictures |
| `_styles_cache.StylesCache.get_inner_outer`, replaced | lets go what a closed page drew | 50 MB more, in time |
| `App._batch_count` | whether drawing waits for more to come | never seems to wait |
| `_xterm_parser.XTermParser`, its `_sequence_to_key_events` | the table of keys | Textual's own driver |
| `App._handle_exception(error)`, overridden | an error ends the app in order | Textual shows it |
| `App._exception`, `_exception_event`, `_return_code`, `_close_messages_no_wait` | the same | `App.exit` |

A test fails when one of them moves, and another runs the app without them.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeGuard

from rich.segment import Segment
from textual import events
from textual.app import App

from rnnviz.errors import InputError

if TYPE_CHECKING:
    from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
else:
    try:
        from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
    except ImportError:

        class CompositorUpdate:
            """A stand-in of which nothing is an instance: every update stays as Textual makes it."""

        class ChopsUpdate(CompositorUpdate): ...

        class LayoutUpdate(CompositorUpdate): ...


__all__ = ["ChopsUpdate", "CompositorUpdate", "LayoutUpdate"]


# -- what is drawn -------------------------------------------------------------------------------------------


def is_partial(update: object) -> TypeGuard[ChopsUpdate]:
    """Whether it is an update of stretches of lines in the form we know."""
    return type(update) is ChopsUpdate and _has(update, "chops", "spans", "chop_ends")


def is_whole(update: object) -> TypeGuard[LayoutUpdate]:
    """Whether it is an update of a rectangle in the form we know."""
    return type(update) is LayoutUpdate and _has(update, "strips", "region")


def let_go_drawings() -> None:
    """Textual keeps a pair of colours for each of the last 1,024 widgets, and by mistake with each all that the widget
    has drawn: its cache has the widget's own cache of lines in its key. Here the key has the colours alone."""
    try:
        from textual._styles_cache import StylesCache
    except ImportError:
        return
    kept: Any = getattr(StylesCache, "get_inner_outer", None)
    if _has(kept, "__wrapped__", "cache_info"):
        pair = lru_cache(maxsize=1024)(partial(kept.__wrapped__, None))
        cache: Any = StylesCache
        cache.get_inner_outer = lambda self, base, ground: pair(base, ground)


def is_batching(app: App[Any]) -> bool:
    return bool(getattr(app, "_batch_count", 0))


def rows_of_screen(app: App[Any]) -> list[list[Segment]]:
    """What the app shows, row by row, with screens that shine through a modal one. Raises InputError if Textual no
    longer gives it."""
    screen = app.screen
    compositor: Any = getattr(screen, "_compositor", None)
    if _has(compositor, "render_update", "_dirty_regions") and _has(app, "_background_screens"):
        waiting = set(compositor._dirty_regions)
        update = compositor.render_update(full=True, screen_stack=app._background_screens)
        compositor._dirty_regions.update(waiting)  # they have not been sent to the terminal
        if is_whole(update):
            return [[segment for strip in line for segment in strip] for line in update.strips]
    raise InputError("this release of Textual gives no picture of the screen; install the one that rnnviz names")


# -- what is typed -------------------------------------------------------------------------------------------


class KeyTable:
    """The keys of an escape sequence. Raises ImportError if Textual no longer has its table."""

    def __init__(self) -> None:
        from textual._xterm_parser import XTermParser

        self._parser = XTermParser()
        if not _has(self._parser, "_sequence_to_key_events", "parse_mouse_code"):
            raise ImportError("Textual's table of keys has moved")

    def keys(self, sequence: str, alt: bool) -> list[events.Key]:
        """The keys. Raises ValueError, OverflowError or LookupError if its numbers are invalid."""
        return list(self._parser._sequence_to_key_events(sequence, alt))

    def mouse(self, sequence: str) -> Any:
        """The mouse event, or None."""
        return self._parser.parse_mouse_code(sequence)

    def resized(self, event: events.Resize) -> None:
        """Note the window's size in pixels; the mouse is reported in pixels from now on."""
        self._parser.terminal_size, self._parser.terminal_pixel_size = event.size, event.pixel_size
        self._parser.mouse_pixels = True


# -- how it ends ---------------------------------------------------------------------------------------------


def end_with(app: App[Any], error: Exception) -> None:
    """End the app at once with this error, which `error_of` then gives; Textual's own way prints it as well."""
    if not _has(app, "_exception", "_exception_event", "_return_code", "_close_messages_no_wait"):
        app.exit(return_code=1)
        return
    if app._exception is None:
        app._exception = error
        app._exception_event.set()
    app._return_code = 1
    app._close_messages_no_wait()


def error_of(app: App[Any]) -> Exception | None:
    """The first error that ended the app."""
    return getattr(app, "_exception", None)


def _has(thing: object, *names: str) -> bool:
    return all(hasattr(thing, name) for name in names)
