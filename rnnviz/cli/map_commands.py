"""The command that runs one experiment at every point of a grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rnnviz.cli.command import Argument, Command, as_json, number
from rnnviz.cli.picture_commands import SIZE
from rnnviz.cli.session_flags import MOUSE, OF_LOOKS
from rnnviz.errors import InputError, short_repr

MOST_WORKERS, MOST_SHARDS = 1000, 100_000


def _axis(name: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        from rnnviz.maps.axis import Axis

        try:
            return Axis.parse(text)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None

    return read


def _count(name: str, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not 1 <= number(text) <= most:
            raise InputError(f"{name}: {short_repr(text)} is not a whole number from 1 to {most:,}")
        return number(text)

    return read


def _shard(text: str) -> tuple[int, int]:
    i, slash, n = text.partition("/")
    if not slash or not 1 <= number(i) <= number(n) <= MOST_SHARDS:
        raise InputError(f"shard: {short_repr(text)} is not a part such as 1/8, the first of eight")
    return number(i), number(n)


def _value(text: str) -> str:
    if text not in SHOWN:
        raise InputError(f"value: {short_repr(text)} is unknown; choose from {', '.join(SHOWN)}")
    return SHOWN[text]


#: What a picture can show, and the field of a tile (maps/chart.py) that holds it.
SHOWN = {"learnt": "share", "loss": "loss", "horizon": "horizon_before", "horizon-after": "horizon_after"}
MERGE, SHOW = "merge", "show"
MAP = Command(
    "map",
    "train at every point of a grid: where can it be learnt?",
    "rnnviz map --x SETTING=VALUES [--y SETTING=VALUES] [--cell A,B] [--seeds N] [-o DIR] [flags]\n"
    "       rnnviz map show DIR [--json|--csv|--plain] [--svg FILE]\n       rnnviz map merge OUT IN…",
    "Train an experiment at every point of a grid of one or two settings, each until it has learnt, has\n"
    "diverged, or its epochs are over. VALUES are LOW:HIGH:COUNT (evenly spaced), log:LOW:HIGH:COUNT, or A,B,C.\n"
    "On a terminal the map fills in as a picture, and enter opens the run of a point; elsewhere it is printed.\n"
    "Points go into DIR as they are done: stopped, killed or asked for with more values, cells or seeds, a map\n"
    "continues, and computes nothing twice. show opens or prints what is in DIR; merge puts the parts of several\n"
    "machines (--shard) together. docs/map.md describes the files and each number.",
    "rnnviz.cli.map:run",
    (
        Argument("--x", "first axis: gain=0.25:2:24, lag=log:5:100:20 or gain=0.5,1,2", metavar="AXIS",
                 read=_axis("x")),
        Argument("--y", "second axis, written the same way", metavar="AXIS", read=_axis("y")),
        Argument("--seeds", "repeats of each point, from --seed on (default 1)", metavar="N", default=1,
                 read=_count("seeds", 10_000)),
        Argument("-o", "folder of the points, to go on from (default: none is kept)", metavar="DIR"),
        Argument("--workers", "how many processes (default: one for each processor)", metavar="N",
                 read=_count("workers", MOST_WORKERS)),
        Argument("--on", "compute on a Dask cluster: the address of its scheduler, such as tcp://host:8786",
                 metavar="ADDRESS"),
        Argument("--shard", "only the i-th of n parts, for one of n machines; merge puts them together",
                 metavar="i/n", read=_shard),
        as_json(
            "x, y (setting, values), cells, seeds, counts, errors, share (by cell, y, x: of the seeds that learnt), "
            "points (cell, seed, the axes, status, epoch, loss, right, horizon_before, horizon_after, factor_before, "
            "factor_after, seconds, error). An unknown number is null, and a horizon beyond the sequence \"inf\""
        ),
        Argument("--csv", "print one line for each point instead, as CSV", default=False,
                 more={"action": "store_true"}),
        Argument("--plain", "print the map in words and lines of numbers, for a screen reader", default=False,
                 more={"action": "store_true"}),
        Argument("--svg", "write a picture of the map into this file: .svg, .txt or .ansi", metavar="FILE"),
        Argument("--value", f"what the picture shows: {', '.join(SHOWN)} (default learnt: the share of the seeds)",
                 metavar="NAME", read=_value, default="share"),
        replace(SIZE, help="columns and rows of the picture (default: what the map takes)", default=None),
        *OF_LOOKS,
        MOUSE,
        Argument("--force", "overwrite the file of --svg", default=False, more={"action": "store_true"}),
        Argument("folders", "of show: the folder; of merge: the new one, and those that are put together",
                 metavar="DIR", more={"nargs": "*"}),
    ),
    (
        "rnnviz map --task recall --x gain=0.25:2:8 --y lag=4:24:6 --cell rnn,lstm --seeds 4 -o map/",
        "rnnviz map --task adding --x lr=log:1e-4:1:9 --cell lstm,gru --json",
        "rnnviz map show map/ --svg map.svg",
        "rnnviz map show map/ --csv > map.csv",
        "rnnviz map merge whole/ part-1/ part-2/",
    ),
    actions=(MERGE, SHOW),
)  # fmt: skip
