"""What is private in another library is named in one file of ours for each, and is still there."""

from __future__ import annotations

import ast
import functools
import gc
import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from textual.app import App
from textual.screen import Screen

import rnnviz
from rnnviz.tui import held_frames, rich_private, textual_private
from rnnviz.tui.app import RnnvizApp

PACKAGE = Path(rnnviz.__file__).parent
OWN_FILES = {
    "tui/textual_private.py", "tui/rich_private.py", "charts/plotext_private.py", "watching/keras_private.py",
    "watching/torch_private.py",
}  # fmt: skip
OVERRIDDEN = {("RnnvizApp", "_display"), ("DrivenApp", "_handle_exception")}  # named in textual_private
DOCUMENTED = {"_exit"}  # os._exit
FOR_FRAMEWORKS = {"keras.py", "lightning.py"}  # import a framework; tests/watching/ looks at their names


def files() -> list[Path]:
    """All but the engine's, whose compiler has rules of its own."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "nn" not in path.relative_to(PACKAGE).parts[:1]]


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def foreign_private_names(code: ast.Module) -> set[str]:
    """Private attributes that the code reads and does not make itself, and private imports from elsewhere."""
    own, read, imported = set(), set(), set()
    for node in ast.walk(code):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                own.add(node.name)
            case ast.Name(ctx=ast.Store()):
                own.add(node.id)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), ctx=ast.Store()):
                own.add(node.attr)
            case ast.Attribute(attr="__dict__"):
                read.add("__dict__")
            case ast.Attribute() if is_private(node.attr):
                read.add(node.attr)
            case ast.ImportFrom() if (node.module or "").split(".")[0] not in ("rnnviz", "__future__"):
                imported.update(filter(is_private, [*(node.module or "").split("."), *(a.name for a in node.names)]))
            case ast.Import():
                imported.update(part for a in node.names for part in a.name.split(".") if is_private(part))
    return (read - own) | imported


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from textual._compositor import ChopsUpdate", {"_compositor"}),
        ("import numba.core._helper", {"_helper"}),
        ("from rich.text import _join", {"_join"}),
        ("app._driver.write('x')", {"_driver"}),
        ("class A:\n def f(self):\n  self._x = self._y", {"_y"}),
        ("from rnnviz.words import _own", set()),
    ],
)
def test_the_search_sees_a_foreign_private_name(code: str, found: set[str]) -> None:
    assert foreign_private_names(ast.parse(code)) == found


def test_private_names_of_others_stand_in_one_file_a_library() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): names
        for path in files()
        if (names := foreign_private_names(tree(path)) - DOCUMENTED)
    }
    assert {file: names for file, names in found.items() if file not in OWN_FILES} == {}


@functools.cache
def fields_in(file: str) -> frozenset[str]:
    """The private fields that the classes of a file use."""
    return frozenset(re.findall(r"self\.(_[a-z]\w*)", Path(file).read_text(encoding="utf-8")))


def made_by(code: ast.ClassDef) -> set[str]:
    """The private methods a class defines and the private fields it sets on itself."""
    names = set()
    for node in ast.walk(code):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                names.add(name)
    return set(filter(is_private, names))


@pytest.mark.skipif(importlib.util.find_spec("termios") is None, reason="needs the driver of POSIX")
def test_no_class_takes_a_private_name_of_its_base() -> None:
    """A method or a field of the same name would take the place of the library's own."""
    taken = set()
    for path in files():
        if path.relative_to(PACKAGE).as_posix() in FOR_FRAMEWORKS:
            continue
        module = ".".join(("rnnviz", *path.relative_to(PACKAGE).with_suffix("").parts))
        for code in tree(path).body:
            if isinstance(code, ast.ClassDef) and code.bases and made_by(code):
                for base in getattr(importlib.import_module(module), code.name).__mro__[1:]:
                    if base.__module__.split(".")[0] in ("textual", "rich", "argparse"):
                        theirs = {*vars(base), *fields_in(inspect.getfile(base))}
                        taken |= {(code.name, name) for name in made_by(code) & theirs}
    assert taken == OVERRIDDEN


