"""Every command of the palette and every key, in a kiosk: no file is opened for writing, no program is started."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnnviz.experiment import cost
from rnnviz.experiment.experiment import Experiment
from rnnviz.kiosk import REFUSED, Kiosk
from rnnviz.nn import checks
from rnnviz.session import Session
from rnnviz.tui import keys, panels
from rnnviz.tui.app import RnnvizApp

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.link", "os.symlink", "os.truncate", "subprocess.Popen", "os.exec",
           "os.system", "os.posix_spawn", "webbrowser.open", "socket.connect", "socket.bind"}  # fmt: skip
PATIENCE = 60.0


class Recorder:
    """An audit hook, which stays in the process; it records while it is on."""

    is_installed = False
    found: list[str] | None = None

    @classmethod
    def hear(cls, event: str, arguments: tuple[Any, ...]) -> None:
        if cls.found is None:
            return
        if event in CHANGES:
            cls.found.append(f"{event} {arguments[:2]!r}")
        elif event == "open":
            path, mode, flags = arguments
            if not isinstance(path, int) and (any(c in mode for c in "wax+") if mode else flags & WRITES):
                cls.found.append(f"open {path!r}")


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    monkeypatch.setattr(checks, "most_bytes", None)  # the app restricts them: both are as before afterwards
    monkeypatch.setattr(cost, "most_seconds", None)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    if not Recorder.is_installed:
        sys.addaudithook(Recorder.hear)
        Recorder.is_installed = True
    Recorder.found = found = []
    yield found
    Recorder.found = None
    assert found == []
    assert list(tmp_path.iterdir()) == []


def kiosk() -> RnnvizApp:
    return RnnvizApp(Experiment(hidden_size=3, epochs=1), compile=False, session=Session(kiosk=Kiosk()))


@pytest.mark.slow
async def test_every_command_of_the_palette(events: list[str]) -> None:
    app = kiosk()
    async with app.run_test(size=(100, 30)) as pilot:
        await app.settled()
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert sum("(not here)" in title for title in titles) >= 2
        for at in range(len(titles)):
            command = list(app.get_system_commands(app.screen))[at]
            if "quit" in command.title.lower():
                continue
            command.callback()
            await pilot.pause()
            await asyncio.wait_for(app.settled(), PATIENCE)
            while app.screen is not app.main:
                await pilot.press("escape")
            await pilot.press("escape", "escape")
            assert app.is_running, command.title
    assert app.failure is None
    assert events == []


@pytest.mark.slow
async def test_every_key(events: list[str]) -> None:
    """Each twice: the second key finds what the first has opened."""
    app = kiosk()
    async with app.run_test(size=(100, 30)) as pilot:
        await app.settled()
        every = [key for action in keys.ACTIONS if action.id not in ("quit", "commands") for key in action.keys]
        every += [panel.key for panel in panels.ALL if panel.key]
        for key in every:
            for _ in range(2):
                await pilot.press(key)
                await asyncio.wait_for(app.settled(), PATIENCE)
            while app.screen is not app.main:
                await pilot.press("escape")
            await pilot.press("escape", "escape")
            assert app.is_running, key
    assert app.failure is None
    assert events == []


async def test_what_is_refused_is_an_action_or_a_setting() -> None:
    from rnnviz.experiment.experiment import SETTINGS

    assert set(REFUSED) <= {action.id for action in keys.ACTIONS} | set(SETTINGS)
