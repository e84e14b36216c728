"""The app without a terminal: what is shown is a picture, keys are pressed by name, and nothing of the user's is read
or kept. The engine is the readable one, so that the same numbers come on each run, compiler or not.

    async with studio(Experiment(), size=(80, 24)) as made:
        await made.press("right", "right")
        made.picture()
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from textual.pilot import Pilot

from rnnviz.nn import engine
from rnnviz.scene.commands import Follow
from rnnviz.session import Session
from rnnviz.terminal import USUAL
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.pictures.picture import Picture, of_app
from rnnviz.tui.place import Place

if TYPE_CHECKING:
    from rnnviz.lessons.course import Start
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame
    from rnnviz.tui.maps.session import MapSession

#: A session whose pictures do not depend on the terminal or the environment.
IN_PICTURES = Session(colors="truecolor", theme="dark", ascii=False)


class Studio:
    def __init__(self, app: RnnvizApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    async def press(self, *keys: str) -> None:
        """One key after the other, each waited for."""
        for key in keys:
            await self.pilot.press(key)
            await self.rest()

    async def send(self, *commands: Command) -> None:
        for command in commands:
            self.app.main.send(command, is_watched=False)
            await self.rest()

    async def rest(self) -> None:
        """Wait until nothing more will change; of a recording, until all of its losses have been read."""
        await self.app.settled()
        player = self.app.main.player
        while player is not None and player.grows and player.has_news():
            self.app.main.send(Follow(), is_watched=False, keeps_notice=True)
            await self.app.settled()
        await self.pilot.pause()
        self.app.check()

    async def rest_between_steps(self) -> None:
        """Wait until a lesson that plays by itself only waits for its clock."""
        main = self.app.main
        while main.player is None or main.player.job is not None or not main.view.plots:
            self.app.check()
            await asyncio.sleep(0.002)
        await self.pilot.pause()
        if main.player.job is not None:
            await self.rest_between_steps()

    def picture(self) -> Picture:
        return of_app(self.app, self.app.main.palette.colors, ascii=self.app.ascii)

    async def go(self, place: Place | None, panel: str | None) -> None:
        """Go from a lesson's picture to another place. Raises InputError if its run has none like it."""
        if panel is not None:
            self.app.main.open_panel(panel)
            await self.rest()
        if place is not None:
            for command in place.commands(self._frame):
                await self.send(command)
            self.app.main.look(**place.look)
            await self.rest()

    def _frame(self) -> Frame:
        assert self.app.main.frame is not None
        return self.app.main.frame


@asynccontextmanager
async def studio(
    source: Any = None,
    *,
    start: Start | None = None,
    typed: str | None = None,
    place: Place | None = None,
    panel: str | None = None,
    map: MapSession | None = None,
    size: tuple[int, int] = USUAL,
    session: Session = IN_PICTURES,
) -> AsyncIterator[Studio]:
    """place, panel: where a run without a lesson begins; in a lesson see `go`. Raises InputError as open_player does,
    and for a place that the run does not have."""
    app = RnnvizApp(
        source, start=start, typed=typed, place=place, panel=panel, map=map, compile=False,
        session=session,
    )  # fmt: skip
    with engine.chosen("numpy"):
        async with app.run_test(size=size) as pilot:
            made = Studio(app, pilot)
            await made.rest()
            yield made
