"""The main screen: passes keys, clicks and messages of jobs to their handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from rnnviz.session import USUAL, Session
from rnnviz.tui import dispatch, keys, mouse, panels
from rnnviz.tui.dispatch import Press
from rnnviz.tui.jobs import JobDone, JobReported, KeysReleased
from rnnviz.tui.screen import ScoreScreen

if TYPE_CHECKING:
    from rnnviz.tui.maps.session import MapSession
    from rnnviz.tui.place import Place


class Main(ScoreScreen):
    """The score, its narration, the panels and the key bar."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(",".join(a.keys), f"act('{a.id}')", a.help, show=False, id=a.id) for a in keys.ACTIONS),
        *(Binding(p.key, f"act('{p.id}')", p.about, show=False, id=p.id) for p in panels.ALL if p.key),
    ]

    def __init__(self, *, expects_lesson: bool = False, session: Session = USUAL) -> None:
        super().__init__(expects_lesson=expects_lesson, session=session)
        self._held: list[Press] = []  # keys that wait for a job which may be over soon

    @property
    def is_busy(self) -> bool:
        return bool(self._held) or super().is_busy

    def on_key(self, event: events.Key) -> None:
        """Keys are heard here, before the bindings: by those it would be done only when the app hears of them again,
        after keys that came with them in one burst, over a slow line say, have been taken for something else."""
        press = Press.of_key(event.key, event.character)
        if self._held or self.jobs.holds_keys:
            self._held.append(press)
            event.stop()
        elif dispatch.dispatch(self, press):
            event.stop()

    def on_keys_released(self, message: KeysReleased) -> None:
        held, self._held = self._held, []
        for at, press in enumerate(held):
            if self.jobs.holds_keys:
                self._held = held[at:]
                return
            dispatch.dispatch(self, press)

    def begin_at(self, place: Place | None, panel: str | None, map: MapSession | None) -> None:
        """Begin with a panel or a map open, at a place."""
        if panel is not None:
            self.open_panel(panel)
        if place is not None:
            self.look(**place.look)
        if map is not None:
            self.open_map(map)

    def action_act(self, name: str) -> None:
        """Run an action or open a panel by its id: from the mouse or the command palette."""
        dispatch.dispatch(self, Press.of(name))

    def catch_up(self) -> None:
        """Run the actions requested before there was a player."""
        early, self.early = self.early, []
        for name in early:
            self.action_act(name)

    def on_click(self, event: events.Click) -> None:
        mouse.click(self, event)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        mouse.wheel(self, event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        mouse.wheel(self, event, -1)

    def on_job_reported(self, message: JobReported) -> None:
        self.jobs.reported(message.progress)

    def on_job_done(self, message: JobDone) -> None:
        self.jobs.done(message)
