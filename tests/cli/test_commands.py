"""`rnnviz train` and `rnnviz gradients` as a shell sees them: output, errors, exit codes."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from rnnviz.cli.main import main
from rnnviz.experiment.build import build_model, build_task, resolved, trace_of
from rnnviz.experiment.evaluate import accuracy
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import train
from rnnviz.tasks import NAMES
from rnnviz.words.reach import part

RNNVIZ = [sys.executable, "-m", "rnnviz"]


def rnnviz(*arguments, env=None):
    settings = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
    return subprocess.run(
        [*RNNVIZ, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=settings | (env or {}),
    )


def says(capsys, *arguments):
    """Exit code, stdout and stderr, in this process: quicker where only the words matter."""
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def strict(text):
    """JSON as the standard has it: a NaN in it is an error."""

    def refuse(constant):
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


# -- train -------------------------------------------------------------------------------------------------


def test_train_json_is_one_object_with_the_numbers_of_the_recipe():
    run = rnnviz("train", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    told = strict(run.stdout)
    assert set(told) == {"experiment", "parameters", "notes", "history", "baselines", "prediction", "targets", "reach"}
    assert told["parameters"] == 461
    assert len(told["history"]["loss"]) == len(told["history"]["val_loss"]) == 20
    assert told["history"]["loss"][-1] < told["history"]["loss"][0]
    assert told["experiment"]["seq_len"] == 10
    assert told["targets"] == build_task(Experiment()).series[10:].tolist()
    assert len(told["prediction"]) == len(told["targets"]) == 40


def test_an_exploding_loss_is_null_and_no_error(capsys):
    code, out, err = says(capsys, "train", "--json", "--lr", "100")
    assert (code, err) == (0, "")
    told = strict(out)
    assert told["history"]["loss"][0] > 1e3
    assert told["history"]["loss"][-1] is None
    assert set(told["prediction"]) == {None}
    code, out, err = says(capsys, "train", "--lr", "100")
    assert code == 0
    assert "loss not finite from epoch" in out


def test_a_network_that_reads_both_ways_is_reported_without_a_self_fed_prediction(capsys):
    code, out, err = says(capsys, "train", "--epochs", "1", "--bidirectional", "--hidden", "2")
    assert (code, err) == (0, "")
    assert "one step ahead" in out
    assert "self-fed" not in out


def test_train_shows_layers_and_plots(capsys):
    code, out, err = says(capsys, "train", "--epochs", "3")
    assert (code, err) == (0, "")
    assert re.search(r"SimpleRNN\).*\(None, 10, 20\) +440\n", out)
    assert re.search(r"Total +461\n", out)
    for words in ("3 epochs", "training", "validation", "━━ fit", "from here it feeds on itself"):
        assert words in out


@pytest.mark.parametrize("task", NAMES)
@pytest.mark.parametrize("epochs", ["0", "1"])
def test_every_task_trains(capsys, task, epochs):
    for json_flag in ([], ["--json"]):
        code, out, err = says(capsys, "train", "--task", task, "--epochs", epochs, *json_flag)
        assert (code, err) == (0, "")
    told = strict(out)
    assert len(told["prediction"]) == len(told["targets"])
    assert len(told["history"]["loss"]) == int(epochs)


def test_several_cells_are_a_list(capsys):
    told = strict(says(capsys, "train", "--json", "--epochs", "1", "--cell", "rnn,lstm,gru")[1])
    assert [one["experiment"]["cell"] for one in told] == ["rnn", "lstm", "gru"]
    assert [one["parameters"] for one in told] == [461, 1781, 1401]


def test_a_file_and_flags_give_the_same_numbers_and_flags_win(tmp_path, capsys):
    path = tmp_path / "experiment.toml"
    path.write_text('hidden_size = 7\nseed = 3\nepochs = 2\ncell = "gru"\n')
    flags = ["--hidden", "7", "--seed", "3", "--epochs", "2", "--cell", "gru", "--json"]
    by_flags = says(capsys, "train", *flags)[1]
    assert says(capsys, "train", str(path), "--json")[1] == by_flags
    assert says(capsys, "train", "--experiment", str(path), "--json")[1] == by_flags
    told = strict(says(capsys, "train", str(path), "--hidden", "5", "--json")[1])
    assert (told["experiment"]["hidden_size"], told["experiment"]["seed"]) == (5, 3)


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_stops_with_one_line():
    with subprocess.Popen(
        [*RNNVIZ, "train", "--epochs", "1000000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A shell starts its background jobs deaf to Ctrl-C; this one must hear it, whoever runs the tests.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as run:  # fmt: skip
        assert "Layer" in run.stdout.readline()  # the summary comes just before the training
        time.sleep(0.5)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=20)
    assert run.returncode == 130
    assert re.fullmatch(r"rnnviz train: stopped after epoch \d+ of 1000000\n", err)


def test_progress_is_drawn_on_a_terminal_and_wiped():
    main_side, side = pytest.importorskip("pty").openpty()
    try:
        command = [*RNNVIZ, "train", "--json"]
        out = subprocess.run(command, stdout=subprocess.PIPE, stderr=side, stdin=subprocess.DEVNULL).stdout
        drawn = os.read(main_side, 1 << 16).decode()
    finally:
        os.close(main_side)
        os.close(side)
    assert strict(out)
    assert "20/20" in drawn
    assert drawn.endswith("\r\x1b[K")


# -- gradients ---------------------------------------------------------------------------------------------


def test_gradients_json_is_the_trace():
    run = rnnviz("gradients", "--json", "--steps", "12", "--seed", "4")
    assert (run.returncode, run.stderr) == (0, "")
    told = strict(run.stdout)
    experiment = resolved(Experiment(seq_len=12, seed=4))
    task = build_task(experiment)
    trace = trace_of(build_model(experiment, task), task)
    assert told["experiment"] == experiment.to_dict()
    assert told["loss_step"] == 12
    assert np.allclose(told["grad_norm"], trace.grad_norm(12), rtol=1e-12, atol=0)
    assert np.allclose(told["gain"], trace.ledger.gain, rtol=1e-12)
    assert np.allclose(told["slope"], trace.ledger.slope, rtol=1e-12)
    assert [len(told[key]) for key in ("grad_norm", "gain", "slope", "factor")] == [13, 12, 12, 12]
    assert (told["half_life"], told["horizon"]) == (trace.half_life, trace.horizon)


def test_half_life_and_horizon_are_those_of_the_chosen_step(capsys):
    flags = ["gradients", "--json", "--steps", "40", "--gain", "0.5"]
    told = {step: strict(says(capsys, *flags, "--loss-step", step)[1]) for step in ("40", "20", "total")}
    for step in (20, 40):
        norms = np.array(told[str(step)]["grad_norm"])
        assert not norms[step + 1 :].any()
        lags = np.arange(step + 1)
        back = norms[step::-1] / norms[step]
        for name, share in (("half_life", 0.5), ("horizon", 0.01)):
            lag = told[str(step)][name]
            assert lags[back < share][0] - 1 <= lag <= lags[back < share][0]
    assert told["20"]["gain"][20:] == [None] * 20
    assert (told["total"]["half_life"], told["total"]["horizon"]) == (None, None)


def test_the_reach_is_told_after_training_and_with_the_gradients(capsys):
    flags = ["--task", "recall", "--lag", "10", "--samples", "100"]
    for command, more in (("train", ["--epochs", "1"]), ("gradients", ["--after-epochs", "1"])):
        found = strict(says(capsys, command, "--json", *flags, *more)[1])["reach"]
        experiment = resolved(Experiment(task="recall", lag=10, samples=100, epochs=1))
        result = train(experiment)
        norms = trace_of(result.model, result.task).grad_norm(11)
        assert (found["step"], found["loss_step"], found["lag"]) == (1, 11, 10)
        assert found["arrives"] == pytest.approx(norms[1] / norms[11], rel=1e-9)
        assert 0 < found["share"] < found["share_of_last_step"] < 1
        assert found["answers"]["right"] == accuracy(result.model, result.task)
        assert found["answers"]["learnt"] is False
        plain = " ".join(says(capsys, command, *flags, *more)[1].split())
        assert f"reach: {part(found['arrives'])} of the gradient arrives 10 steps back; that step sends" in plain
    truncated = strict(says(capsys, "train", "--json", *flags, "--truncate", "3,3", "--epochs", "1")[1])["reach"]
    assert (truncated["first_step_used"], truncated["share"]) == (9, 0)
    assert strict(says(capsys, "gradients", "--json")[1])["reach"] is None


def test_gradients_after_training_are_those_of_the_trained_weights(capsys):
    before, after = (
        strict(says(capsys, "gradients", "--json", "--after-epochs", n, "--sample", "3")[1]) for n in ("0", "5")
    )
    assert before["grad_norm"] != after["grad_norm"]
    assert before["experiment"] == after["experiment"]


@pytest.mark.parametrize(
    "flags",
    [
        [],
        ["--loss-at", "last"],
        ["--loss-step", "total"],
        ["--loss-step", "4"],
        ["--task", "names", "--sample", "7"],
        ["--steps", "1"],
        ["--gain", "100", "--activation", "identity", "--steps", "40"],
        ["--gain", "0"],
        ["--cell", "rnn,lstm,gru", "--steps", "30"],
        ["--cell", "rnn,lstm,gru", "--task", "captions", "--layers", "2"],
    ],
    ids=" ".join,
)
def test_gradients_in_text_fit_80_columns_and_show_every_step(capsys, monkeypatch, flags):
    monkeypatch.delenv("COLUMNS", raising=False)
    code, out, err = says(capsys, "gradients", *flags)
    assert (code, err) == (0, "")
    assert max(len(line) for line in out.split("\n")) <= 80
    first = strict(says(capsys, "gradients", "--json", *flags)[1])
    first = first[0] if isinstance(first, list) else first
    last = len(first["grad_norm"]) - 1 if first["loss_step"] == "total" else first["loss_step"]
    rows = [int(line.split()[0]) for line in out.split("\n") if re.match(r" +\d+ ", line)]
    assert rows == list(range(last, -1, -1))


def test_bars_stand_in_the_order_of_the_norms(capsys):
    _, out, _ = says(capsys, "gradients", "--gain", "0.3", "--steps", "30")
    bars = [line.count("█") for line in out.split("\n") if re.match(r" +\d+ ", line)]
    assert bars == sorted(bars, reverse=True)
    assert bars[0] > 2 * bars[20] > 0


def test_a_gradient_that_is_really_gone_says_underflow(capsys):
    flags = ["--gain", "0.00001", "--steps", "100", "--points", "200"]
    assert "underflow" in says(capsys, "gradients", *flags)[1]


# -- terminals and pipes -----------------------------------------------------------------------------------


def in_a_terminal(*arguments, **env):
    main_side, side = pytest.importorskip("pty").openpty()
    settings = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
    settings |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "100", **env}
    with subprocess.Popen([*RNNVIZ, *arguments], stdin=side, stdout=side, stderr=side, env=settings) as run:
        os.close(side)
        parts = []
        while True:
            try:
                part = os.read(main_side, 1 << 16)
            except OSError:  # how Linux says that the other side is closed
                break
            if not part:
                break
            parts.append(part)
    os.close(main_side)
    assert run.returncode == 0
    return b"".join(parts).decode()


def test_colours_in_a_terminal_and_none_with_no_color():
    assert "\x1b[38;2;232;149;76m" in in_a_terminal("train", "--epochs", "1")
    assert "\x1b[38;5;" in in_a_terminal("train", "--epochs", "1", COLORTERM="")
    plain = in_a_terminal("train", "--epochs", "1", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*(3|9)[0-9][;m]", plain)


def test_a_pipe_gets_no_escape_and_80_columns():
    run = rnnviz("train", "--epochs", "1")
    assert "\x1b" not in run.stdout
    assert max(map(len, run.stdout.split("\n"))) == 80


@pytest.mark.slow
def test_another_encoding_gets_ascii():
    characters = ["train", "--task", "characters", "--epochs", "1"]
    for arguments in (["train", "--epochs", "2"], characters, ["gradients", "--cell", "rnn,gru"]):
        run = rnnviz(*arguments, env={"PYTHONIOENCODING": "ascii"})
        assert (run.returncode, run.stderr) == (0, "")
        assert run.stdout.isascii()
        assert "?" not in run.stdout


@pytest.mark.parametrize("arguments", [["train"], ["gradients"], ["train", "--json"], ["--help"]], ids=" ".join)
def test_a_closed_pipe_is_silent(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run([*RNNVIZ, *arguments], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert run.stderr == ""
    assert run.returncode == (0 if "--help" in arguments else 141)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", [["train", "--epochs", "1"], ["gradients", "--json"], ["lessons"]], ids=" ".join)
def test_a_full_disk_is_one_line(arguments):
    with open("/dev/full", "w") as full:
        run = subprocess.run([*RNNVIZ, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
    assert run.stderr.endswith("the output cannot be written: No space left on device\n")
    assert run.stderr.count("\n") == 1
    assert run.returncode == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_where_nothing_at_all_can_be_written_the_exit_code_tells_it():
    with open("/dev/full", "w") as full:
        for arguments in (["gradients"], ["--bad"]):
            assert subprocess.run([*RNNVIZ, *arguments], stdout=full, stderr=full).returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_not_written_to(closed):
    for arguments, code in (("gradients", 0), ("train --epochs 1 --json", 0), ("--version", 0), ("--bad", 2)):
        run = subprocess.run(
            ["sh", "-c", f"{sys.executable} -m rnnviz {arguments} {closed}"], capture_output=True, text=True
        )
        assert run.returncode == code, (arguments, run.stderr)
        assert "Traceback" not in run.stderr


def test_json_says_the_same_in_any_encoding():
    arguments = ["train", "--task", "captions", "--epochs", "0", "--json"]
    plain = rnnviz(*arguments, env={"PYTHONIOENCODING": "ascii"}).stdout
    assert plain.isascii()
    assert strict(plain) == strict(rnnviz(*arguments, env={"PYTHONIOENCODING": "utf-8"}).stdout)
    assert "∎" in json.dumps(strict(plain)["targets"], ensure_ascii=False)


# -- errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--hiden", "3"], "did you mean --hidden"),
        (["--hiden=3"], "did you mean --hidden"),
        (["--kiosk", "--learner", "ada", "--progress", ""], "--progress: the name is empty; name a folder"),
        (["--lessons", ""], "--lessons: the name is empty"),
        (["--data", ""], "--data: the name is empty; name a file or folder"),
        (["--experiment="], "--experiment: the name is empty"),
        (["show", "--lesson", ""], "--lesson: the name is empty; name a lesson"),
        (["show", "-o", ""], "-o: the name is empty; name a file"),
        (["tran"], "did you mean train"),
        (["--seed", "1", "train"], "put the command first"),
        (["--theme", "light", "lesson", "2"], "put the command first: rnnviz lesson …"),
        (["train", "--hidden"], "--hidden"),
        (["train", "--hidden", "0"], "--hidden: 0 is out of range; it must be at least 1"),
        (["train", "--hidden", "2.5"], "--hidden: '2.5' is not a whole number"),
        (["train", "--lr", "nan"], "--lr: nan is not a finite number"),
        (["train", "--cell", "lstn"], "--cell: 'lstn' is unknown; choose from rnn, lstm, gru"),
        (["train", "--loss-at", "0"], "--loss-at"),
        (["train", "--truncate", "5"], "--truncate"),
        (["train", "--steps", "50"], "--steps: a window of 50 steps"),
        (["train", "--steps", "49"], "--validation-split"),
        (["train", "--task", "recall", "--lag", "30", "--steps", "20"], "--lag: 30 does not fit"),
        (["train", "--lag", "3"], "--lag"),
        (["train", "--task", "characters", "--source", "/no/such/file"], "--source: /no/such/file"),
        (["train", "--momentum", "0.5", "--optimizer", "adam"], "--momentum"),
        (["train", "no-such.toml"], "no-such.toml: cannot be read"),
        (["train", "a.toml", "--experiment", "b.toml"], "give one"),
        (["train", "3"], "is not a command or an experiment"),
        (["gradients", "--loss-step", "11"], "--loss-step: step 11 carries no loss"),
        (["gradients", "--loss-step", "x"], "--loss-step"),
        (["gradients", "--sample", "40"], "--sample: 40"),
        (["gradients", "--after-epochs", "-1"], "--after-epochs"),
        (["--cell", "rnn,lstm"], "--cell"),
        (["gradients", "--loss-step", 5000 * "9"], "9… is not a step"),
        (["gradients", "--sample", 5000 * "9"], "9… is not a whole number"),
        (["train", "--seed", "1" + 400 * "0"], "--seed: a number this long is out of range"),
        (["train", "--json=3"], "--json: takes no value"),
        (["train", "--" + 5000 * "x"], "unknown flag"),
        (["train", "--task", "adding", "--samples", "1000000", "--steps", "10000"], "experiment: would take"),
        (["train", "--points", "1000000", "--steps", "5000"], "experiment: would take"),
        ([], "rnnviz read"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_one_line_on_stderr_and_2(capsys, arguments, words):
    code, out, err = says(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert len(err) < 500
    assert err.startswith("rnnviz")
    assert words in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--cell", "gru,rnn", "--init", "chrono"],
        ["gradients", "--cell", "gru,rnn", "--init", "chrono", "--after-epochs", "3"],
        ["gradients", "--loss-step", "11", "--after-epochs", "3"],
        ["gradients", "--sample", "40", "--after-epochs", "3"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_told_before_anything_is_trained(capsys, monkeypatch, arguments):
    monkeypatch.setattr("rnnviz.nn.Training.run_epoch", lambda *_: pytest.fail("trained"))
    code, out, err = says(capsys, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_the_advice_fits_80_columns(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    out = says(capsys, "train", "--task", "recall", "--epochs", "1")[1]
    assert "--optimizer adam" in out
    assert max(map(len, out.split("\n"))) <= 80


def test_memory_that_runs_out_is_told_in_one_line(capsys, monkeypatch):
    def exhausted(*_):
        raise MemoryError

    monkeypatch.setattr("rnnviz.experiment.run.build_task", exhausted)
    code, out, err = says(capsys, "train")
    assert (code, out) == (2, "")
    assert err == "rnnviz train: not enough memory for this; use fewer steps, sequences or units\n"


def test_a_file_with_a_mistake_says_where(tmp_path, capsys):
    for content, words in (("hiden_size = 3", "did you mean hidden_size"), ("a = = 1", "not valid TOML")):
        path = tmp_path / "experiment.toml"
        path.write_text(content)
        code, _, err = says(capsys, "gradients", str(path))
        assert code == 2
        assert str(path) in err
        assert words in err


@pytest.mark.parametrize("term", [None, "dumb"])
def test_a_terminal_without_a_full_screen_is_refused(monkeypatch, capsys, term):
    class Tty(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Tty())
    monkeypatch.setattr(sys, "stdout", Tty())
    monkeypatch.delenv("TERM") if term is None else monkeypatch.setenv("TERM", term)
    assert main([]) == 2
    assert "TERM" in capsys.readouterr().err


def test_every_setting_has_its_flag(capsys):
    from rnnviz.experiment.experiment import SETTINGS

    for command in ([], ["train"], ["gradients"]):
        code, out, _ = says(capsys, *command, "--help")
        assert code == 0
        for setting in SETTINGS.values():
            assert re.search(rf"^  {setting.option}\b", out, re.M), setting.name
        assert max(map(len, out.split("\n"))) <= 110


@pytest.mark.skipif(os.name != "posix", reason="needs limits of memory")
def test_too_little_memory_for_the_app_is_one_line() -> None:
    """Before anything of it is on the screen: NumPy's library would end it there."""
    program = (
        "import resource, sys\nfrom rnnviz.cli import main, surroundings\nsurroundings.is_tty = lambda stream: True\n"
        "resource.setrlimit(resource.RLIMIT_AS, (400_000_000, -1))\nraise SystemExit(main.main([]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, "TERM": "xterm"}
    )
    needs = "rnnviz: the app needs 600 MB of memory, but the limit (ulimit -v) is 400 MB; rnnviz re"
    assert (run.returncode, run.stderr[: len(needs)]) == (2, needs)
