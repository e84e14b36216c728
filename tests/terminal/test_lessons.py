"""The course in a real terminal: the first start, the next one, a home that cannot be written, a performance."""

import pytest

from tests.terminal.app import RNNVIZ, ready
from tests.terminal.driver import Terminal


def course(home, *arguments, **settings):
    return Terminal([*RNNVIZ, *arguments], env={"XDG_DATA_HOME": str(home)}, **settings)


def says(t, words):
    return any(words in row for row in t.screen())


def test_a_start_without_flags_lands_in_lesson_1_and_the_next_goes_on(tmp_path):
    with course(tmp_path) as t:
        t.wait_for(lambda screen: ready(screen) and any(" 1/" in row for row in screen))
        assert " 1 " in t.screen()[0]
        t.press("right", "n")
        t.wait_for(lambda screen: any(" 2/" in row for row in screen))
        t.press("q")
        assert t.exit_code() == 0
    with course(tmp_path) as t:
        t.wait_for(lambda screen: ready(screen) and any(" 2/" in row for row in screen))


@pytest.mark.slow
def test_flags_and_free_open_the_plain_score(tmp_path):
    for flags in (["--free"], ["--steps", "12"]):
        with course(tmp_path, *flags) as t:
            t.wait_for(ready)
            assert "rnnviz" in t.screen()[0]
            assert not says(t, " 1/")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_home_that_cannot_be_written_says_so_and_runs_the_course(tmp_path):
    (tmp_path / "rnnviz").write_text("a file where a folder should be")
    with course(tmp_path) as t:
        t.wait_for(lambda screen: any("Progress cannot be saved" in row for row in screen))
        t.press("n")
        assert says(t, " 2/")


@pytest.mark.slow
def test_a_performance_moves_by_itself(tmp_path):
    with course(tmp_path, "play", "1", "--speed", "20") as t:
        t.wait_for(ready)
        t.wait_for(lambda screen: any(" 2/" in row for row in screen), timeout=60)
        t.press("right")
        t.wait_for("Paused")
