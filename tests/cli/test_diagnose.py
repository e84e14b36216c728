"""`rnnviz diagnose` as a shell sees it: output, errors, exit codes."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rnnviz.cli.commands import COMMANDS
from rnnviz.cli.diagnose import command_of
from rnnviz.cli.flags import read
from rnnviz.diagnosis.rules import RULES
from rnnviz.experiment.experiment import Experiment
from tests.cli.test_commands import RNNVIZ, rnnviz, says, strict

#: A linear RNN that keeps half of the gradient a step, untrained.
VANISHES = ("--task", "recall", "--lag", "20", "--activation", "identity", "--init", "orthogonal", "--gain", "0.5",
            "--samples", "40", "--epochs", "0")  # fmt: skip
KEYS = {"kind", "title", "measured", "findings", "not_judged", "notes"}
FINDING = {"rule", "layer", "what", "evidence", "cause", "try", "command", "pytorch", "keras", "lesson"}


def test_a_healthy_experiment_has_no_findings(capsys):
    code, out, err = says(capsys, "diagnose", "--strict")
    assert (code, err) == (0, "")
    assert "\nNo findings.\n" in out
    assert "\nMore than 1 % of the gradient of the last loss is left after all 10 steps, epoch\n20.\n" in out


def test_strict_is_3_with_a_finding_and_0_without(capsys):
    assert says(capsys, "diagnose", *VANISHES)[0] == 0
    code, out, err = says(capsys, "diagnose", *VANISHES, "--strict")
    assert (code, err) == (3, "")
    assert "1. the gradient vanishes\n" in out
    assert "\n1 finding.\n" in out
    assert "0.50 a step: slope 1.00 × weights 0.50" in " ".join(out.split())
    assert "rnnviz lesson why-gradients-vanish" in out


def test_json_has_stable_keys(capsys):
    code, out, err = says(capsys, "diagnose", *VANISHES, "--json")
    assert (code, err) == (0, "")
    report = strict(out)
    assert set(report) == KEYS
    (found,) = report["findings"]
    assert set(found) == FINDING
    assert found["rule"] == "vanishing-gradient"
    assert found["evidence"]["factor"] == pytest.approx(0.5)
    assert set(report["not_judged"]) | {found["rule"]} <= {rule.slug for rule in RULES}
    assert report["measured"]["moments"][0]["place"] == "untrained"


def test_nan_is_null_in_json_and_strict_sees_it(capsys):
    code, out, err = says(capsys, "diagnose", "--lr", "1e30", "--json", "--strict")
    assert (code, err) == (3, "")
    report = strict(out)
    assert report["findings"][0]["rule"] == "not-finite"
    assert report["measured"]["loss"] is None


def test_the_horizon_is_that_of_rnnviz_gradients(capsys):
    report = strict(says(capsys, "diagnose", *VANISHES, "--json")[1])
    horizon = strict(says(capsys, "gradients", *VANISHES, "--json")[1])["horizon"]
    assert report["measured"]["moments"][0]["layers"][0]["horizon"] == pytest.approx(horizon)
    assert f"left after {horizon:.1f} of 21 steps" in " ".join(says(capsys, "diagnose", *VANISHES)[1].split())


def test_several_cells_are_a_list(capsys):
    report = strict(says(capsys, "diagnose", "--epochs", "1", "--cell", "rnn,lstm", "--json")[1])
    assert [one["title"].split(",")[0] for one in report] == ["tanh RNN", "LSTM"]
    out = says(capsys, "diagnose", "--epochs", "1", "--cell", "rnn,lstm")[1]
    assert out.count("No findings.") == 2


def test_the_command_of_a_finding_runs(capsys):
    """It has the settings of the experiment, and the one to try."""
    (found,) = strict(says(capsys, "diagnose", *VANISHES, "--json")[1])["findings"]
    words = found["command"].split()
    assert words[:2] == ["rnnviz", "diagnose"]
    (experiment,) = read(words[2:], COMMANDS["diagnose"]).experiments
    (given,) = read(list(VANISHES), COMMANDS["diagnose"]).experiments
    assert experiment == given.with_(cell="lstm")


def test_a_command_says_every_setting_that_differs():
    experiment = Experiment(
        task="characters", source="a file's.txt", loop=False, loss_at="3,7", learning_rate=0.1, clip_norm=2.0
    )
    words = shlex.split(command_of(experiment, {"cell": "gru"}))
    assert read(words[2:], COMMANDS["diagnose"]).experiments == (experiment.with_(cell="gru"),)


@pytest.mark.parametrize(("arguments", "line"), [
    (["nothing.toml"], "nothing.toml"), (["--hidden", "0"], "--hidden"), (["--strikt"], "did you mean --strict?"),
    (["--cell", "xyz"], "xyz"), (["word"], "'word'"), (["--lag", "3"], "lag"),
])  # fmt: skip
def test_bad_input_is_one_line_and_2(capsys, arguments, line):
    code, out, err = says(capsys, "diagnose", *arguments)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"rnnviz diagnose: .*\n", err)
    assert line in err


def test_it_is_plain_at_80_columns_in_a_pipe_and_in_ascii():
    for env in ({}, {"NO_COLOR": "1"}, {"PYTHONIOENCODING": "ascii"}):
        run = rnnviz("diagnose", *VANISHES, env=env)
        assert (run.returncode, run.stderr) == (0, "")
        assert max(map(len, run.stdout.splitlines())) <= 80
        assert "\x1b" not in run.stdout
        assert run.stdout.isascii() or "PYTHONIOENCODING" not in env


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_stops_with_one_line():
    main_side, side = os.openpty()
    try:
        with subprocess.Popen(
            [*RNNVIZ, "diagnose", "--epochs", "1000000"], stdout=subprocess.PIPE, stderr=side, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as run:  # fmt: skip
            drawn = os.read(main_side, 1 << 16).decode()  # the progress line
            assert "rnn update" in drawn
            run.send_signal(signal.SIGINT)
            out, _ = run.communicate(timeout=30)
        err = os.read(main_side, 1 << 16).decode()
    finally:
        os.close(main_side)
        os.close(side)
    assert (run.returncode, out) == (130, "")
    assert re.search(r"rnnviz diagnose: stopped after update [\d,]+ of [\d,]+\r\n$", err)


def test_the_page_lists_every_rule_with_its_threshold_and_reason():
    page = (Path(__file__).parents[2] / "docs" / "diagnosis.md").read_text(encoding="utf-8")
    from rnnviz.diagnosis.page import page as generated

    assert page == generated(), f"run {sys.executable} -m rnnviz.diagnosis.page > docs/diagnosis.md"
    for rule in RULES:
        assert f"`{rule.slug}`" in page
        assert re.sub(r"\s+", " ", rule.threshold) in re.sub(r"\s+", " ", page)
