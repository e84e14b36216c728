"""Every sentence that is chosen by comparing numbers, over numbers of every kind.

All functions that compare numbers and hold words are found in the source; then everything that says something is made
to speak about networks whose numbers are nan, infinite, 1e119, exactly 0, denormal or perfect. Each function that was
found must have spoken, so that a new one cannot be forgotten, and what was said is held against written conditions.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnnviz
from rnnviz import numbers
from rnnviz.cli.main import main
from rnnviz.experiment.build import build_task, trace_of
from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.conditions import condition
from rnnviz.maps import of_scene, point
from rnnviz.maps.chart import VALUES as VALUES_OF_TILES
from rnnviz.maps.tally import Tally
from rnnviz.nn import Model
from rnnviz.nn.spec import CELLS
from rnnviz.player.kinds.opening import NetworkOpening, Opening
from rnnviz.player.player import Player, open_player
from rnnviz.recordings.recorder import Recorder
from rnnviz.scene.commands import Change, Compare, Go, Measure, Survey
from rnnviz.scene.cursor import Cursor, Phase
from rnnviz.scene.frame import Frame, Update
from rnnviz.tui import panels, score, status_lines
from rnnviz.tui.maps import painter
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.view import View
from rnnviz.tui.voice import VOICE
from rnnviz.views import ledger, metrics, reach
from rnnviz.views.perturbation import PARTS
from rnnviz.views.prepare import prepare, read, with_known
from rnnviz.views.spectrum import LYAPUNOV, WEIGHTS, of_steps
from rnnviz.words import ledger as ledger_words
from rnnviz.words import map as map_words
from rnnviz.words import reach as reach_words
from rnnviz.words.comparison import gate_means
from rnnviz.words.gradient_check import verdict
from rnnviz.words.narration import narrate
from tests import recordings_here

ROOT = Path(rnnviz.__file__).parent
#: The packages whose modules say something, each of them with all it holds.
SPEAKERS = ("experiment", "scene", "views", "player", "words", "export", "lessons", "tui", "cli")
#: Modules whose words hang on files, flags, settings, keys and the place in a course; no number that was measured
#: chooses them. A new module is not among them.
OF_SETTINGS = {
    "cli/app", "cli/command", "cli/commands", "cli/doctor", "cli/doctor_machine", "cli/doctor_terminal",
    "cli/flags", "cli/lesson_report", "cli/lessons", "cli/main", "cli/opening_arguments", "cli/pictures",
    "cli/session_flags",
    "cli/terminal_answers",
    "cli/config", "cli/config_file", "cli/host", "cli/hosted", "cli/hosting", "cli/kiosk", "cli/man",
    "cli/map", "cli/map_commands", "cli/map_face", "cli/map_report",  # counts of points: tests/maps
    "cli/picture_commands", "cli/serve", "cli/setup_commands", "cli/sharing_commands",
    "cli/surroundings", "cli/workshop", "cli/workshop_screen",
    "cli/workshop_terminal", "tui/beginning", "tui/palette_commands",
    "experiment/applicability", "experiment/build", "experiment/experiment",
    "experiment/experiment_file", "experiment/run", "experiment/setting", "export/excerpts", "export/keras",
    "export/pages", "export/program", "export/programs", "export/pytorch", "lessons/arithmetic",
    "lessons/check", "lessons/cost", "lessons/glossary",
    "lessons/closing_page", "lessons/course", "lessons/lesson_file", "lessons/markdown", "lessons/markdown_report",
    "lessons/renewal", "lessons/skeleton", "lessons/opening", "lessons/openings", "tui/closing_page",
    "tui/lesson_watch",
    "lessons/pages", "lessons/progress", "lessons/reading", "lessons/report", "lessons/results", "lessons/setup",
    "lessons/steps", "player/changes", "player/looking", "player/moves", "player/player", "player/present",
    "player/training", "scene/ghost", "tui/actions", "tui/answer_line", "tui/app", "tui/autoplay",
    "tui/command_line", "tui/copying", "tui/course_menu", "tui/films/film", "tui/idle", "tui/keymap", "tui/play",
    "tui/guide", "tui/keys", "tui/lesson_view", "tui/panels/code", "tui/panels/knobs",
    "tui/films/animated_svg", "tui/glossary", "tui/pictures/svg", "tui/place", "tui/pursuit", "views/knobs",
}  # fmt: skip
#: Likewise, in modules that do speak of numbers.
ELSEWHERE = {
    "experiment.ExperimentRun.save", "conditions.tolerance", "language._index", "parameters._gate",
    # of runs, whose reasons are tried in tests/player, tests/tui/test_recording.py, test_network.py
    # and test_typed_sequence.py
    "diagnose.command_of", "experiment.ExperimentRun.forward", "experiment.ExperimentRun.back",
    "recording.Part.difference", "recording.RecordingRun.goto", "recording.RecordingRun.forward",
    "recording.RecordingRun.back", "recording.RecordingRun._goto_near", "scene.Settings.difference", "help.sections",
    "spoken._derivative", "spoken._power",  # of symbols, which tests/words/test_spoken.py tries
    "network.NetworkRun._other", "network.NetworkRun._with_rows", "network.Part.difference", "typing.how",
    "directions.other_side", "directions.step_of",  # tests/player/test_two_directions.py
    # what is chosen on a map and the keys that are in force: tests/tui/test_map.py
    "screen.MapScreen._keys", "screen.MapScreen.action_open", "screen.MapScreen.on_click",
    "attention.going_back", "attention._part",  # of a network that looks back: tests/views/test_ways.py
}  # fmt: skip


def speakers() -> dict[str, tuple[str, int]]:
    """`module.function` -> (file, line) of every function that compares numbers and holds words."""
    found = {}
    for path in sorted(path for package in SPEAKERS for path in (ROOT / package).rglob("*.py")):
        if path.relative_to(ROOT).with_suffix("").as_posix() in OF_SETTINGS:
            continue
        for name, node in _functions(ast.parse(path.read_text(encoding="utf-8")), path.stem):
            inside = [n for n in ast.walk(node) if not isinstance(n, ast.FunctionDef) or n is node]
            named = {n.attr for n in inside if isinstance(n, ast.Attribute)}
            compares = any(isinstance(n, ast.Compare) for n in inside) or named & {"isfinite", "isnan", "grows"}
            doc = ast.get_docstring(node, clean=False)
            words = any(
                isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value != doc
                and re.search(r"[a-z]{2,} [a-z]{2,}|%", n.value) for n in inside
            )  # fmt: skip
            if compares and words and name not in ELSEWHERE:
                found[name] = str(path), node.lineno
    return found


def _functions(node: ast.AST, where: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield f"{where}.{child.name}", child
        if isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{where}.{child.name}")


# -- networks ------------------------------------------------------------------------------------------------

SMALL = {"hidden_size": 4, "optimizer": "adam"}
SPACE = (Measure("space"), Measure("fixed_points"))  # each metric would search for the points again
TASKS = {
    "sine": {"points": 16, "seq_len": 6},
    "recall": {"lag": 4, "samples": 40},
    "captions": {"samples": 20},
    "adding": {"lag": 3, "samples": 40},
}


def filled(name: str, value: float) -> Callable[[dict[str, Any]], None]:
    def change(params: dict[str, Any]) -> None:
        for key, array in params.items():
            if name in key:
                array[...] = value

    return change


def scaled(name: str, by: float) -> Callable[[dict[str, Any]], None]:
    def change(params: dict[str, Any]) -> None:
        for key in params:
            if name in key:
                with np.errstate(all="ignore"):
                    params[key] *= by

    return change


NETWORKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "as it is": lambda params: None,
    "nan": filled("weight_hh", math.nan),
    "nan in the readout": filled("readout.weight", math.nan),
    "inf": filled("weight_hh", math.inf),
    "-inf": filled("readout.bias", -math.inf),
    "1e119": scaled("readout.weight", 1e119),
    "1e200": scaled("", 1e200),
    "0": filled("", 0.0),
    "-0": filled("", -0.0),
    "no loop": filled("weight_hh", 0.0),
    "no readout": filled("readout.weight", 0.0),
    "denormal": scaled("readout.weight", 1e-320),
    "tiny loop": scaled("weight_hh", 1e-120),
    "saturated": filled("weight_ih", 1e6),
    "grows": scaled("weight_hh", 30.0),
}


def frames() -> Iterator[tuple[str, Frame]]:
    """(what it is, frame) for every task, cell and network, at every phase."""
    for task, sizes in TASKS.items():
        for cell in CELLS:
            player = Player(Experiment(task=task, cell=cell, epochs=2, **SMALL, **sizes))
            player.do(Change((("gain", 0.9),)))  # leaves a ghost
            player.do(Compare())
            player.do(Survey())
            for name, change in NETWORKS.items():
                if task in ("captions", "adding") and (cell == "rnn" or name not in ("as it is", "nan", "0")):
                    continue
                model = player.frame.scene.model
                params = model.copy_params()
                change(params)
                model = model.with_params(params)
                with np.errstate(all="ignore"):
                    trace = trace_of(model, player.frame.scene.task)
                    scene = read(player.frame.scene.task, 0, model, trace)
                    last, steps = scene.last_loss_step, (1, scene.T - 1, scene.T)
                    ledgers = [Measure("ledger", k) for k in (last, None)]
                    moved = [Measure("perturbed", t, PARTS) for t in steps]
                    others = (Measure("outcome"), Measure("triangle"), Measure("gain"), *SPACE)
                    pairs = {
                        (start, end) for t in (*steps, 0) for start, end in ((t - 1, t), (0, t), (t, t + 1), (t, last))
                    }
                    products = [of_steps(start, end) for start, end in pairs if 0 <= start < end <= scene.T]
                    scene = prepare(scene, *others, *ledgers, *moved, WEIGHTS, LYAPUNOV, *products)
                figure = {"nan": math.nan, "0": 0.0, "as it is": 3e-9}.get(name, 0.02)
                scene = with_known(scene, {Measure("checked"): figure})
                rows = tuple((key, float(np.abs(w).max()), 0.0) for key, w in params.items())
                shifted = tuple((key, size, math.nan if name == "nan" else size / 10) for key, size, _ in rows)
                for phase, t, k, update in (
                    (Phase.FORWARD, 0, last, None), (Phase.FORWARD, 1, last, None),
                    (Phase.FORWARD, scene.T - 1, last, None),
                    (Phase.FORWARD, scene.T, last, None),
                    (Phase.LOSS, scene.T, last, None), (Phase.BACKWARD, scene.T, last, None),
                    (Phase.BACKWARD, scene.T - 1, last, None), (Phase.BACKWARD, 1, last, None),
                    (Phase.BACKWARD, 0, last, None), (Phase.BACKWARD, scene.T - 1, None, None),
                    (Phase.UPDATE, 0, last, rows), (Phase.UPDATE, 0, last, shifted),
                ):  # fmt: skip
                    made = None if update is None else Update(update, trace.loss, trace.loss, trace.loss)
                    cursor = Cursor(0, 0, phase, t, 0)
                    frame = replace(player.frame, scene=scene, loss_step=k, cursor=cursor, update=made)
                    yield f"{task} {cell} {name} {phase} t={t} k={k}", frame


#: Networks whose frames say nothing in other functions: it is not noted which, as that takes as long as all the rest.
UNHEARD = ("-inf", "1e119", "1e200", "-0", "no loop", "no readout", "denormal", "tiny loop")

#: Of recordings and files of weights, which have fewer kinds of sentences.
OF_OTHERS = ("as it is", "nan", "inf", "0", "grows")
PLACES = ((Phase.FORWARD, 3), (Phase.LOSS, 6), (Phase.BACKWARD, 2), (Phase.BACKWARD, 0))


def frames_of_others(folder: str) -> Iterator[tuple[str, Frame]]:
    """(what it is, frame) for recordings, and for files of weights without and with data, which stay in `folder`."""
    data = Experiment(task="recall", seq_len=6, lag=3, samples=20)
    task = build_task(data)
    for cell in ("rnn", "lstm"):
        for name in OF_OTHERS:
            model = Model.create(cell=cell, input_size=task.input_size, hidden_size=4, output_size=4, seed=1)
            params = model.copy_params()
            with np.errstate(all="ignore"):
                NETWORKS[name](params)
                model = model.with_params(params)
                place = Path(folder) / f"{cell} {name}"
                layer, trace = recordings_here.layer_of(model, task)
            with Recorder(place, about={"framework": "PyTorch"}) as recorder:
                for step, loss in enumerate((trace.loss, math.nan, None)):
                    recorder.add(step=step, loss=loss, layers={"lstm": layer, "other": layer})
            weights = f"{place}.npz"
            model.save(weights)
            for source in (
                Opening(str(place), record=1),
                Opening(str(place), record=3),
                NetworkOpening(weights, readout="none"),
                NetworkOpening(weights, data=data),
            ):
                with np.errstate(all="ignore"):
                    player = open_player(source)
                    player.do(Compare())
                    if isinstance(source, Opening):
                        player.do(Survey())
                    for phase, t in PLACES:
                        frame = player.do(Go(phase, t))
                        measured = (Measure("triangle"), Measure("gain"), Measure("ledger", frame.loss_step), *SPACE)
                        frame = replace(frame, scene=prepare(frame.scene, *measured))
                        yield f"{type(source).__name__} {cell} {name} {phase} t={t}", frame


def said_in(frame: Frame) -> Iterator[str]:
    """All that is said about a frame."""
    palette = Palette("none")
    yield from narrate(frame, VOICE)
    yield from str_of(score.draw(frame, 80, 20, palette))
    if frame.cursor.phase is Phase.BACKWARD and "inputs" not in frame.cannot:
        yield from str_of(score.draw(frame, 80, 20, palette, View(input_gradient=True)))
    yield from str_of(status_lines.title(frame, 120, palette))
    yield from str_of(status_lines.narration(frame, View(), 80, 2, palette))
    notice = status_lines.current_notice(frame, View(), 80)
    yield "" if notice is None else notice.line
    yield from str_of(sheet_for(panels.BY_ID["network"], frame, View(panel="network", page=1), 100, 14, palette))
    for page in (1, 2) if frame.cursor.phase is Phase.BACKWARD and frame.cursor.t <= 1 else ():
        yield from str_of(sheet_for(panels.BY_ID["eigenvalues"], frame, View(page=page), 100, 14, palette))
    yield from str_of(sheet_for(panels.BY_ID["compare"], frame, View(panel="compare"), 100, 60, palette))
    for panel in panels.ALL:
        is_plot = panel.id in ("fit", "self-fed", "loss")
        if panel.id not in ("code", "knobs") and (not is_plot or frame.cursor.phase is Phase.LOSS):
            yield from str_of(sheet_for(panel, frame, View(panel=panel.id), 100, 14, palette))
    with np.errstate(all="ignore"):
        yield ledger_words.sentence(
            ledger.make_table(frame.scene, frame.loss_step), frame.scene.gradient(frame.loss_step)
        )
        found = reach.reach(frame.scene)
    if found is not None:
        yield reach_words.text(found)
        yield from (reach_words.line(found, room)[0] for room in (20, 40, 60))
    yield gate_means(frame)
    for name in metrics.METRICS:
        yield metrics.written(frame, name)
    for text in ("loss < 0.1", "accuracy >= 0.9", "grad_ratio >= 1e-3", "horizon > 2 * start.horizon", "loss != 3"):
        yield condition(text).describe(frame, {"start.horizon": 3.0})


def said_of_maps() -> Iterator[str]:
    """The pictures and the words of a map whose points came to numbers of every kind, and of one without any."""
    base = Experiment(task="recall", samples=60, validation_split=0.2, lag=9, gain=0.9, **SMALL)
    spec, of_frame = of_scene.spec_of(base), Player(base).frame
    sizes = [math.nan, *sorted({abs(value) for value in VALUES if value == value}, reverse=True)]
    points = []
    for n, (job, size) in enumerate(zip(spec.jobs(), sizes, strict=False)):
        place, status = job.site, point.STATUSES[n % len(point.STATUSES)]
        points.append(
            point.Point(job.key, place.cell, place.seed, place.x, place.y, status, n % 3, size, 1.0, size, 1.0 + n,
                        error="too large")
        )  # fmt: skip
    for many in (0, 1, len(points) - 2, len(points)):
        tally = Tally(spec)
        for one in points[:many]:
            tally.add(one)
        chart = tally.chart()
        frame = replace(
            of_frame,
            scene=with_known(of_frame.scene, {of_scene.wanted(of_frame): of_scene.SceneMap(chart, None, 0.0, 1.0)}),
        )
        yield from str_of(sheet_for(panels.BY_ID["map"], frame, View(panel="map"), 100, 14, Palette("none")))
        for value in VALUES_OF_TILES:
            yield from map_words.in_lines(chart, value)
            yield from (painter.legend(chart, value, has_text) for has_text in (False, True))
        yield map_words.of_place(points[:many], len(points))
        for is_on, left in ((True, None), (True, 100.0 * many), (False, None)):
            yield map_words.progress(many, len(points), is_on=is_on, seconds_left=left, resumes=", c continues")
    yield from map(map_words.of_point, points)
    yield from map(map_words.of_point_in_short, points)


def str_of(sheet: Any) -> list[str]:
    return [row.rstrip() for row in sheet.plain()]


# -- what must hold of whatever is said --------------------------------------------------------------------------

NEVER = {
    "a minus before 0": r"(?<![\w.)\]])-0?(?:\.0+|0)(?![\w.])|(?<![\w.])-0\.0+(?!\d)",
    "a share that is no number": r"(?:nan|inf|∞) ?%|nan of it|nan times|keeps [+-]?(?:nan|inf)",
    "one of many": r"(?<![\d.,–>×] )(?<![\d.,–>×])\b1 (?:epochs|steps|sequences|units|batches|names|layers|answers)\b",
    "inf that outgrew inf": r"inf times as (?:large|much)",
}
#: Words that compare, which nothing may claim of a gradient that is nan at the cursor.
CLAIMS = re.compile(
    r"it grows|more than half|vanish|half is gone|is left|still there|explodes back|nothing of the gradient|learnt"
)


@pytest.fixture(scope="module")
def everything() -> tuple[list[tuple[str, Frame, list[str]]], list[tuple[str, str]], set[tuple[str, int]]]:
    """What is said of the frames, what the commands print, and which functions spoke."""
    spoke: set[tuple[str, int]] = set()

    def note(frame: Any, event: str, argument: object) -> None:
        spoke.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

    sys.settrace(note)  # called for each call alone: it asks for no lines
    try:
        with tempfile.TemporaryDirectory() as folder:
            of_frames = []
            for name, frame in (*frames(), *frames_of_others(folder)):
                sys.settrace(note if not any(f" {silent} " in name for silent in UNHEARD) else None)
                of_frames.append((name, frame, list(said_in(frame))))
            sys.settrace(note)
            commands = (*COMMANDS, *commands_on_files(Path(folder)))
            of_commands = [(" ".join(flags), printed(flags)) for flags in commands]
        of_commands.append(("maps", "\n".join(said_of_maps())))
        verdict(math.nan), verdict(0.0), verdict(1.0)
        for value in VALUES:
            for speak in number_speakers():
                speak(value)
    finally:
        sys.settrace(None)
    return of_frames, of_commands, spoke


COMMANDS = [
    ["train", "--task", "adding", "--samples", "50", "--lr", "1000", "--activation", "identity", "--epochs", "3"],
    ["train", "--task", "adding", "--samples", "50", "--lr", "1e300", "--epochs", "1"],
    ["train", "--lr", "1e300", "--epochs", "1"],
    ["train", "--task", "recall", "--samples", "12", "--lag", "2", "--epochs", "1", "--lr", "1e-9"],
    ["train", "--task", "recall", "--samples", "60", "--lag", "2", "--epochs", "30", "--lr", "0.05", "--optimizer",
     "adam", "--batch", "8"],
    ["train", "--task", "captions", "--samples", "2", "--epochs", "1", "--validation-split", "0"],
    ["train", "--epochs", "0", "--hidden", "1", "--cell", "rnn,lstm,gru"],
    ["gradients", "--gain", "0"],
    ["gradients", "--hidden", "1", "--steps", "1", "--after-epochs", "1"],
    ["gradients", "--activation", "relu", "--gain", "100", "--steps", "200", "--points", "300"],
    ["gradients", "--spectral-radius", "0.01", "--steps", "200", "--points", "300"],
    ["gradients", "--lr", "1e300", "--after-epochs", "1", "--cell", "rnn,lstm"],
    ["gradients", "--loss-step", "total", "--gain", "0"],
]  # fmt: skip


SERIES = {"constant": ["5"] * 60, "with gaps": [str(i % 7) if i % 20 else "" for i in range(80)],
          "seasonal": [str(i % 12) for i in range(120)], "huge": ["1e30", "-1e30"] * 40}  # fmt: skip


def commands_on_files(folder: Path) -> Iterator[list[str]]:
    """Commands on the files that frames_of_others left there, and on series of numbers."""
    for weights in sorted(folder.glob("*.npz")):
        yield ["inspect", str(weights)]
        yield ["gradients", str(weights)]
        yield ["diagnose", str(weights)]
        yield ["gradients", str(weights.with_suffix("")), "--record", "1"]
        yield ["diagnose", str(weights.with_suffix(""))]
    for name, values in SERIES.items():
        file = folder / f"{name}.csv"
        file.write_text("\n".join(["value", *values]), encoding="utf-8")
        yield ["data", str(file)]
        yield ["train", "--data", str(file), "--epochs", "2", "--hidden", "3"]
    file = folder / "labelled.txt"
    file.write_text("".join(f"word{i}\tclass {i % 30}\n" for i in range(90)), encoding="utf-8")
    yield ["data", str(file)]


def printed(flags: list[str]) -> str:
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(flags) == 0
    return out.getvalue()


VALUES = (math.nan, math.inf, -math.inf, 1e119, -1e119, 0.0, -0.0, 5e-324, -5e-324, 1e-310, 1.0, 0.9996, 0.99999,
          0.0004, 0.00004, 0.4996, 12.0, 999.7, -0.0004)  # fmt: skip


def number_speakers() -> list[Callable[[float], str]]:
    """Every function of numbers.py that writes one number."""
    found = []
    for name, function in vars(numbers).items():
        is_text = inspect.isfunction(function) and str(function.__annotations__.get("return")) == "str"
        if is_text and function.__module__ == numbers.__name__ and not name.startswith("_"):
            kinds = [str(p.annotation) for p in inspect.signature(function).parameters.values() if p.default is p.empty]
            if kinds in (["float"], ["float | None"]):
                found.append(function)
            elif kinds in (["float", "int"], ["float | None", "int"]):
                found.append(lambda value, function=function: function(value, 3))
    return found


def every_function_that_compares_numbers_and_holds_words_has_spoken(everything) -> None:  # type: ignore[no-untyped-def]
    spoke = everything[2]
    silent = [
        name for name, (file, line) in speakers().items()
        if not any((file, at) in spoke for at in range(line - 3, line + 1))  # decorators stand above
    ]  # fmt: skip
    assert not silent, f"they compare numbers and hold words, and were not tried here: {silent}"
    assert len(speakers()) > 30


def what_is_never_said(everything, what: str) -> None:  # type: ignore[no-untyped-def]
    wrong = re.compile(NEVER[what])
    of_frames, of_commands, _ = everything
    said = [(name, text) for name, _, texts in of_frames for text in texts]
    said += [(name, line) for name, text in of_commands for line in text.splitlines()]
    found = [(name, text.strip()) for name, text in said if wrong.search(text)]
    assert not found, "\n".join(f"{name}: {text}" for name, text in found[:12])


def nothing_is_claimed_of_what_is_no_number(everything) -> None:  # type: ignore[no-untyped-def]
    found = []
    for name, frame, texts in everything[0]:
        k = frame.loss_step or frame.T
        if not np.isnan(frame.scene.trace.grad_norm(frame.loss_step)[: k + 1]).any():
            continue
        table = ledger.make_table(frame.scene, frame.loss_step)
        words = [*texts[:2], ledger_words.sentence(table, frame.scene.gradient(frame.loss_step))]
        found += [(name, text) for text in words if CLAIMS.search(text)]
    assert not found, "\n".join(f"{name}: {text}" for name, text in found[:12])


def what_is_0_or_no_number_from_the_start_has_no_horizon(everything) -> None:  # type: ignore[no-untyped-def]
    found, tried = [], 0
    for name, frame, texts in everything[0]:
        start = frame.scene.trace.grad_norm(frame.loss_step)[frame.loss_step or frame.T]
        if frame.loss_step is not None and not 0 < start < math.inf:
            tried += 1
            claims = re.compile(r"(?<!, )(?<!its )1 % horizon (?:all )?\d")  # but a ghost has its own
            found += [(name, text) for text in texts if claims.search(text)]
    assert tried > 100
    assert not found, "\n".join(f"{name}: {text}" for name, text in found[:12])


def a_training_that_diverged_is_called_that(everything) -> None:  # type: ignore[no-untyped-def]
    said = dict(everything[1])
    for flags in COMMANDS[:3]:
        assert "The training diverged: the loss is" in said[" ".join(flags)].replace("\n", " ")
    assert "near a guess" not in "".join(said[" ".join(flags)] for flags in COMMANDS[:3])
    assert "Try" not in said[" ".join(COMMANDS[4])]
    assert "epochs" not in said[" ".join(COMMANDS[5])].partition("1 epoch in")[2][:10]


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (math.nan, "diverged: the loss is nan. Try: --lr 0.001 --clip-norm 1"),
        (math.inf, "diverged: the loss is +inf. Try"),
        (-math.inf, "diverged: the loss is -inf. Try"),
        (1e119, "diverged: the loss is 1.0e+119, far above a guess (1). Try: --lr 0.001"),
        (3.0, "The loss is 3.0000, above a guess (1). Try: --optimizer adam --batch 32"),
        (1.0, "The loss is still near a guess (1). Try: --optimizer adam --batch 32"),
        (0.5, None), (0.0, None), (-0.0, None), (5e-324, None),
    ],
)  # fmt: skip
def test_what_train_advises(loss: float, told: str | None) -> None:
    from types import SimpleNamespace

    from rnnviz.cli.train import advice

    task = SimpleNamespace(baseline=1.0)
    found = advice(SimpleNamespace(history={"loss": [loss]}, task=task, experiment=Experiment(task="recall")))  # type: ignore[arg-type]
    assert (found is None) if told is None else (found is not None and told in found), found
    task.baseline = 0.0  # one class: a guess is always right
    found = advice(SimpleNamespace(history={"loss": [loss]}, task=task, experiment=Experiment(task="recall")))  # type: ignore[arg-type]
    assert (found is None) == (math.isfinite(loss) and loss < 1e6)


def test_a_large_loss_that_came_down_has_not_diverged() -> None:
    from types import SimpleNamespace

    from rnnviz.cli.train import advice

    task = SimpleNamespace(baseline=1.0)
    for losses, word in (([30.0], "above a guess"), ([90.0, 30.0], "above a guess"), ([3.0, 30.0], "diverged")):
        found = advice(SimpleNamespace(history={"loss": losses}, task=task, experiment=Experiment(task="recall")))  # type: ignore[arg-type]
        assert found is not None
        assert word in found


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_a_number_is_written_as_what_it_is(value: float) -> None:
    for speak in number_speakers():
        text = speak(value)
        assert not re.search(NEVER["a minus before 0"], text), (speak, text)
        if math.isnan(value):
            assert "nan" in text, (speak, text)


def test_shares_are_100_and_0_per_cent_only_where_they_are() -> None:
    assert [numbers.percent(v) for v in (1.0, 0.9996, 0.99999, 0.9989, 0.0, -0.0, 0.0004, 5e-324)] == [
        "100.0 %", "> 99.9 %", "> 99.9 %", "99.9 %", "0.0 %", "0.0 %", "< 0.1 %", "< 0.1 %"
    ]  # fmt: skip
    assert [numbers.percent(v, 0) for v in (1.0, 0.996, 0.004, 0.5, math.nan)] == [
        "100 %", "> 99 %", "< 1 %", "50 %", "nan"
    ]  # fmt: skip
    assert metrics.say("accuracy", 0.996) == "> 99 %"
    assert metrics.say("accuracy", 1.0) == "100 %"
    assert metrics.say("h", -0.0004) == "+0.000"


@pytest.mark.slow
def test_all_that_is_said(everything) -> None:  # type: ignore[no-untyped-def]
    """One test, so that one process has to say it all."""
    every_function_that_compares_numbers_and_holds_words_has_spoken(everything)
    for what in NEVER:
        what_is_never_said(everything, what)
    nothing_is_claimed_of_what_is_no_number(everything)
    what_is_0_or_no_number_from_the_start_has_no_horizon(everything)
    a_training_that_diverged_is_called_that(everything)
