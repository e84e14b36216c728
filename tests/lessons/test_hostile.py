"""Lessons made to harm: each is refused with its line and what to do, in a moment and in little memory; and one beside
a good lesson does not keep it from being learnt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnnviz.cli.main import main
from rnnviz.lessons.course import BROKEN, Start, find, head
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas
from rnnviz.tui.notice import Kind
from tests.tui.driving import press

FRONT = """+++
title = "A title"
summary = "A summary."
sources = ["A source"]
{experiment}+++

## A step

A word.
"""


def front(text: str) -> str:
    return FRONT.format(experiment=f"[experiment]\n{text}\n")


def body(text: str) -> str:
    return FRONT.format(experiment="") + f"\n{text}\n"


def block(text: str) -> str:
    return body(f"```toml\n{text}\n```")


def question(text: str) -> str:
    return block(f'[predict]\nquestion = "?"\n{text}') + "\nBecause.\n"


TRAINS = "```toml\n[do]\nsettings = {{ seed = {n} }}\ntrain = {epochs}\n```\n"

# name -> the file, and the line, what is wrong and what to do of one of its problems
HOSTILE: dict[str, tuple[str, int, str, str]] = {
    "digits": (front("seed = " + "9" * 5000), 6, "5,007 characters", "split or shorten it"),
    "digits-in-lines": (front("seed = " + "9" * 400), 6, "seed is a number too long", "at most 18 digits"),
    "hex": (block("[do]\nseek = 0x" + "f" * 400), 13, "seek is a number too long", "18 digits"),
    "brackets": (front("gain = " + "[" * 50_000), 6, "50,007 characters", "split or shorten it"),
    "brackets-in-lines": (front("gain = [\n" + "[\n" * 2_500), 1, "nested too deeply", "a number, a string"),
    "tables-in-tables": (block("[do]\n" + ".".join("a" * 200) + " = 1"), 11, "nested too deeply", "a number"),
    "lines": (body("\n" * 5_000), 3_001, "lines; the limit is 3,000", "several lessons"),
    "megabytes": (body("word " * 2_000_000), 1, "too long, at most 200,000 bytes", "name and permissions"),
    "zeros": ("\0" * 100_000, 1, "100,000 characters", "split or shorten it"),
    "links": (body("[" * 100_000), 11, "100,000 characters", "split or shorten it"),
    "links-in-lines": (body(("[" * 400 + "\n") * 250), 11, "a text of 100,249 characters", "shorten it"),
    "stars": (body(("*a _b " * 60 + "\n") * 50), 11, "characters; the limit is 1,000", "shorten it"),
    "stars-in-toml": (question(f'answer = "loss"\nunit = """{("*a _b " * 60 + chr(10)) * 20}"""'), 15,
                      "unit has 7,220 characters", "shorten it"),
    "paragraphs": (body(("*a _b " * 60 + "\n\n") * 300), 7, "is too long", "shorten it"),
    "precision": (body("{loss:.999999999f}"), 11, "is not a format", ".2f"),
    "width": (body("{loss:>999999999}"), 11, "is not a format", ".2f"),
    "width-of-a-word": (body("{cell:999999999}"), 11, "is not a format", ".2f"),
    "spaces": (question(f'choices = [{{ say = "a", if = "loss{" " * 400}>" }}, {{ say = "b", if = "loss < 1" }}]'),
               14, "is not a condition", "METRIC OP VALUE"),
    "steps": (body("## Another\n\nA word.\n\n" * 700), 247, "701 steps; the limit is 60",
              "several lessons"),
    "problems": (block("[do]\n" + "\n".join(f"k{n} = 1" for n in range(99))), 13, "unknown command 'k0'", "commands:"),
    "entries": (question(f'answer = "loss"\ntolerance = [{"1," * 200}]'), 15, "200 entries", "remove some"),
    "keys": (block("[do]\n" + "\n".join(f"k{n} = 1" for n in range(2_000))), 12, "do has 2,000 entries", "remove some"),
    "epochs": (block("[do]\ntrain = 1000000"), 7, "trains for about", "train fewer epochs"),
    "epochs-of-the-experiment": (FRONT.format(experiment="[experiment]\nepochs = 1000000\n")
                                 + '\n```toml\n[do]\ntrain = "all"\n```\n', 9, "trains for about", "fewer epochs"),
    "little-by-little": (
        body("\n".join(f"## Step {n}\n\nA word.\n\n" + TRAINS.format(n=n + 1, epochs=9_000) for n in range(50))),
        111, "up to here; the limit is 300 s", "train fewer epochs"),
    "large": (front("hidden_size = 2048\nnum_layers = 8"), 5, "MB; the limit for a lesson is 250", "fewer units"),
    "large-later": (block("[do]\nsettings = { hidden_size = 2048, num_layers = 8 }"), 7, "MB; the limit",
                    "fewer units"),
    "much-data": (front("points = 1000000\nseq_len = 1000"), 5, "MB; the limit for a lesson is 250", "sequences"),
    "much-in-a-solution": (
        block('[exercise]\ngoal = "Go."\nsolved = ["loss < 1e-9"]\nhints = []\n[[exercise.solution]]\ntrain = 1000000')
        + "\nDone.\n", 7, "trains for about", "train fewer"),
    "endless-text": (front('task = "characters"\nsource = "/dev/zero"'), 7, "not inside this lesson", "copy it"),
    "a-text-elsewhere": (front('task = "characters"\nsource = "../text.txt"'), 7, "not inside this lesson", "copy"),
    "data-at-home": (front('data = "~/data.csv"'), 6, "not inside this lesson", "copy it"),
    "data-elsewhere": (front('data = "/etc/passwd"'), 6, "not inside this lesson", "copy it"),
    "data-elsewhere-later": (block('[do]\nsettings = { data = "/etc/passwd" }'), 13, "not inside this lesson", "copy"),
    "no-such-panel": (block('[do]\npanel = "nosuch"'), 13, "unknown panel 'nosuch'", "panels: "),
    "panel-of-lists": (block("[do]\npanel = [[[1]]]"), 13, "is not a string", 'write panel = "loss"'),
    "dates": (block("[do]\ntrain = 1979-05-27"), 13, "is not an amount", "number of epochs"),
}  # fmt: skip

CHECK = """
import json, resource, sys
from pathlib import Path
from rnnviz.lessons.check import check
from rnnviz.tui.voice import MEASURE
from rnnviz.nn import Model
from rnnviz.tui import panels
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 500_000_000,) * 2)
found = {}
for folder in sorted(Path(sys.argv[1]).iterdir()):
    resource.setrlimit(resource.RLIMIT_CPU, (int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2])) + 6, -1))
    print(folder.name, file=sys.stderr, flush=True)
    problems = check([folder / "01-lesson.md"], tuple(panels.BY_ID), MEASURE)
    found[folder.name] = [(p.line, p.what, p.remedy) for p in problems]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[int, str, str]]]:
    """The problems of each, found by a process that may take 500 MB more than it begins with, and 5 s for each."""
    place = tmp_path_factory.mktemp("hostile")
    for name, (content, *_) in HOSTILE.items():
        (place / name).mkdir()
        (place / name / "01-lesson.md").write_text(content, encoding="utf-8")
    run = subprocess.run([sys.executable, "-c", CHECK, str(place)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    told: dict[str, list[tuple[int, str, str]]] = json.loads(run.stdout)
    return told


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux' limits")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_lesson_is_refused_with_line_and_remedy(
    name: str, found: dict[str, list[tuple[int, str, str]]]
) -> None:
    _, line, what, remedy = HOSTILE[name]
    assert any(at == line and what in said and remedy in do for at, said, do in found[name]), found[name][:3]
    assert len(found[name]) <= 50
    assert all(do for _, _, do in found[name])


GOOD = body("")
BAD = {name: HOSTILE[name][0] for name in ("digits-in-lines", "brackets-in-lines", "zeros", "megabytes", "hex")}


def course(place: Path, bad: str) -> Path:
    (place / "01-good.md").write_text(GOOD, encoding="utf-8")
    (place / "02-bad.md").write_text(bad, encoding="utf-8")
    return place


@pytest.mark.parametrize("name", [name for name in BAD if name != "hex"])
def test_a_bad_lesson_is_listed_as_broken(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    place = course(tmp_path, BAD[name])
    assert [head(file) for file in find(place).files] == [("A title", "A summary."), ("02-bad", BROKEN)]
    assert main(["lessons", "--lessons", str(place)]) == 0
    assert "02-bad: cannot be read; rnnviz lessons check" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["brackets-in-lines", "hex", "no-such-panel", "epochs", "large-later"])
async def test_the_app_lives_beside_a_bad_lesson(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    app = RnnvizApp(start=Start(course(tmp_path, HOSTILE[name][0])), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "L")
        listed = "\n".join(app.screen.query_one("#contents", Canvas).plain())
        assert "1 A title" in listed
        if name == "brackets-in-lines":
            assert "2 02-bad" in listed
            assert "broken" in listed
        await press(pilot, "down", "right")  # its steps
        assert "02-bad.md, line " in "\n".join(app.screen.query_one("#contents", Canvas).plain())
        await press(pilot, "enter")
        assert app.main.guide is not None
        assert app.main.guide.run is not None
        assert app.main.guide.run.lesson.slug == "good", "the lesson that was open stays"
        assert app.main.view.notice is not None
        assert "02-bad.md, line " in app.main.view.notice.text
        assert app.main.view.notice.kind is Kind.WARNING


@pytest.mark.parametrize("name", ["digits", "no-such-panel", "epochs"])
def test_a_bad_lesson_asked_for_is_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `rnnviz lesson bad` has it, once there is a terminal."""
    from rnnviz.errors import InputError
    from rnnviz.lessons.opening import first_lesson
    from rnnviz.lessons.progress import Progress
    from rnnviz.tui import panels

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    place = course(tmp_path, HOSTILE[name][0])
    with pytest.raises(InputError, match=r"02-bad\.md, line \d+: .*rnnviz lessons check says more"):
        first_lesson(find(place), Progress("x"), "bad", panels.BY_ID)
