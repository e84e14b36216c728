"""The wheel has the manual page, made from the records of the commands as it is built: share/man/man1/rnnviz.1."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualPage(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from rnnviz.cli.man import page  # needs the standard library alone

        self.folder = tempfile.TemporaryDirectory(prefix="rnnviz-man-")
        path = Path(self.folder.name, "rnnviz.1")
        path.write_text(page(), encoding="ascii")
        build_data["shared_data"][str(path)] = "share/man/man1/rnnviz.1"