# -- Textual -------------------------------------------------------------------------------------------------


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the app draws, as Textual hands it over."""
    seen: list[Any] = []
    show = held_frames.Frames.show

    def noted(self: held_frames.Frames, update: Any) -> None:
        seen.append(update)
        show(self, update)

    monkeypatch.setattr(held_frames.Frames, "show", noted)
    return seen


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The frames that go to the terminal."""
    texts: list[str] = []
    monkeypatch.setattr(RnnvizApp, "_write", lambda self, update: texts.append(update.render_segments(self.console)))
    return texts


async def test_textual_hands_over_what_we_know_how_to_send(updates: list[Any], sent: list[str]) -> None:
    """A help that opens goes out as its changed cells, and in less than half of Textual's own bytes."""
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        assert any(textual_private.is_whole(update) for update in updates)
        await pilot.press("question_mark")
        await pilot.pause(0.05)
        updates.clear()
        sent.clear()
        await pilot.press("pagedown")
        await pilot.pause(0.05)
        drawn = [update for update in updates if update is not None]
        assert drawn
        assert all(textual_private.is_partial(update) or textual_private.is_whole(update) for update in drawn)
        by_textual = sum(len(update.render_segments(app.console)) for update in drawn)
        assert 100 < len("".join(sent)) < by_textual / 2, (len("".join(sent)), by_textual)


async def test_a_step_goes_to_the_terminal_without_textual(updates: list[Any], sent: list[str]) -> None:
    """As its changed cells: 1,000 bytes and not 7,000."""
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.pause(0.05)
        updates.clear()
        sent.clear()
        await pilot.press("right")
        await pilot.pause(0.05)
        assert [update for update in updates if update is not None] == []
        assert 100 < len("".join(sent).encode()) < 2000


async def test_textual_has_the_names_by_which_the_app_waits_and_ends() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)):
        await app.settled()
        assert not textual_private.is_batching(app)
        with app.batch_update():
            assert textual_private.is_batching(app)
        for name in ("_exception", "_exception_event", "_return_code", "_close_messages_no_wait"):
            assert hasattr(app, name)
    assert list(inspect.signature(App._display).parameters) == ["self", "screen", "renderable"]
    assert list(inspect.signature(App._handle_exception).parameters) == ["self", "error"]
    assert "app._display(" in inspect.getsource(Screen._compositor_refresh)


async def test_what_a_closed_page_drew_is_let_go() -> None:
    app = RnnvizApp(compile=False)
    kept = []
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        for _ in range(2):
            for _ in range(4):
                await pilot.press("question_mark")
                await pilot.pause()
                await pilot.press("escape")
                await pilot.pause()
            gc.collect()
            kept.append(sum(type(thing).__name__ == "StylesCache" for thing in gc.get_objects()))
    assert kept[1] <= kept[0] + 2, kept  # one page has six; of a few a reference is still on its way


def test_textual_has_a_table_of_keys() -> None:
    table = textual_private.KeyTable()
    assert [event.key for event in table.keys("\x1b[C", alt=False)] == ["right"]
    assert [event.key for event in table.keys("a", alt=True)] == ["alt+a"]
    assert table.mouse("\x1b[<0;3;4M") is not None


# -- Rich and plotext ----------------------------------------------------------------------------------------


def test_rich_takes_the_colours_we_choose() -> None:
    console = Console(color_system="truecolor", force_terminal=True)
    for name, system in rich_private.COLOR_SYSTEMS.items():
        rich_private.set_color_system(console, system)
        assert console.color_system == name
        assert rich_private.color_system(console) is system


def test_plotext_is_loaded_without_its_manual() -> None:
    code = (
        "import sys; from rnnviz.charts.plotext_private import load; load(); print('plotext._doc.doc' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
    assert importlib.util.find_spec("plotext._doc.doc") is not None, "the manual has moved"
