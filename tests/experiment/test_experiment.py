"""An experiment survives TOML, says what is wrong with it in one line, and never runs half checked."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.spec import CELLS


@given(
    st.builds(
        Experiment,
        cell=st.sampled_from(CELLS),
        hidden_size=st.integers(1, 300),
        seq_len=st.none() | st.integers(1, 500),
        noise=st.floats(0, 10),
        source=st.none() | st.text(st.characters(codec="utf-8"), max_size=30),
        loss_at=st.sampled_from([None, "every", "last"]),
        shuffle=st.booleans(),
        clip_norm=st.none() | st.floats(1e-6, 1e6),
        seed=st.integers(0, 2**32 - 1),
    )
)
def test_toml_and_back(experiment: Experiment) -> None:
    assert Experiment.from_toml(experiment.to_toml()) == experiment.beside(".")


def test_the_defaults_write_nothing() -> None:
    assert Experiment().to_toml() == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hiden_size = 3", "unknown setting 'hiden_size'; did you mean hidden_size?"),
        ("hidden_size = 0", "hidden_size: 0 is out of range; it must be at least 1"),
        ("hidden_size = 2.5", "hidden_size: 2.5 is not a whole number"),
        ("hidden_size = true", "hidden_size: True is not a whole number"),
        ("cell = 'transformer'", "cell: 'transformer' is unknown; choose from rnn, lstm, gru"),
        ("learning_rate = 0", "learning_rate: 0 is out of range; it must be more than 0"),
        ("learning_rate = nan", "learning_rate: nan is not a finite number"),
        ("validation_split = 1.0", "validation_split: 1 is out of range"),
        ("loss_at = 'sometimes'", "loss_at: 'sometimes' is not every, last, or step numbers"),
        ("loss_at = '3,99'\nseq_len = 10", "step numbers 1..10"),
        ("truncate = '5'", "truncate: '5' is not k1,k2"),
        ("seed = -1", "seed: -1 is out of range"),
        ("seed = ", "not valid TOML"),
        (f"seed = 1{400 * '0'}", "seed: a number this long is out of range; it must be at least 0"),
        (f"gain = -1{400 * '0'}", "gain: inf is not a finite number"),
        (f"seed = {5000 * '9'}", "a number with thousands of digits"),
        (f"seed = {3000 * '['}{3000 * ']'}", "nested too deeply"),
        (f"task = '{3000 * 'x'}'", "xxx… is unknown; choose from sine"),
        (f"{3000 * 'x'} = 1", "xxx…; known: activation"),
        ("loss_at = [3, 7.5]", "loss_at: '3,7.5' is not every, last, or step numbers"),
        ("loss_at = []", "loss_at: '' is not"),
        ("truncate = [5]", "truncate: '5' is not k1,k2"),
    ],
)
def test_bad_settings_are_one_clear_line(text: str, words: str) -> None:
    with pytest.raises(InputError) as raised:
        Experiment.from_toml(text, "my.toml")
    message = str(raised.value)
    assert message.startswith("my.toml: ")
    assert words in message
    assert "\n" not in message
    assert len(message) < 500


def test_steps_may_be_a_list() -> None:
    text = Experiment.from_toml("loss_at = [3, 7]\ntruncate = [5, 10]")
    assert text == Experiment(loss_at=(3, 7), truncate=(5, 10)) == Experiment(loss_at="3,7", truncate="5,10")
    assert text.loss_steps() == (3, 7)
    assert text.truncation() == (5, 10)


def test_numpys_numbers_are_numbers() -> None:
    import numpy as np

    experiment = Experiment(hidden_size=np.int64(7), gain=np.float32(0.5), learning_rate=np.int32(1))
    assert experiment.to_toml() == "hidden_size = 7\ngain = 0.5\nlearning_rate = 1.0\n"


def test_bad_files(tmp_path) -> None:
    for name, content in {"garbage": b"\xff\xfe\x00", "folder": None}.items():
        path = tmp_path / name
        path.mkdir() if content is None else path.write_bytes(content)
        with pytest.raises(InputError, match=name):
            Experiment.from_file(path)
    with pytest.raises(InputError, match="cannot be read"):
        Experiment.from_file(tmp_path / "absent.toml")
    with pytest.raises(InputError, match="cannot be read"):
        Experiment.from_file("zero\0byte.toml")


def test_a_file_too_long_for_an_experiment_is_not_read_to_its_end(tmp_path) -> None:
    path = tmp_path / "long.toml"
    path.write_text("# remark\n" * 10_000)
    assert Experiment.from_file(path) == Experiment()
    with path.open("a") as file:
        file.truncate(10**12)  # a hole: takes no room
    with pytest.raises(InputError, match=r"long\.toml: is too long for an experiment; it has at most 100,000 bytes"):
        Experiment.from_file(path)


def test_the_mark_some_editors_put_first_and_their_line_ends_are_no_mistake(tmp_path) -> None:
    path = tmp_path / "windows.toml"
    path.write_bytes(b"\xef\xbb\xbfseed = 3\r\nhidden_size = 4\r\n")
    assert Experiment.from_file(path) == Experiment(seed=3, hidden_size=4)


def test_each_setting_says_what_it_is() -> None:
    for f in dataclasses.fields(Experiment):
        assert f.metadata["setting"].help, f.name


def test_reading_an_experiment_imports_nothing_heavy() -> None:
    code = (
        "from rnnviz.experiment.experiment import Experiment; Experiment.from_toml('seed = 3'); import sys;"
        "print([m for m in ('numpy', 'numba', 'textual') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


# -- paths in a file -------------------------------------------------------------------------------------


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A folder with a text and experiments that name it, and another one, with another text, to be in."""
    folder, here = tmp_path / "there" / "sub", tmp_path / "here"
    folder.mkdir(parents=True)
    here.mkdir()
    (folder / "words.txt").write_text("a small text that lies beside the experiment and is long enough")
    (folder.parent / "up.txt").write_text("another small text that lies above the experiment and is long enough")
    (here / "words.txt").write_text("quite other words, in the folder one happens to be in, and longer than enough")
    for name, source in (("e", "words.txt"), ("up", "../up.txt"), ("full", str(folder / "words.txt"))):
        text = f'task = "characters"\nsource = "{source}"\nseq_len = 10\nhidden_size = 2\nepochs = 1\n'
        (folder / f"{name}.toml").write_text(text)
    monkeypatch.chdir(here)
    return folder


