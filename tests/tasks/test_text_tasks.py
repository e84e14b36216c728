"""names and characters: what is read and what is asked, and every file a person may hand over."""

import numpy as np
import pytest

from rnnviz import tasks
from rnnviz.errors import InputError
from rnnviz.tasks.characters import MOST_SYMBOLS, OTHER
from rnnviz.tasks.surnames import SURNAMES


def test_every_name_appears_once_with_its_language():
    task = tasks.build("names")
    found = {("".join(task.tokens(i)), task.labels[task.targets[i, 0]]) for i in range(len(task))}
    assert found == {(name, language) for language, names in SURNAMES.items() for name in names.split()}
    assert len({name for name, _ in found}) == len(task), "a name of two languages could not be learnt"


def test_at_least_six_languages_of_forty_names():
    assert len(SURNAMES) >= 6
    assert min(len(names.split()) for names in SURNAMES.values()) >= 40


def test_longer_names_are_left_out_not_cut():
    task = tasks.build("names", seq_len=5)
    whole = {name for names in SURNAMES.values() for name in names.split()}
    assert {"".join(task.tokens(i)) for i in range(len(task))} == {name for name in whole if len(name) <= 5}


def test_the_target_is_the_next_character(tmp_path):
    text = "abcdefghijklmnopqrstuvwxyz" * 3
    (tmp_path / "text.txt").write_text(text)
    for samples in (None, 2, 9):
        task = tasks.build("characters", seq_len=7, samples=samples, source=str(tmp_path / "text.txt"))
        for i in range(len(task)):
            shown = "".join(task.tokens(i))
            answers = "".join(task.labels[k] for k in task.targets[i])
            assert shown + answers[-1] in text
            assert answers[:-1] == shown[1:]


def test_windows_follow_each_other_and_use_the_whole_text():
    task = tasks.build("characters", seq_len=40)
    assert np.array_equal(task.targets[:-1, -1], task.x[1:, 0].argmax(axis=1))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "does not exist"),
        (b"", "has no text"),
        (b" \n\n ", "has no text"),
        (b"\xff\xfe\x00a", "not UTF-8"),
        (b"abc\x00def" * 50, "binary"),
        (b"ab", "too short"),
        (b"short text", "at most 8 steps"),
    ],
)
def test_a_file_that_cannot_be_learnt_from_is_refused_in_one_line(tmp_path, content, words):
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        tasks.build("characters", source=str(path), seq_len=30)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("path", [".", "no/such/file", "with\0zero", "~nobody-has-this-name/x"])
def test_a_path_that_is_no_file_is_refused(path):
    with pytest.raises(InputError, match="source"):
        tasks.build("characters", source=path)


def test_the_steps_it_proposes_for_a_short_text_work(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("short text")
    assert len(tasks.build("characters", source=str(path), seq_len=8, validation_split=0.0)) == 2


def test_any_script_works_and_rare_characters_share_one_sign(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("".join(chr(0x4E00 + k % 500 * (k % 3)) for k in range(3000)), encoding="utf-8")
    task = tasks.build("characters", source=str(path))
    assert len(task.vocab) == MOST_SYMBOLS
    assert OTHER in task.vocab


def test_a_large_file_keeps_a_sensible_size(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("lorem ipsum dolor sit amet " * 100_000)
    assert tasks.build("characters", source=str(path)).x.nbytes < 400e6
