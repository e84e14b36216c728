"""Plain English: words and names that this project avoids, each with the better one (CONTRIBUTING.md, "English")."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: Folders and modules of rnnviz/ and pages whose sentences and names are checked.
ROOMS = (
    "tui", "plain", "lessons", "player", "views", "scene", "words", "numbers.py",
    "nn", "recordings", "weights", "watching", "tasks", "experiment", "export", "cli", "charts", "diagnosis",
    "workshop",
    "crash.py", "errors.py", "files.py", "glyphs.py", "safetensors_header.py", "sheet.py", "terminal.py",
    "__init__.py", "__main__.py",
)  # fmt: skip
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "ARCHITECTURE.md",
    "lessons/README.md",
    *(f"docs/{file.name}" for file in sorted((ROOT / "docs").glob("*.md"))),
    "docs/diagnosis.md",
    *(f"lessons/{file.name}" for file in sorted((ROOT / "lessons").glob("[0-9]*.md"))),
)

#: pattern, a sentence that it finds, the better sentence.
WORDS = (
    (r"\btold\b", "What the network is told.", "The input of the network."),
    (r"\bsaid\b", "said +0.123", "prediction: +0.123"),
    (r"\bhangs? on\b", "the step its answer hangs on", "the step that its answer depends on"),
    (r"\bspeaks? of\b", "What the step speaks of.", "The subject of the step."),
    (r"\blikewise\b", "It truncates likewise.", "It truncates in the same way."),
    (r"\bwhoever\b", "Whoever holds a lock is at work.", "The holder of a lock is working."),
    (r"\bgoes on\b", "n goes on", "Press n for the next page."),
    (r"\banew\b", "It begins anew.", "It starts again."),
    (r"\blet(s|ting)? go of\b", "Let go of what was pinned.", "Unpinned."),
    (r"\bat hand\b", "the task, if it is at hand", "the task, if it has been built"),
    (r"\bmade of\b", "h is made of x alone", "h depends on x alone"),
    (r"\bc[oa]mes? of\b", "an experiment and what came of it", "an experiment and its results"),
    (r"\bone word too many\b", "'x' is one word too many", "unexpected argument 'x'"),
    (r"\bsomebody\b", "it belongs to somebody else", "it belongs to another user"),
    (r"\bperforms? (a lesson )?(by )?itself\b", "let it perform itself", "autoplay it"),
    (r"\bbring about\b", "something to bring about", "a goal to reach"),
    (r"\bproof\b", "proof against central differences", "gradient check against central differences"),
    (r"\b[Ff]ree of (numpy|numba|textual)\b", "Free of NumPy.", "Does not import NumPy."),
    (r"\ball the same\b", "it trains all the same", "it continues nevertheless"),
    (r"\bmended\b", "a folder that was mended", "a folder that was repaired"),
    (r"\bthan sensible\b", "more memory than sensible", "too much memory"),
    (r"\bthe lesson's rails\b", "leave the lesson's rails", "pause the lesson"),
    (r"\bone (unit|step) (below|beside) the other\b", "one unit below the other", "one row per unit"),
    (r"\bgets? by with\b", "the GRU gets by with two gates", "the GRU needs only two gates"),
)  # fmt: skip

#: Parts of the names of modules, classes and functions.
NAMES = {
    "told": "report", "said": "prediction", "asked": "requested", "taken": "accepted", "hears": "handle",
    "takes": "handle", "mended": "repair", "shown": "text", "perform": "autoplay", "proof": "check",
    "untold": "hidden", "telling": "narration",
}  # fmt: skip

#: Text that a network reads, not a person.
DATA = {"TEXT"}


def source_files() -> list[Path]:
    package = ROOT / "rnnviz"
    rooms = [package / room for room in ROOMS]
    return sorted({file for room in rooms for file in (room.rglob("*.py") if room.is_dir() else [room])})


def sentences(code: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, text) of every string constant with a space, docstrings included."""
    skipped = {
        id(node.value)
        for node in ast.walk(code)
        if isinstance(node, ast.Assign) and {getattr(target, "id", "") for target in node.targets} & DATA
    }
    for node in ast.walk(code):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
        if is_text and id(node) not in skipped:
            yield node.lineno, node.value


def found(text: str) -> Iterator[tuple[int, str]]:
    """(line, complaint) of every pattern in the text; a pattern may run over a line end."""
    for pattern, _, better in WORDS:
        for match in re.finditer(pattern.replace(" ", r"\s+"), text, re.IGNORECASE):
            yield text.count("\n", 0, match.start()), f"{match[0]!r}; write for example {better!r}"


def names(path: Path, code: ast.Module) -> Iterator[tuple[int, str]]:
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    named = [(1, path.stem), *((n.lineno, n.name) for n in ast.walk(code) if isinstance(n, definitions))]
    for line, name in named:
        for part in re.findall(r"[A-Z]?[a-z]+", name):
            if part.lower() in NAMES:
                yield line, f"the name {name}; better with {NAMES[part.lower()]!r}"


@pytest.mark.parametrize(("pattern", "bad", "good"), WORDS, ids=[bad for _, bad, _ in WORDS])
def test_each_pattern_finds_its_example_and_not_the_better_one(pattern: str, bad: str, good: str) -> None:
    assert any(better == repr(good) for _, complaint in found(bad) for better in [complaint.partition("example ")[2]])
    assert not list(found(good))


def test_names_are_found() -> None:
    code = ast.parse("class Told:\n def hears_key(self): ...\n def described(self): ...")
    assert [line for line, _ in names(Path("proof.py"), code)] == [1, 1, 2]


def test_no_sentence_and_no_name_has_an_avoided_word() -> None:
    problems = []
    for path in source_files():
        code = ast.parse(path.read_text(encoding="utf-8"))
        places = [(start + line, what) for start, text in sentences(code) for line, what in found(text)]
        problems += [f"{path.relative_to(ROOT)}:{line}: {what}" for line, what in (*places, *names(path, code))]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_an_avoided_word(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"\n## English\n.*?(?=\n## |\Z)", "\n", text, flags=re.DOTALL)  # which quotes them
    problems = [f"{page}:{line + 1}: {what}" for line, what in found(text)]
    assert not problems, "\n".join(problems)
