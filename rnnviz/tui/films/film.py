"""A film: pictures of one size, each shown for some seconds. `cast` writes it for asciinema, `animated_svg` for a page.

A film is made by keys (`of_keys`) or by a lesson that plays by itself (`of_lesson`). Its clock is its own: no second of
it depends on how long anything took.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.errors import InputError, short_repr
from rnnviz.glyphs import cells, cut, lines_at_most
from rnnviz.sheet import Sheet
from rnnviz.tui import keys
from rnnviz.tui.pictures.picture import Picture

if TYPE_CHECKING:
    from rnnviz.tui.films.headless import Studio

TITLE = 2.0  # seconds of the title
END = 3.0  # seconds of the last picture
STEP = 0.2  # seconds between two of the same key
PAUSE = 1.2  # seconds before another key
MOST_KEYS = 2000
MOST_SECONDS = 1200.0
AT_ONCE = 60  # steps that are walked one by one in a film without keys of its own


@dataclass(frozen=True)
class Film:
    """scenes: (seconds, picture), one after the other. poster: the number of the scene that stands for the whole."""

    title: str
    about: str
    scenes: tuple[tuple[float, Picture], ...]
    poster: int = -1

    @property
    def seconds(self) -> float:
        return round(sum(seconds for seconds, _ in self.scenes), 3)

    @property
    def starts(self) -> list[float]:
        """When each scene begins."""
        found, now = [], 0.0
        for seconds, _ in self.scenes:
            found.append(round(now, 3))
            now += seconds
        return found


@dataclass
class Camera:
    """Takes pictures of the app; two of the same one after the other become one."""

    made: Studio
    scenes: list[tuple[float, Picture]] = field(default_factory=list)

    def shoot(self, seconds: float) -> None:
        self.add(self.made.picture(), seconds)

    def add(self, picture: Picture, seconds: float) -> None:
        if self.scenes and self.scenes[-1][1].sheet.cells == picture.sheet.cells:
            seconds += self.scenes.pop()[0]
        self.scenes.append((seconds, picture))
        if sum(seconds for seconds, _ in self.scenes) > MOST_SECONDS:
            raise InputError(f"keys: the film is longer than {MOST_SECONDS / 60:.0f} minutes")

    def hold(self, seconds: float) -> None:
        """Show the last picture longer."""
        last, picture = self.scenes[-1]
        self.scenes[-1] = (last + seconds, picture)


# -- keys ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Strokes:
    """Keys, pressed one after the other with so many seconds between two. Without keys: a pause."""

    keys: tuple[str, ...]
    seconds: float


NAMES = {"backspace", "space", "pagedown", "pageup", "escape", "home", "end", "tab", "shift+tab", "enter"} | {
    key for action in keys.ACTIONS for key in action.keys if len(key) > 1
}
_CHARACTERS = {keys.face(key): key for action in keys.ACTIONS for key in action.keys if len(keys.face(key)) == 1}
#: What would play by the clock, leave, or write.
REFUSED = {"space": "write the steps: right*20", "q": "a film ends by itself", "ctrl+q": "a film ends by itself",
           "ctrl+c": "a film ends by itself", "ctrl+z": "a film has no shell", "S": "a film saves nothing",
           "ctrl+s": "a film saves nothing"}  # fmt: skip


def script(text: str) -> tuple[Strokes, ...]:
    """Read `right*20 2s b left*19@0.1 o /gain enter`: names of keys and characters, how often, how many seconds apart;
    pauses; words that are typed after a slash. Raises InputError in a line that begins with "keys: "."""
    found: list[Strokes] = []
    for word in text.split():
        body, at, pace = word.rpartition("@") if "@" in word[1:] else (word, "", "")
        seconds = _seconds(pace, word) if at else STEP
        if body.endswith("s") and body[:1].isdecimal() and len(body) > 1:
            found.append(Strokes((), _seconds(body[:-1], word)))
        elif body[0] == "/" and len(body) > 1:
            found.append(Strokes(tuple(map(_key, body)), seconds))
        else:
            name, _, count = body.rpartition("*") if "*" in body[1:] else (body, "", "1")
            if not (count.isdecimal() and 0 < int(count[:9]) <= MOST_KEYS):
                raise InputError(f"keys: {short_repr(word)}: press a key 1 to {MOST_KEYS} times, such as right*20")
            found.append(Strokes((_key(name),) * int(count[:9]), seconds))
    if not any(strokes.keys for strokes in found):
        raise InputError("keys: name the keys, such as right*20 b left*19")
    if sum(len(strokes.keys) for strokes in found) > MOST_KEYS:
        raise InputError(f"keys: a film has at most {MOST_KEYS} keys")
    return tuple(found)


def _seconds(text: str, word: str) -> float:
    number = text if text.replace(".", "", 1).isdecimal() and text.isascii() and len(text) < 8 else "0"
    if not 0.01 <= float(number) <= 60:
        raise InputError(f"keys: {short_repr(word)}: give 0.01 to 60 seconds, such as 2s or right*20@0.1")
    return float(number)


def _key(name: str) -> str:
    key = _CHARACTERS.get(name, name)
    if key in REFUSED:
        raise InputError(f"keys: {short_repr(name)}: {REFUSED[key]}")
    if key in NAMES or (len(key) == 1 and key.isprintable()):
        return key
    raise InputError(
        f"keys: {short_repr(name)} is no key; a key is a character or {', '.join(sorted(NAMES - set(REFUSED)))}"
    )


def usual(steps: int) -> tuple[Strokes, ...]:
    """Read forward, compute the loss, walk back."""
    walked = min(steps, AT_ONCE)
    is_long = walked < steps
    return (
        Strokes(("right",) * walked, STEP), *([Strokes(("end",), STEP)] if is_long else []), Strokes(("right",), STEP),
        Strokes(("left",) * (walked + 1), STEP), *([Strokes(("home",), STEP)] if is_long else []),
    )  # fmt: skip


async def of_keys(
    made: Studio, strokes: tuple[Strokes, ...] | None, title: str, about: str, speed: float = 1.0
) -> Film:
    """A title, then the keys one after the other, with a pause before each word of the script. None: the usual ones."""
    camera = _begun(made, title, about, speed)
    camera.shoot(PAUSE / speed)
    if strokes is None:
        frame = made.app.main.frame
        strokes = usual(frame.T if frame is not None else 0)
    last, paused = 0.0, True
    for word in strokes:
        if not word.keys:
            camera.hold(word.seconds / speed)
        elif not paused:
            camera.hold(max(0.0, PAUSE - last) / speed)
        paused = not word.keys
        for key in word.keys:
            await made.press(key)
            camera.shoot(word.seconds / speed)
        last = word.seconds
    camera.hold(END / speed)
    return Film(title, about, tuple(camera.scenes), len(camera.scenes) - 1)


# -- a lesson -------------------------------------------------------------------------------------------------


class Clock:
    """The time of a lesson that plays by itself: it moves when it is asked to, by what the next timer waits for."""

    def __init__(self) -> None:
        self._next: _Timer | None = None

    def set_timer(self, delay: float, callback: Callable[[], None]) -> _Timer:
        self._next = _Timer(delay, callback)
        return self._next

    def pop(self) -> _Timer | None:
        timer, self._next = self._next, None
        return None if timer is None or timer.is_stopped else timer


@dataclass
class _Timer:
    delay: float
    callback: Callable[[], None]
    is_stopped: bool = False

    def stop(self) -> None:
        self.is_stopped = True


async def of_lesson(made: Studio, title: str, about: str, speed: float = 1.0) -> Film:
    """The open lesson, played from its first step to its last."""
    from rnnviz.tui.autoplay import Autoplay

    guide = made.app.main.guide
    assert guide is not None
    assert guide.run is not None
    camera, clock = _begun(made, title, about, speed), Clock()
    guide.begin_autoplay(guide.run, Autoplay(guide, speed, clock, look=0.0))
    await made.rest_between_steps()
    while (timer := clock.pop()) is not None:
        camera.shoot(timer.delay)
        timer.callback()
        await made.rest_between_steps()
    camera.shoot(END / speed)
    return Film(title, about, tuple(camera.scenes), 1)


# -- the title --------------------------------------------------------------------------------------------------


def _begun(made: Studio, title: str, about: str, speed: float) -> Camera:
    camera = Camera(made)
    camera.add(
        card(made.picture(), title, about, made.app.main.palette.accent, made.app.main.palette.text), TITLE / speed
    )
    return camera


def card(like: Picture, title: str, about: str, accent: Style, text: Style) -> Picture:
    """A title in the middle of a picture of the same size."""
    sheet = Sheet(*like.size)
    lines = lines_at_most(about, min(60, sheet.width - 8), 6) if about else []
    y = max(0, (sheet.height - 2 - len(lines)) // 2)
    title = cut(title, sheet.width - 4)
    sheet.put(y, (sheet.width - cells(title)) // 2, title, accent + Style(bold=True))
    for at, line in enumerate(lines, start=y + 2):
        sheet.put(at, (sheet.width - cells(line)) // 2, line, text)
    return Picture(sheet, like.colors, like.ground, like.text)
