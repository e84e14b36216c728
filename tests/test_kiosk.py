"""A kiosk before the app opens: what its command line may name, a learner's name and folder, what one may ask for.

What a learner tries inside is in tests/terminal/test_kiosk.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from rnnviz.cli import kiosk as cli
from rnnviz.cli.commands import APP, COMMANDS
from rnnviz.cli.flags import read
from rnnviz.cli.main import main
from rnnviz.errors import InputError
from rnnviz.experiment import cost
from rnnviz.experiment.build import resolved
from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.experiment.experiment_file import PATHS
from rnnviz.kiosk import LONGEST_NAME, REFUSED, Kiosk, learner_folder, learner_name
from rnnviz.lessons.course import find
from rnnviz.lessons.reading import read as read_lesson
from rnnviz.lessons.setup import Setup
from rnnviz.nn import checks
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, SaveModel

ROOT = Path(__file__).parents[1]

# -- the command line --------------------------------------------------------------------------------------

OF_A_TEACHER = [  # with --kiosk, what must not be asked for, and a word of the answer
    (["--data", "air.csv"], "--data"),
    (["--source", "/etc/passwd"], "--source"),
    (["/"], "'/'"),
    (["model.pt"], "'model.pt'"),
    (["--beside", "b.pt"], "--beside"),
    (["--progress", "/tmp"], "--learner"),
    (["--learner", "../ada", "--progress", "/tmp"], "--learner"),
    (["--idle", "-1"], "--idle"),
    (["--no-kiosk"], "unknown"),
]
OF_A_LEARNER = [  # with RNNVIZ_KIOSK=1, in addition
    ["--lessons", "/tmp"],
    ["/etc/x.toml"],
    ["--experiment", "/etc/passwd"],
    ["--learner", "ada"],
    ["--kiosk", "--lessons", "/tmp"],
    ["lesson", "1", "--lessons", "/tmp"],
    ["play", "1", "--lessons", "/tmp"],
]
ELSEWHERE = ["train", "gradients", "diagnose", "inspect", "convert", "data", "lessons", "doctor"]


@pytest.mark.parametrize(("arguments", "about"), OF_A_TEACHER)
@pytest.mark.parametrize("by", ["flag", "variable"])
def test_a_kiosk_refuses_in_one_line(
    arguments: list[str], about: str, by: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RNNVIZ_KIOSK", "1" if by == "variable" else "")
    assert main([*arguments, *(["--kiosk"] if by == "flag" else [])]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert about in line or "RNNVIZ_KIOSK" in line


@pytest.mark.parametrize("arguments", OF_A_LEARNER)
def test_with_the_variable_the_command_line_names_no_file(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RNNVIZ_KIOSK", "1")
    monkeypatch.setattr("rnnviz.files.read", lambda *_, **__: pytest.fail("a file was read"))
    assert main(arguments) == 2
    assert "RNNVIZ_KIOSK" in capsys.readouterr().err


@pytest.mark.parametrize("command", ELSEWHERE)
@pytest.mark.parametrize("by", ["flag", "variable"])
def test_a_kiosk_has_no_other_command(
    command: str, by: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RNNVIZ_KIOSK", "1" if by == "variable" else "")
    words = {"inspect": ["x.pt"], "convert": ["a.pt", "b.pt"], "data": ["x.csv"]}.get(command, [])
    assert main([command, *words, *(["--kiosk"] if by == "flag" else [])]) == 2
    assert "kiosk" in capsys.readouterr().err


def test_every_argument_that_names_a_file_is_known_to_the_kiosk() -> None:
    """One that is added to the app later must be refused there, or be for the teacher alone."""
    known = {*cli._OWN_FILES, *cli._TEACHERS}
    for name in cli.COMMANDS:
        arguments = (APP if name == "" else COMMANDS[name]).arguments
        assert {one.key for one in arguments if one.metavar in ("FILE", "DIR", "FOLDER", "PATH")} <= known
    assert {one.name for one in SETTINGS.values() if one.metavar == "FILE"} | set(PATHS) <= set(cli._OWN_FILES)
    assert set(PATHS) <= set(REFUSED)


@pytest.mark.parametrize(("value", "forced"), [("", False), ("0", False), ("1", True), ("no", True), ("false", True)])
def test_any_value_but_0_makes_a_kiosk(value: str, forced: bool) -> None:
    assert cli.is_forced({"RNNVIZ_KIOSK": value}) is forced


def test_the_teacher_may_name_lessons_and_an_experiment(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("hidden_size = 4\n")
    assert read(["--kiosk", str(own)]).experiments[0].hidden_size == 4
    assert read(["--kiosk", "--lessons", str(tmp_path)])["lessons"] == str(tmp_path)
    assert read(["--kiosk", "--readout", "attention"]).experiments[0].readout == "attention"
    with pytest.raises(InputError, match="readout: a kiosk opens lessons"):
        read(["--kiosk", "--readout", "fc"])


def test_learner_progress_and_idle_are_of_a_kiosk_alone(capsys: pytest.CaptureFixture[str]) -> None:
    for flag in (["--learner", "ada"], ["--idle", "5"]):
        assert main(flag) == 2
        assert "--kiosk" in capsys.readouterr().err


def test_the_environment_of_a_kiosk_is_short() -> None:
    hostile = {"XDG_DATA_HOME": "/tmp/x", "TEXTUAL_DRIVER": "a:b", "PYTHONPATH": "/tmp", "LD_PRELOAD": "/tmp/x.so",
               "NUMBA_DISABLE_JIT": "1", "TMPDIR": "/tmp/x", "HOME": "/tmp/x", "TERM": "xterm", "LC_ALL": "C.UTF-8",
               "SSH_ORIGINAL_COMMAND": "sh", "RNNVIZ_KIOSK": "0", "PATH": "/tmp", "LC_X": "y"}  # fmt: skip
    environ = dict(hostile)
    cli._clean(environ)
    assert environ["HOME"] != "/tmp/x"
    assert environ["PATH"] == os.defpath
    assert set(environ) == {"TERM", "LC_ALL", "HOME", "PATH", *cli._ONE_THREAD}


# -- the learner -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ada", "Ada-2", "a_b.c", "7", "José", "हिन्दी", "李明", "x" * LONGEST_NAME])
def test_names_of_learners(name: str) -> None:
    assert learner_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".ada", "-ada", "_ada", "a/b", "a\\b", "../ada", "a b", "a\0", "a\n", "a\x1b[m", "~ada", "$USER",
     "a\u202eb", "a\u200bb", "\u0301a", "a:b", "x" * (LONGEST_NAME + 1), "𠀀" * LONGEST_NAME, "a\udcff", "a\uff0fb"],
)  # fmt: skip
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InputError, match="learner: "):
        learner_name(name)


def test_one_name_however_it_was_typed(tmp_path: Path) -> None:
    composed, decomposed = "Jos\u00e9", "Jose\u0301"
    assert learner_folder(composed, str(tmp_path)) == learner_folder(decomposed, str(tmp_path))


def test_a_learners_folder_is_private(tmp_path: Path) -> None:
    folder = learner_folder("ada", str(tmp_path))
    assert folder == tmp_path.resolve() / "ada"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert learner_folder("ada", str(tmp_path)) == folder


def test_no_link_leads_to_another_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "ada").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "bob").write_text("")
    for name in ("ada", "bob"):
        with pytest.raises(InputError, match="is a link or a file"):
            learner_folder(name, str(tmp_path))


def test_a_folder_that_others_write_is_refused(tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    with pytest.raises(InputError, match="others can write"):
        learner_folder("ada", str(open_to_all))
    open_to_all.chmod(0o1777)  # like /tmp: what is there stays its owner's
    folder = learner_folder("ada", str(open_to_all))
    folder.chmod(0o777)
    with pytest.raises(InputError, match="others can write"):
        learner_folder("ada", str(open_to_all))


# -- what one may ask for ----------------------------------------------------------------------------------


@pytest.fixture
def restricted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "most_bytes", Kiosk().bytes)
    monkeypatch.setattr(cost, "most_seconds", Kiosk().seconds)


@pytest.mark.usefixtures("restricted")
@pytest.mark.parametrize(
    "settings",
    [{"hidden_size": 2048}, {"num_layers": 8, "hidden_size": 512}, {"seq_len": 10_000, "points": 20_000},
     {"points": 1_000_000}, {"epochs": 1_000_000}, {"task": "adding", "samples": 1_000_000},
     {"task": "recall", "cell": "lstm", "hidden_size": 256, "epochs": 100}],
)  # fmt: skip
def test_one_learner_cannot_ask_for_the_whole_machine(settings: dict[str, object]) -> None:
    player = Player(refused=REFUSED)
    with pytest.raises(InputError, match="allowed here"):
        player.do(Change(tuple(settings.items())))


@pytest.mark.usefixtures("restricted")
def test_the_course_fits_into_a_kiosk() -> None:
    for file in find().files:
        lesson, _ = read_lesson(file)
        assert lesson is not None
        setup = Setup(lesson.experiment)
        for step in lesson.steps:
            setup = setup.after(step.do).after(step.reveal)
            cost.fit(resolved(setup.experiment))


@pytest.mark.usefixtures("restricted")
def test_the_usual_networks_fit_into_a_kiosk() -> None:
    for cell in ("rnn", "lstm", "gru"):
        cost.fit(resolved(Experiment(task="recall", cell=cell, hidden_size=128)))


@pytest.mark.parametrize("name", ["source", "data"])
def test_no_knob_names_a_file(name: str) -> None:
    player = Player(Experiment(task="characters"), refused=REFUSED)
    before = player.frame
    with pytest.raises(InputError, match="a kiosk reads no file"):
        player.do(Change((("hidden_size", 4), (name, "/etc/passwd"))))
    assert player.frame.scene is before.scene


def test_no_weights_are_saved(tmp_path: Path) -> None:
    player = Player(refused=REFUSED)
    frame = player.do(SaveModel(str(tmp_path / "x.npz"), False))
    assert "kiosk" in frame.hint
    assert not list(tmp_path.iterdir())


# -- the wall ----------------------------------------------------------------------------------------------

BEHIND_THE_WALL = """
import os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, webbrowser
from rnnviz.cli import kiosk
teachers, other = map(pathlib.Path, sys.argv[1:])
kiosk.enter("", {"kiosk": True, "learner": "ada", "progress": str(teachers), "idle": None})
mine = teachers / "ada"
attempts = {
    "write": lambda: open(other / "x", "w"),
    "append": lambda: open(other / "old", "a"),
    "read and write": lambda: open(other / "old", "r+"),
    "bytes": lambda: (other / "x").write_bytes(b"x"),
    "descriptor": lambda: os.open(other / "x", os.O_CREAT | os.O_WRONLY),
    "beside the learner": lambda: open(teachers / "adam", "w"),
    "another learner": lambda: open(teachers / "bob" / "progress.json", "w"),
    "above": lambda: open(mine / ".." / "x", "w"),
    "folder": lambda: os.mkdir(other / "x"),
    "rename": lambda: os.rename(other / "old", other / "new"),
    "out": lambda: os.replace(mine / "kept", other / "kept"),
    "link": lambda: os.link(mine / "kept", other / "kept"),
    "symbolic link": lambda: os.symlink(other, mine / "there"),
    "remove": lambda: os.remove(other / "old"),
    "tree": lambda: shutil.rmtree(other),
    "mode": lambda: os.chmod(other / "old", 0o777),
    "truncate": lambda: os.truncate(other / "old", 0),
    "temporary": lambda: tempfile.NamedTemporaryFile(dir=other),
    "shell": lambda: os.system("true"),
    "program": lambda: subprocess.run(["true"]),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "fork": lambda: os.fork(),
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "pty": lambda: __import__("pty").spawn("true"),
    "browser": lambda: webbrowser.GenericBrowser("true").open("http://localhost"),
    "connect": lambda: socket.socket().connect(("127.0.0.1", 9)),
    "listen": lambda: socket.socket().bind(("127.0.0.1", 0)),
    "unix": lambda: socket.socket(socket.AF_UNIX).connect("/dev/log"),
}
(mine / "kept").write_text("progress")
for name, attempt in attempts.items():
    try:
        attempt()
    except PermissionError as error:
        if "a kiosk" in str(error):
            continue
        print(name, error)
    except Exception as error:
        print(name, repr(error))
    else:
        print(name, "went through")
print(sorted(name for name in os.environ if name.isupper() and not name.startswith("LC_")))
os.kill(os.getpid(), signal.SIGTSTP)  # not heard
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")
def test_behind_the_wall(tmp_path: Path) -> None:
    teachers, other = tmp_path / "class", tmp_path / "other"
    (teachers / "bob").mkdir(parents=True)
    other.mkdir()
    (other / "old").write_text("as it was")
    done = subprocess.run(
        [sys.executable, "-c", BEHIND_THE_WALL, str(teachers), str(other)],
        capture_output=True, text=True, timeout=60, env={"PYTHONPATH": str(ROOT), "TERM": "xterm", "EVIL": "1"},
    )  # fmt: skip
    assert done.stderr == ""
    *through, environment = done.stdout.splitlines()
    assert through == []
    assert "EVIL" not in environment
    assert "PYTHONPATH" not in environment
    assert [path.name for path in other.iterdir()] == ["old"]
    assert (other / "old").read_text() == "as it was"
    assert (teachers / "ada" / "kept").read_text() == "progress"
    assert done.returncode == 0
