"""The commands, in the order in which --help lists them. Each is one record here and one module that runs it."""

from __future__ import annotations

import argparse

from rnnviz.cli.command import Argument, Command, as_json, number, whole_number
from rnnviz.cli.map_commands import MAP
from rnnviz.cli.opening_arguments import AT, BESIDE, INPUT, LESSONS, OF_RECORDING, OF_WEIGHTS, PANEL, WATCH
from rnnviz.cli.picture_commands import PICTURES
from rnnviz.cli.session_flags import COLOR, OF_SESSION
from rnnviz.cli.setup_commands import SETUP
from rnnviz.cli.sharing_commands import SHARING
from rnnviz.cli.workshop_commands import WORKSHOP
from rnnviz.errors import InputError, short_repr
from rnnviz.experiment.experiment import SETTINGS
from rnnviz.experiment.setting import Setting


def _loss_step(text: str) -> int | str:
    if text == "total":
        return text
    if number(text) < 1:
        raise InputError(f"loss_step: {short_repr(text)} is not a step (1 and up) or total")
    return number(text)


def _steps(text: str) -> int:
    return int(SETTINGS["seq_len"].checked(number(text)))


_SLUG = Argument("slug", "which lesson: its slug or its number", metavar="SLUG")

APP = Command(
    "",
    "open the app",
    "rnnviz [--lessons DIR]\n       rnnviz [FILE.toml|RECORDING|WEIGHTS] [flags]\n"
    "       rnnviz train [FILE.toml] [flags]\n       rnnviz gradients [FILE.toml|RECORDING|WEIGHTS] [flags]",
    "See a recurrent neural network think and learn, one time step at a time, in your terminal.\n"
    "Without a command it opens the app: the lessons, where you left off, or with --free or any other flag\n"
    "the plain score. With the folder of a recording it opens your own training, also while it runs; with a\n"
    "file of weights (.pt, .safetensors, .keras, .h5, .onnx, .npz, …) your own network.\n"
    "With --data FILE it trains on your own data: a table, a text, a folder; rnnviz data FILE looks first.",
    "rnnviz.cli.app:run",
    (
        *OF_RECORDING,
        *OF_WEIGHTS,
        BESIDE,
        INPUT,
        AT,
        PANEL,
        Argument("--free", "open the plain score, without lessons", default=False, more={"action": "store_true"}),
        Argument("--lessons", "open the lessons in this folder", metavar="DIR"),
        WATCH,
        Argument(
            "--plain",
            "in lines of text, for a screen reader or a pipe: rnnviz read",
            default=False,
            more={"action": "store_true"},
        ),
        *OF_SESSION,
    ),
    (
        "rnnviz",
        "rnnviz --steps 40 --loss-at last",
        "rnnviz --task names --cell lstm",
        "rnnviz --data air.csv",
        "rnnviz runs/lstm --layer encoder.lstm",
        "rnnviz model.pt --layer encoder.lstm",
    ),
    several=False,
    opens_recordings=True,
)

_TRAIN = Command(
    "train",
    "train a network; print its layers, the loss curve and the fit",
    "rnnviz train [FILE.toml] [flags]",
    "Train a network, without the app. The defaults are the Keras recipe: a noisy sine,\n"
    "SimpleRNN(20), Dense(1), 461 parameters, 20 epochs of SGD.",
    "rnnviz.cli.train:run",
    (
        as_json(
            "experiment, parameters, history.loss, history.val_loss, baselines (of a forecast: the validation errors "
            "of the network, of the last value again and of the value one season before), prediction (of a forecast: "
            "self-fed; other tasks: the answers), targets, reach (how much of the last gradient arrives at the step "
            "that its answer depends on; whether the task is learnt, by its answers), notes (which data is left out). "
            "A value that is not finite is null. With several cells: a list of such objects"
        ),
        COLOR,
    ),
    (
        "rnnviz train --cell lstm --hidden 32 --epochs 50",
        "rnnviz train --task recall --optimizer adam --cell rnn,lstm,gru",
    ),
)

