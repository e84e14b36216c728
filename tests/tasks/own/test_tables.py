"""Tables from anywhere: what is found out, what is said about it, and what is refused, in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.tasks.own import Decisions, read
from rnnviz.tasks.own import table as tables
from rnnviz.tasks.own.content import SequencesContent, SeriesContent
from rnnviz.tasks.own.layout import Layout
from rnnviz.tasks.own.lines import LONGEST


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "a.csv"
    path.write_bytes(text.encode(encoding))
    return path


def table(folder: Path, text: str, encoding: str = "utf-8", **decisions: Any) -> tables.Table:
    return tables.read(write(folder, text, encoding), Decisions(**decisions))


AIR = "Month,Passengers\n1949-01,112\n1949-02,118\n1949-03,132\n"
DATED = ("date", "number")
LAYOUTS = {
    "plain": (AIR, "utf-8", ",", True, DATED, [112, 118, 132]),
    "BOM, CRLF": (AIR.replace("\n", "\r\n"), "utf-8-sig", ",", True, DATED, [112, 118, 132]),
    "UTF-16, tabs": (AIR.replace(",", "\t"), "utf-16", "\t", True, DATED, [112, 118, 132]),
    "quotes": ('"a","b, c"\n"1949-01","1,112"\n"1949-02","2.5"\n', "utf-8", ",", True, DATED, [1112, 2.5]),
    "decimal comma": ("Tag;Wert\n01.02.2020;1.234,5\n02.02.2020;-0,5\n", "utf-8", ";", True, DATED, [1234.5, -0.5]),
    "one column": ("112\n118\n132\n", "utf-8", "", False, ("number",), [112, 118, 132]),
    "one column, decimal comma": ("1,5\n2,25\n", "utf-8", ",", False, ("number", "number"), [1, 2]),
    "spaces": ("9.042  6.7 \n9.123 4.3\n9.204 6\n", "utf-8", " ", False, ("counter", "number"), [6.7, 4.3, 6]),
    "Excel's first line": ("sep=;\na;b\n1;x\n2;y\n", "utf-8", ";", True, ("number", "text"), [1, 2]),
    "comment": ("# made by hand\na\tb\n1\tx\n2\ty\n", "utf-8", "\t", True, ("number", "text"), [1, 2]),
    "calendar": ("year,v\n1990,4\n1991,5\n1993,4\n", "utf-8", ",", True, ("counter", *DATED[1:]), [4, 5, 4]),
    "words for dates": ("when,v\nJan 1999,3\nFeb 1999,4\n", "utf-8", ",", True, DATED, [3, 4]),
    "Windows-1252": ("Ort;v\nZürich;3\nBern;4\n", "cp1252", ";", True, ("text", "number"), [3, 4]),
}  # fmt: skip


@pytest.mark.parametrize("case", LAYOUTS)
def test_a_layout_is_found_out(case: str, tmp_path: Path) -> None:
    text, encoding, delimiter, has_header, kinds, values = LAYOUTS[case]
    found = table(tmp_path, text, encoding)
    assert (found.layout.delimiter, found.layout.has_header, found.layout.kinds) == (delimiter, has_header, kinds)
    assert found.values[:, 0].tolist() == values


def test_every_finding_can_be_overridden(tmp_path: Path) -> None:
    assert table(tmp_path, "1,5\n2,25\n", delimiter=";", decimal=",").values.tolist() == [[1.5], [2.25]]
    assert table(tmp_path, "a;b\n1,234;2\n").values[0].tolist() == [1.234, 2]
    assert "--decimal ." in table(tmp_path, "a;b\n1,234;2\n").layout.doubts[0]
    assert table(tmp_path, "a;b\n1,234;2\n", decimal=".").values[0].tolist() == [1234, 2]
    assert table(tmp_path, AIR, header=False, columns="2", na="Passengers").values[:2, 0].tolist()[1:] == [112]
    assert table(tmp_path, "t,v\n1,3\n2,4\n3,9\n").names == ("v",)
    assert table(tmp_path, "t,v\n1,3\n2,4\n3,9\n", columns="1,v").names == ("t", "v")
    assert table(tmp_path, "t,v\n1,3\n2,4\n3,9\n", dates="none").names == ("t", "v")
    assert np.isnan(table(tmp_path, "v\n3\n-1\n4\n", na="-1").values[1, 0])
    assert len(table(tmp_path, "v\n3\n-1\n4\n", rows=2).values) == 2
    with pytest.raises(InputError, match=r"^columns: no column is named 'w'; the columns: t, v"):
        table(tmp_path, "t,v\n1,3\n2,4\n", columns="w")
    with pytest.raises(InputError, match=r"^columns: the column 'a' holds text"):
        table(tmp_path, "a,v\nx,3\ny,4\n", columns="a,v")
    with pytest.raises(InputError, match=r"^delimiter: 'xy' is not one character"):
        table(tmp_path, AIR, delimiter="xy")


def test_missing_and_infinite_cells_are_counted(tmp_path: Path) -> None:
    found = table(tmp_path, "a,b\n1,\n2,NA\nnull,inf\n?,-1e999\n5,6\n7," + "9" * 10_000 + "\n")
    assert found.missing == (2, 5)
    assert found.infinite == 3
    assert np.isnan(found.values).sum() == 7


def test_the_newest_row_may_come_first(tmp_path: Path) -> None:
    found = table(tmp_path, "date,close\n03/01/2020,1\n02/28/2020,2\n02/27/2020,3\n")
    assert found.values[:, 0].tolist() == [3, 2, 1]
    assert (found.first, found.last) == ("02/27/2020", "03/01/2020")
    assert "newest row comes first" in found.order
    assert "not in order" in table(tmp_path, "d,v\n2020-01,1\n2020-03,2\n2020-02,3\n").order


def test_a_footer_is_left_out_and_said(tmp_path: Path) -> None:
    path = write(tmp_path, AIR + "\nSource: somebody\n")
    assert "1 line after the last row is left out." in read(str(path)).notes


WRONG = {
    "ragged": ("a,b\n1,2\n3\n4,5\n", "line 3 has 1 cell, the other rows have 2"),
    "too long a row": ("a,b\n1,2\n3,4,5\n6,7\n", "line 3 has 3 cells"),
    "a word": ("a,b\n" + "1,2\n" * 9 + "3,x\n", "line 11, column 'b': 'x' is not a number"),
    "an open quotation mark": ('a,b\n1,2\n3,"4\n' + "5,6\n" * 9, "close the quotation mark"),
    "a zero byte": ("a,b\n1,2\n" * 5 + "\0,2\n", "zero byte|binary"),
    "only a header": ("a,b\n", "no column holds numbers|no rows"),
    "nothing": ("", "is empty"),
    "blank": ("\n\n\n", "is empty"),
    "only text": ("a,b\nx,y\nz,w\n", "no column holds numbers: a .text., b .text."),
    "a long line": ("a,b\n" + "1" * (LONGEST + 1), f"has more than {LONGEST:,} characters"),
    "many columns": (",".join("1" * 3000) + "\n", "3,000 columns"),
    "many inputs": ("\n".join(",".join(str(k * k % 7 + r) for k in range(600)) for r in (0, 5, 1)), "at most 512"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_table_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    text, reason = WRONG[case]
    with pytest.raises(InputError, match=reason) as found:
        read(str(write(tmp_path, text)))
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 600


def test_latin_text_after_the_first_bytes_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"x,1\n" * 30_000 + "ü,2\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"line [\d,]+ is not UTF-8 text; save the file as UTF-8"):
        read(str(path), Decisions(rows=50_000))


def test_only_the_first_rows_are_read_and_that_is_said(tmp_path: Path) -> None:
    found = read(str(write(tmp_path, "v,w\n" + "1,2\n5,1\n" * tables.ROWS)))
    assert isinstance(found.content, SeriesContent)
    assert len(found.content.values) == tables.ROWS
    assert any(line.startswith("Only the first 10,000 rows are read (") for line in found.notes)


def test_groups_are_sequences(tmp_path: Path) -> None:
    rows = "".join(f"{'xyz'[k % 3]},{k // 3},{k},{'ab'[k % 3 > 1]}\n" for k in range(12))
    path = write(tmp_path, "id,t,v,class\n" + rows)
    series = read(str(path), Decisions(group="id")).content
    assert isinstance(series, SeriesContent)
    assert (series.starts, series.names) == ((0, 4, 8), ("v",))
    assert series.values[:, 0].tolist() == [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]
    labelled = read(str(path), Decisions(group="id", label="class")).content
    assert isinstance(labelled, SequencesContent)
    assert labelled.x is not None
    assert (labelled.x.shape, labelled.y.tolist(), labelled.classes) == ((3, 4, 1), [0, 0, 1], ("a", "b"))
    with pytest.raises(InputError, match=r"^label: the group '0' has the labels 'a' and 'b'"):
        read(str(path), Decisions(group="t", label="class"))


def test_each_row_is_a_sequence_with_a_label_alone(tmp_path: Path) -> None:
    found = read(
        str(write(tmp_path, "".join(f"{k % 2 + 1}\t{k}\t{k * k}\t3\n" for k in range(6)))), Decisions(label="1")
    )
    assert isinstance(found.content, SequencesContent)
    assert found.content.x is not None
    assert found.content.x.shape == (6, 3, 1)
    assert found.content.classes == ("1", "2")
    assert "Each row is a sequence of 3 values" in " ".join(found.lines())


def test_the_lines_say_every_role(tmp_path: Path) -> None:
    lines = read(
        str(write(tmp_path, "d,a,b,c\n2020-01,1,5,x\n2020-02,,4,y\n2020-03,3,6,z\n")), Decisions(target="b")
    ).lines()
    assert lines[1] == "delimiter , · the first row holds the names · decimal point."
    assert lines[3:] == (
        "column d: dates; dates.",
        "column a: numbers from 1 to 3, mean 2, 1 missing; read.",
        "column b: numbers from 4 to 6, mean 5; read and predicted.",
        "column c: text; left out.",
    )


def test_many_columns_have_no_line_each(tmp_path: Path) -> None:
    rows = "".join(",".join(str((k * c) % 7) for c in range(20)) + ",x\n" for k in range(1, 9))
    assert read(str(write(tmp_path, rows))).lines()[-1] == "and 9 columns more: 8 read and predicted, 1 left out."


def test_the_same_file_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path, AIR)
    first = read(str(path))
    assert read(str(path)) is first
    assert read(str(path), Decisions(rows=2)) is not first
    path.write_text(AIR + "1949-04,129\n")
    assert len(read(str(path)).content.values) == 4  # type: ignore[union-attr]


def test_a_layout_can_be_told_from_its_lines() -> None:
    from rnnviz.tasks.own.layout import layout

    assert layout(["month;price", "2020-01;1,5", "2020-02;2,5"], Decisions()) == Layout(
        ";", True, ("month", "price"), ("date", "number"), ",", 0
    )