def text_of(experiment: Experiment) -> str:
    from rnnviz.tasks.characters import read

    return read(str(experiment.source))[0]


@pytest.mark.parametrize(("name", "words"), [("e", "beside"), ("up", "above"), ("full", "beside")])
def test_a_path_in_a_file_is_relative_to_the_file(there, monkeypatch, name, words) -> None:
    for path in (there / f"{name}.toml", f"../there/sub/{name}.toml"):
        assert words in text_of(Experiment.from_file(path))
    from_outside = Experiment.from_file(f"../there/sub/{name}.toml")
    monkeypatch.chdir(there)
    assert Experiment.from_file(f"{name}.toml") == from_outside


def test_what_is_written_back_finds_its_text_from_any_folder(there, tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text(Experiment.from_file(there / "up.toml").to_toml())
    assert "above" in text_of(Experiment.from_file(elsewhere))
    elsewhere.write_text(Experiment(task="characters", source="words.txt").to_toml())
    assert "quite other words" in text_of(Experiment.from_file(elsewhere))


def test_a_home_stays_the_readers_own(there) -> None:
    experiment = Experiment(source="~/words.txt")
    assert experiment.beside(there) == experiment
    assert 'source = "~/words.txt"' in experiment.to_toml()


def test_a_flag_is_relative_to_the_folder_one_is_in(there) -> None:
    from rnnviz.cli.commands import COMMANDS
    from rnnviz.cli.flags import read

    file = str(there / "e.toml")
    assert "beside" in text_of(read([file], COMMANDS["train"]).experiments[0])
    assert "beside" in text_of(read(["--experiment", file]).experiments[0])
    assert "quite other" in text_of(read([file, "--source", "words.txt"], COMMANDS["train"]).experiments[0])


def test_a_lesson_names_a_text_beside_itself(there) -> None:
    from rnnviz.lessons.reading import read

    (there / "below").mkdir()
    (there / "below" / "words.txt").write_text("words that are below the lesson, and more of them " * 3)

    (there / "01-own.md").write_text(
        '+++\ntitle = "Own"\nslug = "own"\nsummary = "A text."\nsources = ["none"]\n[experiment]\n'
        'task = "characters"\nsource = "words.txt"\nseq_len = 10\n+++\n\n## One\n\nRead it.\n\n'
        '```toml\n[do]\nsettings = { source = "below/words.txt" }\n```\n\nAnd so on.\n'
    )
    lesson, problems = read(there / "01-own.md")
    assert lesson is not None, problems
    assert "beside" in text_of(lesson.experiment)
    ((name, settings),) = lesson.steps[0].do
    assert name == "settings"
    assert "below" in text_of(Experiment(**settings))