_GRADIENTS = Command(
    "gradients",
    "print the gradient of every time step as log bars",
    "rnnviz gradients [FILE.toml|RECORDING|WEIGHTS] [flags]",
    "One forward and one backward pass, without the app: how much of the gradient of one\n"
    "step's loss remains at each time step before it. Of a recording: of the loss that was recorded. Of a\n"
    "file of weights: how far the last state depends on earlier ones, ‖∂h_T/∂h_t‖.",
    "rnnviz.cli.gradients:run",
    (
        as_json(
            "experiment, loss_step, grad_norm (index = time step 0..T), gain, slope and factor (per step), "
            "half_life, horizon, reach, notes, cannot (what cannot be done, and why). With attention also loop_norm, "
            "loop_horizon: of the way through the loop alone. Of a recording: recording, loss and evidence in place "
            "of experiment. Of a file of weights: network (with the norm that grad_norm and factor are of) and "
            "frobenius. A value that is not finite or not defined is null. With several cells: a list of such objects"
        ),
        Argument(
            "--loss-step", "which loss: that of step K, or the total (default: the last step that carries loss)",
            metavar="K|total", read=_loss_step,
        ),
        Argument(
            "--after-epochs", "train for N epochs first (default 0)", metavar="N", read=whole_number("after_epochs"),
            default=0,
        ),
        *OF_RECORDING,
        *OF_WEIGHTS,
        INPUT,
        Argument(
            "--sample", "which sequence, counted from 0 (default 0)", metavar="I", read=whole_number("sample"),
            default=0,
        ),
    ),
    (
        "rnnviz gradients --steps 40 --gain 1.5",
        "rnnviz gradients --task recall --lag 60 --cell rnn,lstm,gru",
        "rnnviz gradients --after-epochs 20 --loss-step 5 --json",
        "rnnviz gradients runs/lstm --record 3",
        "rnnviz gradients model.safetensors --layer rnn --json",
    ),
    opens_recordings=True,
)  # fmt: skip

_DIAGNOSE = Command(
    "diagnose",
    "report what is measured to be wrong with a training",
    "rnnviz diagnose RECORDING|WEIGHTS [--json] [--strict]\n       rnnviz diagnose [FILE.toml] [flags]",
    "Read a recording or a file of weights, or train a network, and report findings: where the gradient\n"
    "vanishes or explodes, the first nan or inf, saturated or dead units, clipping,\n"
    "the size of the updates, a flat loss. Each has its figures, a likely cause, one\n"
    "thing to try and a lesson; docs/diagnosis.md lists the thresholds, and\n"
    "docs/my-lstm-does-not-learn.md what to measure in which order. It measures;\n"
    "it does not forecast.",
    "rnnviz.cli.diagnose:run",
    (
        OF_RECORDING[1],
        as_json(
            "kind, title, measured, findings (rule, layer, what, evidence, cause, try, command, pytorch, keras, "
            "lesson), "
            "not_judged (rule: reason), notes. A value that is not finite or not known is null. With several cells: a "
            "list of such objects"
        ),
        Argument(
            "--strict", "exit with code 3 if there is a finding", default=False, more={"action": "store_true"},
        ),
    ),
    (
        "rnnviz diagnose runs/lstm --json",
        "rnnviz diagnose --task recall --lag 60 --optimizer adam",
        "rnnviz diagnose experiment.toml --strict",
        "rnnviz diagnose model.pt --layer encoder.lstm",
    ),
    opens_recordings=True,
)  # fmt: skip

