"""Make the pictures of this folder from the app itself: `python screenshots/make.py`.

Each is what the app shows after some keys, as Textual exports it. `--check` compares with what is here.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.course import find
from rnnviz.nn import engine
from rnnviz.player.kinds.opening import NetworkOpening, Opening
from rnnviz.tui.app import RnnvizApp

HERE = Path(__file__).parent
TURN = ["end", "right"]


@dataclass(frozen=True)
class Shot:
    """keys: pressed one after the other, each waited for. size: columns, rows."""

    keys: list[str]
    size: tuple[int, int] = (80, 24)
    experiment: Experiment | Opening | NetworkOpening = field(default_factory=Experiment)
    theme: str = "textual-dark"


FADING = Experiment(seq_len=40, gain=0.7)
RECALL = Experiment(task="recall", lag=20)
TO_GAIN = ["o", "slash", "g", "a", "i", "n", "enter"]
LSTM = Experiment(task="recall", lag=12, cell="lstm", num_layers=2)
NAMES = Experiment(task="names", cell="lstm")
RECORDINGS = find().folder / "recordings"
FORGETS = Opening(str(RECORDINGS / "forgets"))
WEIGHTS = NetworkOpening(str(RECORDINGS / "remembers.safetensors"))

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
    "score-light": Shot([*TURN, *["left"] * 6], theme="textual-light"),
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
    "characters": Shot(["e", "end", "tab"], experiment=Experiment(task="characters", cell="gru")),
}  # fmt: skip


async def picture(shot: Shot) -> str:
    """The screen as SVG, with no fonts from elsewhere."""
    engine.select("numpy")  # whatever else this process has loaded
    app = RnnvizApp(shot.experiment, compile=False)
    app.theme = shot.theme
    async with app.run_test(size=shot.size) as pilot:
        await app.settled()
        for key in shot.keys:
            await pilot.press(key)
            await app.settled()
        await pilot.pause()
        return clean(app.export_screenshot(title="rnnviz", simplify=True))


def clean(svg: str) -> str:
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", "'Fira Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace")
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)  # some viewers drop the spaces a line begins with
    return re.sub(r"terminal-\d+", "terminal", svg)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which (default: all)")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a picture is stale")
    args = parser.parse_args()
    os.environ.pop("NO_COLOR", None)
    os.environ["COLORTERM"] = "truecolor"
    stale = []
    for name in args.names or SHOTS:
        svg = asyncio.run(picture(SHOTS[name]))
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
