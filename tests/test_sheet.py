"""The grid: what is free, and what has been written on, if only a blank."""

from rich.style import Style

from rnnviz.sheet import Sheet


def test_free_is_what_nothing_was_written_on():
    sheet = Sheet(6, 2)
    sheet.put(0, 2, " ")
    assert sheet.is_free(0, 0, 2)
    assert not sheet.is_free(0, 2)
    assert not sheet.is_free(0, 0, 6)
    assert sheet.is_free(1, 0, 6)
    assert sheet.is_free(0, 4, 20), "nothing is written outside"
    assert sheet.is_free(7, 0)
    assert sheet.is_free(0, -3, 3)


def test_a_row_in_runs_of_one_style():
    bold = Style(bold=True)
    sheet = Sheet(6, 1)
    sheet.put(0, 1, "ab", bold)
    sheet.put(0, 3, "雪", bold)
    assert sheet.runs(0) == [(" ", None), ("ab雪", bold), (" ", None)]
