"""Make the pictures of this folder from the app itself: `python screenshots/make.py`.

Each is what the app shows after some keys; the films are what `rnnviz record` makes. `--check` compares with what is
here.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from rnnviz.cli.commands import COMMANDS
from rnnviz.cli.flags import read
from rnnviz.cli.pictures import film_of
from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.course import Start, find
from rnnviz.maps.store import Store
from rnnviz.player.kinds.opening import NetworkOpening, Opening
from rnnviz.tui.films.animated_svg import animated_svg
from rnnviz.tui.films.headless import IN_PICTURES, studio
from rnnviz.tui.maps.session import MapSession
from rnnviz.tui.pictures.svg import svg

HERE = Path(__file__).parent
TURN = ["end", "right"]


@dataclass(frozen=True)
class Shot:
    """keys: pressed one after the other, each waited for. size: columns, rows. start: a step of a lesson.
    map: the folder of one."""

    keys: list[str]
    size: tuple[int, int] = (80, 24)
    experiment: Experiment | Opening | NetworkOpening = field(default_factory=Experiment)
    theme: str = "dark"
    colors: str = "truecolor"
    ascii: bool = False
    start: Start | None = None
    map: Path | None = None


FADING = Experiment(seq_len=40, gain=0.7)
RECALL = Experiment(task="recall", lag=20)
TO_GAIN = ["o", "slash", "g", "a", "i", "n", "enter"]
LSTM = Experiment(task="recall", lag=12, cell="lstm", num_layers=2)
NAMES = Experiment(task="names", cell="lstm")
FLIPFLOP = Experiment(task="flipflop", hidden_size=8, samples=200)
#: Made by `rnnviz map --task recall --hidden 16 --samples 240 --batch 16 --lr 0.1 --clip-norm 1 --cell rnn,lstm
#: --x gain=0.3,0.4,0.5,0.7,0.85,1 --y lag=4,6,9,13,19,28 --seeds 2 -o screenshots/recall-map`.
MAP = HERE / "recall-map"
ATTENDS = Experiment(task="recall", lag=20, readout="attention")
COURSE = find()
RECORDINGS = COURSE.folder / "recordings"
FORGETS = Opening(str(RECORDINGS / "forgets"))
WEIGHTS = NetworkOpening(str(RECORDINGS / "remembers.safetensors"))

#: The step of each lesson that its picture shows: the one in the middle.
LESSON_STEPS = {
    COURSE.slug(file): max(1, file.read_text(encoding="utf-8").count("\n## ") // 2) for file in COURSE.files
}

SHOTS: dict[str, Shot] = {
    "score-forward": Shot(["right"] * 6),
    "score-loss": Shot(TURN),
    "score-backward": Shot([*TURN, *["left"] * 24], experiment=FADING),
    "panel-fit": Shot(["a", "tab"]),
    "panel-self-fed": Shot(["a", "tab", "tab"]),
    "panel-loss": Shot(["a", *["E"] * 8, "tab", "tab", "tab"]),
    "trained-wide": Shot(["a", *TURN, *["left"] * 7], size=(160, 50)),
    "diverged": Shot(["a", *TURN], experiment=Experiment(learning_rate=100.0)),
    "help": Shot(["question_mark"]),
    "score-light": Shot([*TURN, *["left"] * 6], theme="light"),
    "knobs": Shot([*TURN, *["left"] * 8, *TO_GAIN, *["left"] * 3], experiment=RECALL),
    "knobs-wide": Shot([*TURN, *["left"] * 8, *TO_GAIN, *["left"] * 3], size=(160, 50), experiment=RECALL),
    "reach": Shot([*TURN, *["left"] * 15, *TO_GAIN, *["left"] * 3, "o"], experiment=RECALL),
    "reach-wide": Shot([*TURN, *["left"] * 15, *TO_GAIN, *["left"] * 3, "o"], size=(160, 50), experiment=RECALL),
    "perturbed": Shot([*TURN, *["left"] * 15, "X"], experiment=RECALL),
    "network": Shot([*["right"] * 5, "d"]),
    "network-back": Shot([*TURN, *["left"] * 4, "d"]),
    "network-folded": Shot([*["right"] * 5, "d", "enter"]),
    "network-wide": Shot([*TURN, *["left"] * 4, "d"], size=(160, 50), experiment=LSTM),
    "cut": Shot([*["right"] * 5, "d", "x"]),
    "summary": Shot(["i"]),
    "neuron": Shot([*["right"] * 6, "f", *["down"] * 3]),
    "neuron-back": Shot([*TURN, *["left"] * 6, "f", *["down"] * 3]),
    "neuron-lstm": Shot([*["right"] * 6, "f", *["down"] * 3], experiment=LSTM),
    "neuron-wide": Shot([*TURN, *["left"] * 6, "f", *["down"] * 3], size=(160, 50), experiment=LSTM),
    "ledger": Shot([*TURN, *["left"] * 16, "y"], experiment=FADING),
    "ledger-wide": Shot([*TURN, *["left"] * 16, "y"], size=(160, 50), experiment=FADING),
    "ledger-lstm": Shot([*TURN, *["left"] * 5, "y"], experiment=LSTM),
    "triangle": Shot([*TURN, *["left"] * 16, "v", *["up"] * 3], experiment=FADING),
    "triangle-wide": Shot([*TURN, *["left"] * 16, "v", *["up"] * 8], size=(160, 50), experiment=FADING),
    "gradient-check": Shot([*TURN, *["left"] * 4, "p"]),
    "gradient-check-wide": Shot([*TURN, *["left"] * 4, "p"], size=(160, 50), experiment=LSTM),
    "code": Shot([*TURN, *["left"] * 4, "s"]),
    "code-pytorch": Shot(["s", "enter", *["down"] * 19]),
    "code-wide": Shot(["s", "enter"], size=(160, 50)),
    "lstm-forward": Shot(["right"] * 7, experiment=Experiment(cell="lstm")),
    "lstm-backward": Shot([*TURN, *["left"] * 6], experiment=Experiment(cell="lstm")),
    "lstm-wide": Shot([*TURN, *["left"] * 30], size=(160, 50), experiment=Experiment(cell="lstm", seq_len=40)),
    "gru-backward": Shot([*TURN, *["left"] * 6], experiment=Experiment(cell="gru")),
    "compare": Shot(["c", *TURN, *["left"] * 20], experiment=FADING),
    "compare-wide": Shot(["c", *TURN, *["left"] * 20], size=(160, 50), experiment=FADING),
    "recall": Shot([*TURN, *["left"] * 8], experiment=Experiment(task="recall", cell="lstm")),
    "adding": Shot(["w", "w", *TURN, *["left"] * 5], experiment=Experiment(task="adding", seq_len=24)),
    "adding-wide": Shot(["w", "w", *TURN, *["left"] * 5], size=(160, 50), experiment=Experiment(task="adding")),
    "names": Shot(["e", "e", "w", "end", "tab"], experiment=NAMES),
    "names-wide": Shot(["e", "e", "w", *TURN, *["left"] * 3], size=(160, 50), experiment=NAMES),
    "captions": Shot(["e", "e", "end", "tab"], experiment=Experiment(task="captions", cell="gru")),
    "recording": Shot([*TURN, *["left"] * 22], experiment=FORGETS),
    "diagnosis": Shot([*TURN, *["left"] * 22, "D"], size=(160, 50), experiment=FORGETS),
    "weights": Shot([*TURN, *["left"] * 30], experiment=WEIGHTS),
    "eigenvalues": Shot([*TURN, *["left"] * 16, "V"], experiment=FADING),
    "eigenvalues-wide": Shot([*TURN, *["left"] * 16, "V"], size=(160, 50), experiment=FADING),
    "space": Shot(["a", *["right"] * 12, "O", "slash"], experiment=FLIPFLOP),
    "space-wide": Shot(["a", *["right"] * 12, "O", "slash"], size=(160, 50), experiment=FLIPFLOP),
    "attention": Shot([*TURN, *["left"] * 13], experiment=ATTENDS),
    "attention-wide": Shot([*TURN, *["left"] * 13, "y"], size=(160, 50), experiment=ATTENDS),
    "map": Shot(["right", "right", "up", "up"], map=MAP),
    "map-wide": Shot(["right", "right", "up", "up"], size=(160, 50), map=MAP),
    "characters": Shot(["e", "end", "tab"], experiment=Experiment(task="characters", cell="gru")),
}  # fmt: skip

COLORS = {"truecolor": "truecolor", "256": "256", "16": "standard", "none": "none", "ascii": "256"}
SIZES = ((60, 20), (80, 24), (120, 36), (160, 50), (300, 100))
BACK = [*TURN, *["left"] * 16]
#: Drawn in each strength of colour.
DYNAMICS = [f"{panel}{size}" for panel in ("eigenvalues", "space", "attention", "map") for size in ("", "-wide")]

#: Each lesson, each strength of colour dark and light, and the score in windows from the smallest to the largest.
SHOTS_EVERYWHERE: dict[str, Shot] = {
    **{
        f"lesson-{slug}{suffix}": Shot([], size, start=Start(None, slug, step=step))
        for slug, step in LESSON_STEPS.items()
        for suffix, size in (("", (80, 24)), ("-wide", (160, 50)))
    },
    **{
        f"colors-{name}-{theme}": Shot(
            [*BACK, "y"], (80, 24), FADING, theme, colors, name == "ascii"
        )
        for name, colors in COLORS.items() for theme in ("dark", "light")
    },
    **{
        f"{panel}-{name}": replace(SHOTS[panel], colors=colors, ascii=name == "ascii")
        for panel in DYNAMICS for name, colors in COLORS.items() if name != "truecolor"
    },
    **{f"size-{columns}x{rows}": Shot([*BACK, "y"], (columns, rows), FADING) for columns, rows in SIZES},
}  # fmt: skip
ALL = {**SHOTS, **SHOTS_EVERYWHERE}


#: The flags of `rnnviz record`.
FILMS: dict[str, list[str]] = {
    "opening": [
        "--steps", "30", "--loss-at", "last", "--gain", "0.7", "--title", "Why does a gradient vanish?",
        "--about", "An RNN reads 30 steps. The gradient of its loss goes back in time, and little of it arrives. "
        "Then the recurrent weights are made larger.",
        "--keys", "right*30@0.07 right left*31@0.1 1.5s o /gain@0.1 enter right*3@0.8 o",
    ],
}  # fmt: skip


async def picture(shot: Shot) -> str:
    """The screen as SVG."""
    async with studio(
        shot.experiment, start=shot.start, size=shot.size,
        map=shot.map and MapSession(Store.read(shot.map), name="map"),
        session=replace(IN_PICTURES, colors=shot.colors, theme=shot.theme, ascii=shot.ascii),
    ) as made:  # fmt: skip
        await made.press(*shot.keys)
        return svg(made.picture(), "rnnviz")


def content(name: str) -> str:
    """A picture or a film by its name."""
    if name in ALL:
        return asyncio.run(picture(ALL[name]))
    return animated_svg(film_of(read(FILMS[name], COMMANDS["record"])))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which (default: all)")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a picture is stale")
    args = parser.parse_args()
    stale = []
    for name in args.names or (*ALL, *FILMS):
        svg = content(name)
        path = HERE / f"{name}.svg"
        if not path.exists() or path.read_text(encoding="utf-8") != svg:
            stale.append(path.name)
            if not args.check:
                path.write_text(svg, encoding="utf-8")
    verb = "stale" if args.check else "written"
    print(f"{verb}: {', '.join(stale)}" if stale else "all pictures are up to date")
    return 1 if stale and args.check else 0


if __name__ == "__main__":
    sys.exit(main())
