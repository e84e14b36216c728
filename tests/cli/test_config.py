"""The user's configuration: what it does, and that each mistake is one line with file and line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import platformdirs
import pytest

from rnnviz.cli import config_file, kiosk
from rnnviz.cli.command import Options
from rnnviz.cli.main import main
from rnnviz.cli.session_flags import session
from rnnviz.kiosk import Kiosk
from rnnviz.tui import keymap


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "rnnviz").mkdir()
    yield tmp_path / "rnnviz"
    keymap.use({})


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the place is platformdirs' own")
def test_the_place_is_that_of_platformdirs(monkeypatch, tmp_path):
    for value in (str(tmp_path), "", "relative", None):
        monkeypatch.delenv("XDG_CONFIG_HOME") if value is None else monkeypatch.setenv("XDG_CONFIG_HOME", value)
        if value != "relative":  # which the specification says to ignore; platformdirs does not
            assert config_file.path() == Path(platformdirs.user_config_dir("rnnviz", appauthor=False), "config.toml")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert config_file.path() == Path("~/.config/rnnviz/config.toml").expanduser()


MISTAKES = {
    'colour = "256"': (1, "'colour' is unknown; did you mean color?"),
    "\n\nxyz = 1": (3, "'xyz' is unknown; choose color, theme"),
    'color = "many"': (1, "color: 'many' is none of auto, truecolor, 256, 16, none"),
    "# a comment\ncolor = true": (2, "color: True is none of"),
    'theme = "nrod"': (1, "theme: unknown theme 'nrod'; did you mean nord?"),
    "theme = 3": (1, "theme: unknown theme 3"),
    'ascii = "yes"': (1, "ascii: 'yes' is neither true nor false"),
    "mouse = 1": (1, "mouse: 1 is neither true nor false"),
    "speed = 0": (1, "speed: 0 is not a number from 0.05 to 100"),
    "speed = true": (1, "speed: True is not a number"),
    "speed = nan": (1, "speed: nan is not a number"),
    "start = 1": (1, "start: 1 is neither lessons, score nor the name of a file"),
    'start = """\nmouse = 1\n"""\nmouse = 1': (4, "mouse: 1 is neither"),  # not the line inside the string
    "keys = 1": (1, "keys: 1 is not a table; write [keys]"),
    '[keys]\nright = "l"\nlefft = "x"': (3, "keys.lefft: no action has this name; did you mean left?"),
    '[keys]\nright = "d"': (2, "keys.right: d is the key of network, too; give one of them another key"),
    '[keys]\nbatch = "Z"\n\nepoch = ["e", "Z"]': (4, "keys.epoch: Z is the key of batch, too"),
    '[keys]\nbatch = "hyper+x"': (2, "keys.batch: 'hyper+x' is no key; write"),
    'keys.batch = "7"': (1, "keys.batch: '7' types a number"),
    '\nkeys = { batch = "7" }': (2, "keys.batch: '7' types a number"),
    '["keys"]\n"batch" = "7"': (2, "keys.batch: '7' types a number"),
    '[keys]\nbatch = [\n  "b",\n  "7",\n]': (2, "keys.batch: '7' types a number"),
    "[keys]\nbatch = 1979-05-27": (2, "keys.batch: datetime.date(1979, 5, 27) is not a key"),
    "theme =": (1, "not valid TOML"),
    "mouse = true\nmouse = false": (2, "not valid TOML: Cannot overwrite a value"),
    "a = " + "[" * 5000: (None, "not valid TOML"),
    "speed = " + "1" * 5000: (None, "it has a number with thousands of digits"),
    "speed = 0x" + "f" * 5000: (1, "speed: a number this long is not a number from 0.05 to 100"),
    "color = 0x" + "f" * 5000: (1, "color: a number this long is none of auto"),
    "theme = 0x" + "f" * 5000: (1, "theme: unknown theme a number this long; choose auto"),
    "theme = [0x" + "f" * 5000 + "]": (1, "theme: unknown theme a value with a number this long in it; choose auto"),
    "[keys]\nbatch = 0x" + "f" * 5000: (2, "keys.batch: a number this long is not a key"),
}


@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: repr(text[:40]))
def test_a_mistake_is_one_line_with_its_place(text, folder, capsys):
    line, what = MISTAKES[text]
    file = folder / "config.toml"
    for content in (text, text.replace("\n", "\r\n"), "\ufeff" + text):
        file.write_bytes(content.encode())
        assert main(["config", "--check"]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"rnnviz config: {file}" + (f", line {line}: " if line else ""))
        assert what in error
        assert error.count("\n") == 1


def test_what_is_no_text_file_is_refused_with_its_reason(folder, capsys, tmp_path):
    def fault(file):
        assert main(["config", "--check", str(file)]) == 2
        return capsys.readouterr().err.removeprefix(f"rnnviz config: {file}").strip()

    file = folder / "config.toml"
    file.write_bytes(b'theme = "dark"\n# caf\xe9\n')
    assert fault(file) == ", line 2: not UTF-8; save it as UTF-8"
    file.write_bytes(b"#" * (config_file.LIMIT + 1))
    assert "too long" in fault(file)
    assert "it is a folder" in fault(folder)
    assert "No such file" in fault(folder / "missing.toml")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe")
        assert "it is a pipe" in fault(folder / "pipe")
    file.write_bytes(b"")
    file.chmod(0)
    if not os.access(file, os.R_OK):  # root may read everything
        assert "Permission denied" in fault(file)


def test_check_without_a_file_and_of_a_good_one(folder, capsys):
    assert main(["config", "--check"]) == 0
    assert "the defaults are in use" in capsys.readouterr().out
    (folder / "config.toml").write_text('theme = "nord"\n')
    assert main(["config", "--check"]) == 0
    assert "no mistakes" in capsys.readouterr().out


def test_what_is_printed_is_a_configuration_and_says_the_defaults(folder, capsys):
    assert main(["config"]) == 0
    printed = capsys.readouterr().out
    assert f"# {folder / 'config.toml'}" in printed
    assert tomllib.loads(printed) == {"keys": {}}
    entries = re.sub(r"^# (?=\w+ = )", "", printed, flags=re.MULTILINE)
    (folder / "defaults.toml").write_text(entries)
    config = config_file.read_file(folder / "defaults.toml")
    assert dict(config.keys) == keymap.DEFAULTS
    assert (config.color, config.theme, config.ascii, config.mouse) == ("auto", "auto", None, True)
    assert (config.speed, config.start) == (1.0, "lessons")
    (folder / "config.toml").write_text('theme = "nord"\n[keys]\nledger = ["Z", "F9"]\n')
    config_file._read_at.cache_clear()
    assert main(["config"]) == 0
    assert tomllib.loads(capsys.readouterr().out) == {"theme": "nord", "keys": {"ledger": ["Z", "f9"]}}


def test_a_flag_comes_before_the_configuration_and_that_before_the_environment(folder, monkeypatch):
    (folder / "config.toml").write_text(
        'color = 256\ntheme = "light"\nascii = true\nmouse = false\n[keys]\ncut = "Z"\n'
    )
    config_file._read_at.cache_clear()
    found = session(Options((), {}))
    assert (found.colors, found.theme, found.ascii, found.mouse) == ("256", "light", True, False)
    assert found.keys == {"cut": ("Z",)}
    found = session(Options((), {"color": "none", "theme": "auto", "ascii": False, "mouse": True}))
    assert (found.colors, found.theme, found.ascii, found.mouse) == ("none", None, False, True)
    assert session(Options((), {"color": "auto"})).colors is None
    picture = session(Options((), {}), has_config=False)
    assert (picture.colors, picture.theme, picture.keys) == (None, None, {})


def test_no_file_costs_nothing(folder):
    code = (
        "import sys; from rnnviz.cli.command import Options; from rnnviz.cli.session_flags import session;"
        "session(Options((), {})); print(*{'tomllib', 'platformdirs', 'textual'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_example_of_the_documentation_is_one():
    page = (Path(__file__).parents[2] / "docs" / "terminal.md").read_text(encoding="utf-8")
    for example in re.findall(r"```toml\n(.*?)```", page, re.DOTALL):
        config = config_file._checked(tomllib.loads(example), Path("config.toml"), example)
        assert config.keys == {"right": ("right", "M"), "ledger": ("f9",)}
        assert (config.theme, config.start, config.mouse) == ("light", "score", False)


def test_a_kiosk_does_not_read_it(folder, monkeypatch):
    (folder / "config.toml").write_text('theme = "light"\ncolor = "none"\n[keys]\ncut = "Z"\n')
    config_file._read_at.cache_clear()
    assert session(Options((), {})).theme == "light"
    monkeypatch.setattr(kiosk, "current", Kiosk)
    found = session(Options((), {}))
    assert (found.theme, found.colors, found.keys) == (None, None, {})
