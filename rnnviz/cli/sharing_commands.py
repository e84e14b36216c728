"""The commands that show rnnviz to others: in a class, in a browser, in a talk."""

from __future__ import annotations

from rnnviz.cli.command import Command

SHARING: tuple[Command, ...] = ()
