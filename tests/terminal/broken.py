"""rnnviz with something broken inside it: `python -m tests.terminal.broken WHERE`, then `Y` where it takes a key."""

from __future__ import annotations

import asyncio
import sys
import time
from threading import Thread
from typing import Any

from rnnviz.cli.main import main
from rnnviz.player.jobs import Job
from rnnviz.player.player import Player
from rnnviz.tui import actions, app, score
from rnnviz.tui.main import Main

#: Where something is raised as soon as Y is pressed, and where already while the app starts.
ON_A_KEY = ("draw", "handler", "timer", "worker", "thread", "loop", "job", "input", "unmount")
AT_THE_START = ("compose", "mount", "build", "style")


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("broken on purpose\x1b]0;title\x07\nand in two lines")


def act(main_screen: Main) -> None:
    match sys.argv[1]:
        case "draw":
            score.draw = broken
            main_screen.draw()
        case "handler":
            broken()
        case "timer":
            main_screen.set_timer(0.05, broken)
        case "worker":
            main_screen.run_worker(broken, thread=True)
        case "thread":
            Thread(target=broken).start()
        case "loop":
            asyncio.get_running_loop().call_soon(broken)
        case "job":
            Job.run = broken
            main_screen.action_act("epoch")
        case "input":
            main_screen.app.own_driver.process_message = broken
        case "unmount":
            app.RnnvizApp.on_unmount = broken
            main_screen.app.exit()
        case "never ends":
            main_screen.app.exit()
            time.sleep(60)


if __name__ == "__main__":
    actions.DO["copy"] = act
    match sys.argv[1]:
        case "compose":
            Main.compose = broken
        case "mount":
            app.RnnvizApp._choose_colors = broken
        case "build":
            Player.__init__ = broken
        case "style":
            app.RnnvizApp.CSS = "Main { broken on purpose"
    sys.exit(main(["--free"]))
