"""`rnnviz workshop` as a shell sees it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rnnviz.cli.main import main
from rnnviz.cli.workshop_screen import Watch
from rnnviz.session import Session
from rnnviz.workshop.exercise import SOLUTIONS
from rnnviz.workshop.exercises import EXERCISES
from rnnviz.workshop.report import lines
from rnnviz.workshop.result import UNWRITTEN, Result

NAMES = [one.file for one in EXERCISES]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def says(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["workshop", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_init_writes_what_is_missing_and_never_overwrites(home, capsys):
    code, out, err = says(capsys, "init")
    assert (code, err) == (0, "")
    assert "10 files written" in out
    assert sorted(path.name for path in (home / "workshop").iterdir()) == NAMES
    mine = home / "workshop" / NAMES[0]
    mine.write_text("mine")
    (home / "workshop" / NAMES[2]).unlink()
    (home / "workshop" / NAMES[3]).unlink()
    (home / "workshop" / NAMES[3]).symlink_to(home / "elsewhere")
    code, out, _ = says(capsys, "init")
    assert f"{NAMES[2]} was missing and written" in out
    assert mine.read_text() == "mine"
    assert not (home / "elsewhere").exists()
    assert "nothing was written" in says(capsys, "init")[1]


def test_a_folder_that_cannot_be_made(home, capsys):
    (home / "file").write_text("")
    for where, words in (("file", "is a file"), ("file/inside", "cannot be written"), ("\0", "cannot be written")):
        code, _, err = says(capsys, "init", where)
        assert code == 2
        assert words in err
        assert err.count("\n") == 1


def test_check_exits_0_when_all_is_solved_and_1_when_it_is_not(home, capsys):
    says(capsys, "init")
    folder = home / "workshop"
    code, out, _ = says(capsys, "check", "1")
    assert (code, out) == (1, "workshop/01_forward.py\n  · a is not written yet.\n")
    shutil.copy(SOLUTIONS / NAMES[0], folder)
    for word in ("1", "01_forward.py", "01_forward", "workshop/01_forward.py", str(folder / NAMES[0])):
        code, out, _ = says(capsys, "check", word)
        assert code == 0, word
        assert "01_forward.py is solved" in out
    wrong = (SOLUTIONS / NAMES[4]).read_text().replace("+= W_hh.T", "= W_hh.T")
    (folder / NAMES[4]).write_text(wrong)
    code, out, _ = says(capsys, "check", "5", "1")
    assert code == 1
    assert "as if the direct part were missing at every step but the last" in " ".join(out.split())
    assert "▲ ∂L/∂h₇" in out
    code, out, _ = says(capsys, "check", "5", "--json")
    (found,) = json.loads(out)
    assert code == 1
    assert (found["status"], found["place"], found["step"]) == ("wrong", "grad_h", 7)
    assert found["as_if"] == "the direct part were missing at every step but the last"
    assert found["file"] == "workshop/05_bptt.py"


def test_list_reads_the_state_from_the_files_alone(home, capsys):
    says(capsys, "init", ".")
    shutil.copy(SOLUTIONS / NAMES[1], home)
    (home / NAMES[5]).unlink()
    before = sorted(home.iterdir())
    code, out, err = says(capsys, "list")
    assert (code, err) == (0, "")
    rows = out.splitlines()
    assert rows[1].startswith("✓ 02_unroll.py")
    assert rows[5].endswith("the file is missing")
    assert "1 of 10 solved" in rows[-1]
    assert sorted(home.iterdir()) == before


def test_hints_say_more_and_more(home, capsys):
    for exercise in EXERCISES:
        assert len(exercise.hints) >= 3
        for n, hint in enumerate(exercise.hints):
            code, out, _ = says(capsys, "hint", exercise.file, str(n + 1))
            assert code == 0
            assert " ".join(hint.split()) in " ".join(out.split())
    assert "Hint 1 of" in says(capsys, "hint", "7")[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check"], "there is no workshop here; rnnviz workshop init"),
        (["list"], "there is no workshop here"),
        ([], "there is no workshop here"),
        (["nowhere"], "'nowhere' is not a folder; rnnviz workshop init nowhere"),
        (["."], "has no file of the workshop"),
        (["check", "my.py"], "'my.py' is not a file of the workshop"),
        (["hint"], "which file?"),
        (["hint", "1", "9"], "has the hints 1 to 3"),
        (["hint", "1", "x"], "has the hints 1 to 3"),
        (["hint", "1", "1", "1"], "unexpected argument"),
        (["init", "a", "b"], "unexpected argument"),
        (["hint", "1", "--json"], "only check and list have it"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_one_line(words, message, capsys):
    code, out, err = says(capsys, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_watching_needs_a_terminal(capsys):
    says(capsys, "init")
    code, _, err = says(capsys)
    assert code == 2
    assert "rnnviz workshop check runs the files once" in err


def test_a_kiosk_has_no_workshop(capsys, monkeypatch):
    for words in (["init"], [], ["check"], ["list"], ["hint", "1"]):
        monkeypatch.setenv("RNNVIZ_KIOSK", "1")
        code, _, err = says(capsys, *words)
        assert code == 2
        assert "this is a kiosk" in err
        monkeypatch.delenv("RNNVIZ_KIOSK")
    assert says(capsys, "--kiosk")[0] == 2
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("width", [20, 78, 200])
def test_no_line_is_wider_than_the_screen(width):
    for exercise in EXERCISES:
        result = Result(
            exercise, UNWRITTEN, "x" * 300 + " \x1b[2J 雪" * 40, ("yours " + "1 " * 200,), printed=("p" * 999,) * 9
        )
        for line in lines(result, width):
            assert len(line.text) <= width
            assert line.text.isprintable()


def test_the_next_file_is_named_whole_however_long_its_folder_is(tmp_path):
    watch = Watch(tmp_path / ("a" * 30) / ("b" * 30), Session())
    watch.just_solved, watch.at = EXERCISES[0], 1
    page = watch._body(80)
    assert all(len(line.text) <= 80 for line in page)
    shown = "".join(line.text.strip() for line in page)
    assert f"{'b' * 30}/{EXERCISES[1].file}" in shown
    assert "editor." in shown