_INSPECT = Command(
    "inspect",
    "list the layers in a file of weights",
    "rnnviz inspect FILE [--activation NAME] [--json]",
    "List what is in a file of weights: recurrent layers with their cells and sizes, the linear layer\n"
    "that reads them, embeddings; what cannot be opened, and why; what the file does not contain, and\n"
    "which flag decides it. Nothing in the file is run. docs/weights.md lists the formats.",
    "rnnviz.cli.inspect:run",
    (
        Argument("file", "a file of weights, from PyTorch for example", metavar="FILE"),
        Argument("--activation", "of simple RNNs, if the file does not contain it", metavar="NAME"),
        as_json(
            "path, format, layers (name, cell, activation, levels, directions, input_size, hidden_size, biases, dtype, "
            "parameters, readout, no_readout, embedding, notes, doubts), refused (name, reason), linear, embeddings, "
            "notes"
        ),
    ),
    has_experiment=False,
)

_CONVERT = Command(
    "convert",
    "write the weights of a file for PyTorch, Keras or ONNX",
    "rnnviz convert IN OUT [--layer NAME] [--readout NAME] [--activation NAME] [--json]",
    "Write the recurrent layer of a file, with the linear layer that reads it and the embedding in front,\n"
    "for another framework. The name of OUT decides: .safetensors or .npz (PyTorch's names, all layers),\n"
    ".keras, .weights.h5, .onnx. Before OUT appears it is read again, and both are run on random input.",
    "rnnviz.cli.convert:run",
    (
        Argument("file", "a file of weights", metavar="IN"),
        Argument("new", "the file to write; it must not exist", metavar="OUT"),
        Argument("--layer", "which recurrent layer, if there are several", metavar="NAME"),
        Argument("--readout", "which linear layer reads it, or none (default: the only one that fits)", metavar="NAME"),
        Argument("--activation", "of simple RNNs, if the file does not contain it", metavar="NAME"),
        as_json("from, to, format, layers, others, notes, difference, exact"),
    ),
    ("rnnviz convert model.pt model.keras", "rnnviz convert model.keras model.onnx --readout none"),
    has_experiment=False,
)


def _decision(setting: Setting) -> Argument:
    """The flag of a setting of a person's own data."""
    more = {"action": argparse.BooleanOptionalAction} if setting.kind is bool else {}
    metavar = None if setting.kind is bool else setting.metavar or ("N" if setting.kind is int else "NAME")
    choices = f": {', '.join(setting.choices)}" if setting.choices else ""
    return Argument(
        "--" + setting.name, setting.help + choices, metavar,
        lambda value: setting.checked(number(value) if setting.kind is int else value), more=more,
    )  # fmt: skip


_DATA = Command(
    "data",
    "show what is understood of a file or folder of your own data",
    "rnnviz data FILE [flags]",
    "Read a table (CSV), arrays (.npz), a text, lines of text<TAB>label, or a folder with a file for\n"
    "each class; print its layout, what each column is used for, what is left out, and a plot. Nothing is\n"
    "trained. Every finding can be overridden, here and wherever --data is read.",
    "rnnviz.cli.data:run",
    (
        as_json(
            "path, kind, task, facts, columns (name, kind, role, missing, low, high, mean), notes, sequences, "
            "training, steps, inputs, outputs, classes, season, guess (loss of the best constant answer), last_value "
            "(training loss of the last value again). A value that is not known is null"
        ),
        Argument("file", "file or folder", metavar="FILE"),
        Argument("--steps", "time steps in one sequence", metavar="N", read=_steps),
        COLOR,
        *(_decision(one) for one in SETTINGS.values() if one.group == "data" and one.name != "data"),
    ),
    ("rnnviz data air.csv", "rnnviz data air.csv --target passengers --steps 24", "rnnviz data data/names --json"),
    has_experiment=False,
)

