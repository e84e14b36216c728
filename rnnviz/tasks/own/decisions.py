"""Decisions: what a person says about their own data. None leaves a question to what the file shows.

Does not import numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

MISSING = ("leave-out", "interpolate", "repeat")


@dataclass(frozen=True)
class Decisions:
    """One field for each flag of the same name; the names of columns are those of the header, or numbers from 1.

    target       the columns whose next value is predicted, separated by commas; None: all columns
    columns      the columns that the network reads; None: every column of numbers that is not a date, label or group
    label        the column of classes
    group        the column whose value is the same in all rows of one sequence
    standardize  whether each column is scaled by the training part's mean and deviation; None: of a table yes
    missing      one of MISSING: what happens with a missing value; None: "leave-out"
    na           the cells that also mean "missing", separated by commas
    rows         the most rows, lines or sequences that are read
    delimiter    one character, or "tab" or "space"
    header       whether the first row holds the names of the columns
    decimal      "." or ","
    dates        the column of dates; "none": no column has dates
    """

    target: str | None = None
    columns: str | None = None
    label: str | None = None
    group: str | None = None
    standardize: bool | None = None
    missing: str | None = None
    na: str | None = None
    rows: int | None = None
    delimiter: str | None = None
    header: bool | None = None
    decimal: str | None = None
    dates: str | None = None


NONE = Decisions()
#: The names of the decisions: settings of an experiment that have an effect only with `data`.
NAMES = tuple(field.name for field in fields(Decisions))
