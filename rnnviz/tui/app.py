"""The app: starts the player behind the first paint, and ends everything it has started.

The first paint needs neither NumPy nor a network: the player is built on a thread and its first frame is posted;
numba is compiled in another process.

    a key → Main.on_key (main.py) → the first of dispatch.LISTENERS that handles it
          → a command → Jobs.send (jobs.py) → the player → a frame → ScoreScreen.show → draw (screen.py)
          → or a change of the view → ScoreScreen.look → draw
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, RenderableType
from textual import events
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.geometry import Region
from textual.screen import Screen

from rnnviz import terminal
from rnnviz.charts import plotext_private
from rnnviz.errors import InputError
from rnnviz.glyphs import visible
from rnnviz.kiosk import REFUSED
from rnnviz.scene.commands import Follow
from rnnviz.session import USUAL, Session
from rnnviz.tui import keymap, keys, palette_commands, panels, too_small
from rnnviz.tui.dispatch import LONGEST_PASTE
from rnnviz.tui.driven import DrivenApp, Failed
from rnnviz.tui.follower import Follower
from rnnviz.tui.held_frames import Frames
from rnnviz.tui.idle import LOOK_EVERY, Idle
from rnnviz.tui.input_filter import Background
from rnnviz.tui.main import Main
from rnnviz.tui.messages import EngineReady, Grown, LessonNews, Noted, PlayerReady, PlotsReady
from rnnviz.tui.modal import Commands
from rnnviz.tui.palette import Palette, is_hex, luminance
from rnnviz.tui.presenter import Blank
from rnnviz.tui.rich_private import set_color_system
from rnnviz.tui.textual_private import let_go_drawings

if TYPE_CHECKING:
    from rnnviz.experiment.experiment import Experiment
    from rnnviz.lessons.course import Course, Start
    from rnnviz.lessons.progress import Progress
    from rnnviz.lessons.run import LessonRun
    from rnnviz.player.kinds.opening import NetworkOpening, Opening
    from rnnviz.tui.lesson_watch import LessonWatch
    from rnnviz.tui.maps.session import MapSession
    from rnnviz.tui.place import Place

SETTLE = 0.15  # seconds between the first frame and the loading of plots and numba
LAST_TRY = 0.3  # seconds, at the end, for progress that another program's lock kept from being saved
HALF = 0.18  # luminance between dark and light grounds: black and white ink are as readable


class RnnvizApp(DrivenApp):
    """rnnviz in a full-screen terminal."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(keys.BY_ID["suspend"].keys), "suspend_process", show=False, priority=True, id="suspend"),
        *(
            Binding(",".join(keys.BY_ID[name].keys), f"anywhere('{name}')", show=False, priority=True, id=name)
            for name in ("picture", "present", "blank")
        ),
        # ctrl+c is a habit: it quits whatever is open and whatever is being typed.
        Binding("ctrl+q,ctrl+c", "quit", show=False, priority=True, id="leave"),
    ]
    CSS_PATH = "app.tcss"
    TITLE = "rnnviz"
    ENABLE_COMMAND_PALETTE = True
    ALLOW_SELECT = False

    def __init__(
        self,
        source: Experiment | Opening | NetworkOpening | None = None,
        *,
        start: Start | None = None,
        typed: str | None = None,
        place: Place | None = None,
        panel: str | None = None,
        map: MapSession | None = None,
        compile: bool = True,
        session: Session = USUAL,
        light: bool = False,
        why_ascii: str = "",
        links: bool = False,
    ) -> None:
        """light: the terminal seems to have a light background. why_ascii: why it needs ASCII, if nobody asked.
        links: the terminal has them."""
        self.strength = terminal.colors(choice=session.colors)
        given = os.environ.pop("NO_COLOR", None)  # Textual reads it, but not the empty one or a flag that overrides it
        if self.strength == "none":
            os.environ["NO_COLOR"] = "1"
        super().__init__(ansi_color=True if self.strength == "none" else None)
        os.environ.pop("NO_COLOR", None)
        if given:
            os.environ["NO_COLOR"] = given  # as it was, for another app in this process
        self.session = session
        keymap.use(session.keys)
        self._theme_follows = session.theme in (None, "ansi")  # dark or light, as the terminal is
        self._theme_at_first = self._theme_for(light)
        if self.theme != self._theme_at_first:
            self.theme = self._theme_at_first
        self.wants_background = self._theme_follows and self.strength != "none" and terminal.can_ask_background()
        self._why_ascii, self._links = why_ascii, links
        self.ascii = bool(session.ascii or why_ascii)  # the terminal has no other glyphs
        let_go_drawings()
        self.frames = Frames(self, self._write, ascii=self.ascii)
        self._source = source
        self._typed = typed  # a sequence to begin with
        self._place, self._panel, self._map = place, panel, map  # where to begin, of a run without a lesson
        self._start = start  # the lesson to open; None: the plain score
        self._compile = compile
        self._compiling: Any = None
        self._followers: list[Follower | LessonWatch] = []  # look for more of what grows, or is saved
        self.idle: Idle | None = None  # how long nobody has pressed a key; None: it does not matter

    def get_driver_class(self) -> type[Driver]:
        """Our own driver on POSIX; without termios Textual's, if it has one."""
        with suppress(ImportError):
            from rnnviz.tui.driver import TerminalDriver

            return TerminalDriver
        with suppress(ImportError):
            return super().get_driver_class()
        from textual.drivers.headless_driver import HeadlessDriver

        return HeadlessDriver

    def get_default_screen(self) -> Screen[None]:
        self.main = Main(expects_lesson=self._start is not None, session=self.session)
        return self.main

    def on_mount(self) -> None:
        if self.session.keys:
            self.set_keymap({name: ",".join(keys) for name, keys in self.session.keys.items()})
        if not self.is_headless:
            self.catch_the_rest()
        self.main.jobs.projector.want(not self.is_headless)  # pictures and tests show how it ends
        if self.session.kiosk is not None:
            self.main.jobs.limit(self.session.kiosk.job)
            if self.session.kiosk.idle:
                self.idle = Idle(self.session.kiosk.idle)
                self.set_interval(min(LOOK_EVERY, self.session.kiosk.idle / 4), self._end_if_idle)
        self._choose_colors()
        self.watch(self, "theme", self._choose_colors, init=False)
        self.call_after_refresh(self._build)

    def _end_if_idle(self) -> None:
        if self.idle is not None and self.idle.is_over:
            self.exit()

    def on_resize(self, event: events.Resize) -> None:
        """Cover a screen over the score with the notice while the window is too small for it."""
        covered = isinstance(self.screen, too_small.TooSmall)
        if too_small.is_too_small(event.size):
            if len(self.screen_stack) > 1 and not covered:
                self.push_screen(too_small.TooSmall())
        elif covered:
            self.pop_screen()

    def action_command_palette(self) -> None:
        is_open = any(isinstance(screen, Commands) for screen in self.screen_stack)  # also below another screen
        if not is_open and not too_small.is_too_small(self.size):
            self.push_screen(Commands())

    async def on_event(self, event: events.Event) -> None:
        """A paste into a line of input is plain text without control characters, cut to its first line."""
        if self.idle is not None and isinstance(event, events.InputEvent | events.Paste):
            self.idle.end()
        if isinstance(event, events.Paste) and not event.is_forwarded:  # only once: an unhandled paste comes back here
            event = events.Paste(visible(event.text[:LONGEST_PASTE].splitlines()[0] if event.text else ""))
        await super().on_event(event)

    async def settled(self) -> None:
        """Wait until the player exists, plotext is loaded, no job runs and all is drawn: for tests and pictures."""
        import asyncio

        while not self.main.view.plots or self.main.is_busy:
            self.check()
            await asyncio.sleep(0.005)
        self.main.pace.catch_up()

    def _theme_for(self, light: bool) -> str:
        """Textual's name for the session's theme, on a dark or light terminal."""
        asked = self.session.theme
        shade = "light" if asked == "light" or (light and asked != "dark") else "dark"
        return f"ansi-{shade}" if asked == "ansi" else f"textual-{shade}" if asked in (None, shade) else asked or ""

    def on_background(self, message: Background) -> None:
        """Draw dark or light, as the background of the terminal is."""
        if self._theme_follows and self.theme == self._theme_at_first:
            self.theme = self._theme_at_first = self._theme_for(luminance(message.color) > HALF)

    def _choose_colors(self) -> None:
        theme = self.current_theme
        native = theme.ansi and self.strength != "none"
        strength = "standard" if native else self.strength
        set_color_system(self.console, COLOR_SYSTEMS.get(strength, ColorSystem.TRUECOLOR))
        ground = (theme.background or "").lower()
        if not is_hex(ground):
            ground = ""  # the default, or the terminal's own, which is unknown
        self.set_class(strength in ("standard", "none"), "-few-colors")
        self.main.use_colors(Palette(strength, theme.dark, self.ascii, ground, native, self._links))

    # -- the player is built, and plotext and numba are loaded, while the first paint is already there ---------

    def _build(self) -> None:
        Thread(target=self._make_player, daemon=True).start()

    def _make_player(self) -> None:
        try:
            from rnnviz.tui.beginning import begin

            begun = begin(self._source, self._start, self._typed, self._place, self.session, self._note)
        except BaseException as error:
            self.post_message(Failed(error))
            return
        self.post_message(PlayerReady(*begun))

    def on_player_ready(self, message: PlayerReady) -> None:
        main = self.main
        main.hush()  # what took long to open
        main.open(message.player)
        if message.lesson is None:
            main.begin_at(self._place, self._panel, self._map)
        if message.lesson is not None and self._start is not None:
            self._begin_lesson(*message.lesson, self._start.speed)
        if self._why_ascii:
            main.say(f"Drawing in ASCII: {self._why_ascii}.")
        main.catch_up()
        self.set_timer(SETTLE, lambda: Thread(target=self._load, daemon=True).start())
        if message.player.grows:
            self._followers.append(Follower(message.player.has_news, lambda: self.post_message(Grown())))
            self._followers[-1].start()

    def _begin_lesson(self, course: Course, progress: Progress, run: LessonRun, speed: float | None) -> None:
        """Open the first lesson of the session; with a speed, as an autoplay."""
        guide = self.main.lead(course, progress)
        if self._start is not None and self._start.watches:
            from rnnviz.tui.lesson_watch import LessonWatch

            self._followers.append(LessonWatch(guide, lambda take: self.post_message(LessonNews(take))))
            self._followers[-1].start()
        if speed is None:
            guide.become(run)
            return
        from rnnviz.tui.autoplay import Autoplay

        guide.begin_autoplay(run, Autoplay(guide, speed))

    def _load(self) -> None:
        """On a thread: what the first frame did not need."""
        gc.freeze()  # what exists now stays: the collector need not scan it again
        gc.enable()
        try:
            plotext_private.load()
            self.post_message(PlotsReady())
        except Exception as error:
            self.post_message(Failed(error))
        if self._compile:
            try:
                from rnnviz.nn import loading

                can_compile = self.session.kiosk is None
                self._compiling = loading.start(self._engine_ready, on_note=self._note, compiles=can_compile)
            except Exception as error:  # without numba the NumPy engine stays in use
                from rnnviz.nn import compiler_errors

                if self.session.kiosk is None:
                    compiler_errors.keep(error)
                self._note(compiler_errors.UNAVAILABLE)

    def _engine_ready(self, name: str) -> None:
        """Called on another thread."""
        self.post_message(EngineReady())

    def _note(self, text: str) -> None:
        """Called on another thread."""
        self.post_message(Noted(text))

    def on_noted(self, message: Noted) -> None:
        if self.main.frame is None:
            self.main.say(message.text)  # it is about what is being opened
        else:
            self.main.warn(message.text)

    def on_lesson_news(self, message: LessonNews) -> None:
        message.take()

    def on_grown(self) -> None:
        self.main.send(Follow(), is_watched=False, keeps_notice=True)

    def on_plots_ready(self) -> None:
        self.main.look(plots=True)

    def on_engine_ready(self) -> None:
        main = self.main
        if main.player is not None and main.player.job is None:
            main.show(main.player.refresh())

    def on_failed(self, message: Failed) -> None:
        self.failure = message.error
        self.exit(return_code=2 if isinstance(message.error, InputError) else 1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the screen is blank the keys that work anywhere show it again, as every other key does."""
        is_blank = any(isinstance(one, Blank) for one in self.screen_stack[-1:])
        return action in ("quit", "suspend_process") or not is_blank

    def action_anywhere(self, name: str) -> None:
        """An action that also works while a menu or a page lies over the score, or a lesson plays by itself."""
        self.main.action_act(name)

    # -- the end ------------------------------------------------------------------------------------------------

    def action_suspend_process(self) -> None:
        """Stop, as any program does on ctrl+z, and give the shell its terminal."""
        if self.session.kiosk is not None:
            self.main.warn(REFUSED["suspend"])
        elif self.own_driver is not None and self.own_driver.has_job_control:
            self.own_driver.suspend()
        else:
            self.main.warn("Cannot suspend: [suspend] needs a shell that can resume rnnviz with fg.")

    def on_unmount(self) -> None:
        if self.main.guide is not None:
            self.main.guide.progress.flush(LAST_TRY)
        for one in self._followers:
            one.stop()
        if self._compiling is not None:  # last: it waits for another process
            self._compiling.stop()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Send what Textual draws as a compact update, in ASCII if the terminal has no more, when the line is free."""
        self.frames.show(renderable)

    def _write(self, update: Any) -> None:
        super()._display(self.screen, update)

    def by_importance(self) -> Iterable[Region]:
        return self.main.by_importance() if self.screen is self.main else ()

    def screen_lost(self) -> None:
        self.frames.forget()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        yield from palette_commands.of(self.main)
        yield SystemCommand("Theme", "Change the colours.", self.action_change_theme)


def run(
    source: Experiment | Opening | NetworkOpening | None = None,
    start: Start | None = None,
    typed: str | None = None,
    session: Session = USUAL,
    place: Place | None = None,
    panel: str | None = None,
    map: MapSession | None = None,
) -> int:
    """Run the app, on a lesson, a recording, a file of weights or the plain score, at a place in it and with a panel or
    a map open, until it ends; returns the exit code. Raises InputError if the experiment cannot run, the recording or
    the file cannot be opened, or there is no such place or panel."""
    if panel is not None and panel not in panels.BY_ID:
        raise panels.unknown(panel)
    why_ascii = terminal.why_ascii(sys.stdout) if session.ascii is None else ""
    light = bool(terminal.is_light())
    app = RnnvizApp(
        source,
        start=start,
        typed=typed,
        place=place,
        panel=panel,
        map=map,
        session=session,
        light=light,
        why_ascii=why_ascii,
        links=terminal.has_links(),
    )
    try:
        app.run(mouse=session.mouse)
    finally:
        if app.own_driver is not None:
            app.own_driver.finish()
    app.check()
    if app.idle is not None and app.idle.is_over:
        print(app.idle.words, file=sys.stderr)
    return app.return_code or 0