_COURSE = Command(
    "lessons",
    "list the lessons and your progress; write, check and report on lessons",
    "rnnviz lessons [--lessons DIR]\n       rnnviz lessons report [LEARNER] [--learners DIR] [-o FILE]\n"
    "       rnnviz lessons new SLUG [--lessons DIR]\n       rnnviz lessons check [PATH…]\n"
    "       rnnviz lessons metrics",
    "The course: its lessons, and your progress in each.\n"
    "report writes Markdown for a teacher: pages seen, questions right at the first try, exercises solved,\n"
    "what was predicted wrongly; of you, of a LEARNER (a folder with a progress.json), or a table of all\n"
    "the learners of a kiosk (--learners). new writes a lesson to begin with into DIR (default: lessons);\n"
    "it runs, and comments explain each part. check reads lesson files (or folders of them), runs every\n"
    "step, and reports what is wrong and what to do; without a PATH it checks the course that comes with\n"
    "rnnviz. metrics lists the values that a lesson can quote and compare.",
    "rnnviz.cli.lessons:run",
    (
        LESSONS,
        Argument("--learners", "of report: a folder with a folder for each learner", metavar="DIR"),
        Argument("-o", "of report: the file to write", metavar="FILE"),
        Argument("--force", "of report: overwrite the file", default=False, more={"action": "store_true"}),
        Argument("what", "see above", metavar="report|new|check|metrics", more={"nargs": "?"}),
        Argument(
            "paths", "lesson files, or folders of them; a learner; a new name", metavar="PATH", more={"nargs": "*"}
        ),
    ),
    ("rnnviz lessons new half-is-gone", "rnnviz lessons report --learners learners -o class.md"),
    has_experiment=False,
)

_LESSON = Command(
    "lesson",
    "open one lesson",
    "rnnviz lesson SLUG [--lessons DIR]\n       rnnviz lesson FILE.md [--watch]",
    "Open one lesson, by its slug or number, or by its file: then the lessons beside it are the course.",
    "rnnviz.cli.lessons:open_one",
    (LESSONS, WATCH, _SLUG, *OF_SESSION),
    has_experiment=False,
)

_PLAY = Command(
    "play",
    "autoplay a lesson, for a talk",
    "rnnviz play SLUG [--speed S] [--lessons DIR]",
    "Autoplay a lesson, for a talk: it moves, predicts and reveals. Any key pauses.",
    "rnnviz.cli.lessons:play_one",
    (
        LESSONS,
        _SLUG,
        *OF_SESSION,
    ),
    has_experiment=False,
)

READ = Command(
    "read",
    "the app in lines of text, for a screen reader or a pipe",
    "rnnviz read [SLUG] [--lessons DIR]\n       rnnviz read [FILE.toml|RECORDING|WEIGHTS] [flags]",
    "The lessons and the player in lines of text, for a screen reader, a braille line or a pipe: a word and\n"
    "Enter, and one or two sentences with the numbers come back; help lists the words. The keys of the app\n"
    "work too, each followed by Enter. No escape sequence is written. The same lines from a pipe get the\n"
    "same answers. rnnviz --plain does the same.",
    "rnnviz.cli.read:run",
    (
        Argument(
            "--symbols", "write symbols (‖∂L/∂h‖, h₇) as the app does, not in words", default=False,
            more={"action": "store_true"},
        ),
        *OF_RECORDING,
        *OF_WEIGHTS,
        BESIDE,
        INPUT,
        Argument("--free", "begin without a lesson", default=False, more={"action": "store_true"}),
        *OF_SESSION,
        LESSONS,
    ),
    (
        "rnnviz read",
        "rnnviz read why-gradients-vanish",
        "rnnviz read --steps 20 --gain 0.7",
        "printf 'right 5\\nwhere\\n' | rnnviz read --steps 5",
    ),
    several=False,
    opens_recordings=True,
    opens_lessons=True,
)  # fmt: skip

COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        _TRAIN,
        _GRADIENTS,
        _DIAGNOSE,
        MAP,
        _INSPECT,
        _CONVERT,
        _DATA,
        _COURSE,
        _LESSON,
        _PLAY,
        *WORKSHOP,
        READ,
        *PICTURES,
        *SHARING,
        *SETUP,
    )
}
