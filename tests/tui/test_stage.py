"""Whoever acts on the screen knows a Stage, and nobody writes another's fields."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import rnnviz.tui
from rnnviz.tui.main import Main
from rnnviz.tui.stage import Stage

ROOT = Path(rnnviz.tui.__file__).parent
#: Those who know the screen as a stage, and not as what it is.
ACTORS = (
    "answer_line", "autoplay", "closing_page", "course_menu", "guide", "jobs", "play", "progress_keeper", "projector",
    "pursuit",
)  # fmt: skip
#: What is set from outside by its own documentation.
MEANT = {"styles", "excepthook"}


def test_the_main_screen_is_a_stage() -> None:
    members = [name for name in vars(Stage) if not name.startswith("_")]
    assert len(members) > 12
    screen = Main()
    assert [name for name in members if not hasattr(type(screen), name) and name not in vars(screen)] == []


@pytest.mark.parametrize("name", ACTORS)
def test_who_acts_on_the_stage_does_not_import_the_screen(name: str) -> None:
    code = ast.parse((ROOT / f"{name}.py").read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(code) if isinstance(node, ast.ImportFrom)}
    assert not imported & {"rnnviz.tui.app", "rnnviz.tui.main", "rnnviz.tui.screen"}


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: path.stem)
def test_nobody_writes_anothers_fields(path: Path) -> None:
    if path.stem.endswith("_private"):
        return
    code = ast.parse(path.read_text(encoding="utf-8"))
    written = [node for node in ast.walk(code) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]
    foreign = [node for node in written if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))]
    assert [ast.unparse(node) for node in foreign if not MEANT & set(ast.unparse(node).split("."))] == []
