"""Left of the faces (tui and cli) nothing knows a key or the size of a screen: sentences name actions (words.voice)."""

import ast
import re
from pathlib import Path

import pytest

import rnnviz
from rnnviz.tui.voice import KEYS, VOICE

ROOT = Path(rnnviz.__file__).parent
CORE = (
    "nn",
    "watching",
    "tasks",
    "experiment",
    "scene",
    "views",
    "player",
    "words",
    "export",
    "lessons",
    "diagnosis",
    "workshop",
)
VERBS = (
    "goes|walks|trains|takes|reads|shows|closes|brings|stops|opens|types|asks|puts|plays|compares|restores|does|finds"
)
#: A key at the head of a clause: `← goes`, `esc stops`, "`r` asks"; h, t, c, z and K are symbols of the field.
KEY = re.compile(
    rf"(?:^|[ ;:.(,`])(?:[←→↑↓]|esc|enter|space|tab|backspace|[abde-gi-su-yA-JL-Z])`? (?:{VERBS})\b|`[a-zA-Z←→]`"
)
SIZE = re.compile(r"\b80\s*[×x]\s*24\b|\b80 columns\b")


def strings() -> list[tuple[str, str]]:
    """(where, text) of every string of the core that is no docstring; parts of an f-string each by itself."""
    found = []
    for path in sorted(path for room in CORE for path in (ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        docs = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in docs:
                found.append((f"{path.relative_to(ROOT)}:{node.lineno}", node.value))
    return found


def test_no_string_of_the_core_names_a_key() -> None:
    assert [(where, text) for where, text in strings() if KEY.search(text)] == []


def test_no_file_of_the_core_names_the_size_of_a_screen() -> None:
    files = (path for room in CORE for path in (ROOT / room).rglob("*.py"))
    assert [str(path) for path in files if SIZE.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("text", ["← goes on back in time.", "r asks again", "Stopped: esc stops it.", "press `r`"])
def test_a_key_would_be_found(text: str) -> None:
    assert KEY.search(text)


def test_every_action_that_a_sentence_names_has_a_key() -> None:
    named = {name for _, text in strings() for name in re.findall(r"\[([a-z_]{2,})\]", text)}
    assert {"left", "ledger", "lesson_return"} <= named & KEYS.keys()
    assert VOICE.say("[left] and [code]") == f"{KEYS['left']} and {KEYS['code']}"
    tables = {"do", "predict", "exercise", "reveal", "point", "experiment", "brackets"}  # of a lesson file
    faces = {"replay"}  # each face has a way of its own to it
    programs = {"last"}  # an index in an exported program
    assert named - KEYS.keys() <= tables | faces | programs
