"""The score as a pure drawing: at any size, for any cell and task, whatever the numbers; what it says is the trace."""

import random
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz.experiment.evaluate import continue_text
from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons import points
from rnnviz.nn import Trace
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.metrics import norm
from rnnviz.numbers import factor, fixed, percent, portion, scientific
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, Cut, Measure, Seek, SelectUnit, ShowGradient, ShowSample, Train
from rnnviz.scene.cursor import Cursor, Phase
from rnnviz.scene.frame import Frame
from rnnviz.tasks import NAMES
from rnnviz.tui import marks, panels, score, state_rows, status_lines
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.geometry import columns
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.sequence import _with_share
from rnnviz.tui.view import View
from rnnviz.tui.voice import VOICE
from rnnviz.views.gradient import gradient_of
from rnnviz.views.prepare import outcome, prepare, read
from rnnviz.words.narration import narrate
from tests.nn.cells_here import fitting

PALETTES = [Palette(colors, dark) for colors in ("truecolor", "256", "standard", "none") for dark in (True, False)]


def back(player: Player, t: int) -> Frame:
    """The walk back, as far as step t."""
    frame = player.frame
    return replace(frame, cursor=replace(frame.cursor, phase=Phase.BACKWARD, t=t))


def drawn(frame: Frame, width: int = 80, height: int = 20, palette: Palette = PALETTES[0]) -> list[str]:
    return score.draw(frame, width, height, palette).plain()


def row(lines: list[str], name: str) -> str:
    (found,) = [line for line in lines if line.startswith(name)]
    return found


# -- nothing makes it stumble --------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("task", NAMES)
def test_it_draws_at_any_size_wherever_the_cursor_is(task: str, cell: str) -> None:
    rng = random.Random(task + cell)
    small = {} if task in ("sine", "characters") else {"samples": 20}
    player = Player(Experiment(task=task, cell=cell, hidden_size=fitting(cell, rng.choice([1, 2, 7])), **small))
    T = player.frame.T
    for _ in range(40):
        phase = rng.choice(list(Phase))
        t = T if phase is Phase.LOSS else rng.randint(0, T)
        loss_step = rng.choice([None, *player.frame.scene.loss_steps])
        cursor = Cursor(phase=phase, t=t, unit=rng.randrange(player.frame.scene.H))
        scene = prepare(player.frame.scene, Measure("gradient", loss_step))
        frame = replace(player.frame, scene=scene, cursor=cursor, loss_step=loss_step)
        width, height = rng.choice([(1, 1), (10, 3), (31, 8), (60, 11), (80, 20), (200, 60)])
        palette = rng.choice(PALETTES)
        lines = drawn(frame, width, height, palette)
        assert [len(line) for line in lines] == [width] * height
        assert all(len(line) <= 78 for line in narrate(frame, VOICE)), narrate(frame, VOICE)
        status_lines.title(frame, width, palette)
        for panel in (panels.BY_ID["compare"], panels.BY_ID["words"]):
            sheet = sheet_for(panel, frame, View(panel=panel.id), width, height, palette)
            assert (sheet.width, sheet.height) == (width, height)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300, 0.0])
@pytest.mark.parametrize("cell", CELLS)
def test_it_draws_what_is_no_number(cell: str, bad: float) -> None:
    player = Player(Experiment(cell=cell, seq_len=6))
    model = player.frame.scene.model
    broken = model.with_params({name: np.full_like(w, bad) for name, w in model.params.items()})
    scene = player.frame.scene
    with np.errstate(all="ignore"):
        trace = broken.trace(scene.trace.x, scene.trace.targets)
        broken_scene = read(scene.task, 0, broken, trace, loss_step=3)
        for phase, t in ((Phase.FORWARD, 3), (Phase.LOSS, 6), (Phase.BACKWARD, 2), (Phase.UPDATE, 0)):
            for loss_step in (None, 6, 3):
                cursor = Cursor(phase=phase, t=t)
                frame = replace(player.frame, scene=broken_scene, cursor=cursor, loss_step=loss_step)
                for palette in PALETTES:
                    drawn(frame, palette=palette)
                narrate(frame, VOICE)


@pytest.mark.parametrize(("hidden_size", "seq_len"), [(128, 40), (20, 500), (128, 500)])
@pytest.mark.parametrize("cell", CELLS)
def test_large_networks_and_long_sequences_are_windowed_and_say_so(cell: str, hidden_size: int, seq_len: int) -> None:
    player = Player(Experiment(cell=cell, hidden_size=hidden_size, seq_len=seq_len, points=seq_len + 20))
    frame = back(player, seq_len - 30)
    player.do(SelectUnit(hidden_size // 2))
    lines = drawn(replace(player.frame, cursor=replace(frame.cursor, unit=hidden_size // 2)))
    if hidden_size > 20:
        assert any(f"of {hidden_size} ↑↓" in line or f"/{hidden_size}" in line for line in lines)
        value = fixed(float(frame.scene.trace.h[seq_len - 30, 0, hidden_size // 2]), 3)
        assert any(value in line for line in lines)
    if seq_len > 50:
        cols = columns(80, seq_len, seq_len - 30)
        time = row(lines, "time t")
        assert "‹" in time
        assert f"{cols.first}–{cols.first + cols.count - 1} of {seq_len}" in time
    lines = drawn(back(player, 5))
    assert ("›" in row(lines, "time t")) == (seq_len > 50)


# -- gates and the highway -----------------------------------------------------------------------------


@pytest.mark.parametrize(("cell", "names"), [("lstm", "figo"), ("gru", "zrn"), ("rnn", "")])
def test_gates_show_the_chosen_unit_and_the_mean(cell: str, names: str) -> None:
    player = Player(Experiment(cell=cell))
    player.do(SelectUnit(3))
    player.do(Seek(7))
    trace, lines = player.frame.scene.trace, drawn(player.frame)
    assert set(trace.gates) == set(names)
    blocks = {block.name: block for block in CELLS[cell].blocks}
    assert state_rows.gate_rows(CELLS[cell]) == tuple(names)
    for gate in names:
        line = row(lines, blocks[gate].row)
        own, mean = trace.gates[gate][6, 0, 3], trace.gates[gate][6, 0].mean()
        assert fixed(float(own), 2).lstrip("+") in line
        assert fixed(float(mean), 2).lstrip("+") in line
        if not blocks[gate].is_signed:  # the numbers stand in the columns, too
            assert line[10:54].split() == [portion(float(v)) for v in trace.gates[gate][:7, 0, 3]] + ["·"] * 3
    assert any(line.startswith("cell c") for line in lines) == (cell == "lstm")


def test_narrow_columns_show_gates_as_bars_as_high_as_they_are_open() -> None:
    player = Player(Experiment(cell="lstm", seq_len=40, forget_bias=4.0))
    player.do(Seek(40))
    line = row(drawn(player.frame), "forget f")
    f = player.frame.scene.trace.gates["f"][:, 0, 0]
    assert line[11:51] == "".join(" ▁▂▃▄▅▆▇█"[min(8, 1 + int(v * 8))] for v in f)


def highway(trace: Trace, k: int | None) -> tuple[str, Any]:
    lane = gradient_of(trace, k).highway
    assert lane is not None
    return lane.along, lane.norms


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("loss_step", [10, 6, None])
def test_the_side_names_both_paths(cell: str, loss_step: int | None) -> None:
    player = Player(Experiment(cell=cell))
    player.do(ShowGradient("total" if loss_step is None else loss_step))
    t = 3
    lines = drawn(back(player, t))
    name, norms = highway(player.frame.scene.trace, loss_step)
    own = player.frame.scene.trace.grad_norm(loss_step)
    at = next(i for i, line in enumerate(lines) if line.startswith("‖∂L"))
    assert lines[at].rstrip().endswith(f"h {scientific(own[t])} × {factor(own[t] / own[t + 1])}")
    assert lines[at + 1].rstrip().endswith(f"{name} {scientific(norms[t])} × {factor(norms[t] / norms[t + 1])}")


def test_the_highway_of_an_lstm_is_the_gradient_of_its_cell_state() -> None:
    trace = Player(Experiment(cell="lstm")).frame.scene.trace
    assert np.array_equal(highway(trace, 7)[1], norm(trace.item(7).grad_c, axis=(1, 2)))
    assert np.array_equal(highway(trace, None)[1], norm(trace.grad_c, axis=(1, 2)))


@pytest.mark.parametrize("loss_step", [8, 10, None])
def test_the_highway_of_a_gru_is_its_gradient_where_nothing_but_z_carries_it(loss_step: int | None) -> None:
    """Cut the recurrent weights after the forward pass and h_t passes on through z ⊙ alone; the gates stay those
    of the trace, since they are read from it."""
    trace = Player(Experiment(cell="gru")).frame.scene.trace
    readout, z = trace.params["readout.weight"], trace.gates["z"][:, 0]
    expected = np.zeros((trace.T + 1, trace.H))
    for k in range(1, trace.T + 1) if loss_step is None else [loss_step]:
        for t in range(k + 1):
            expected[t] += np.prod(z[t:k], axis=0) * (trace.grad_y[k - 1, 0] @ readout)
    name, norms = highway(trace, loss_step)
    assert name == "z"
    assert norms == pytest.approx(np.linalg.norm(expected, axis=1), rel=1e-12)


def test_with_all_gates_open_the_highway_keeps_everything() -> None:
    """z = 1: h is copied, and so is the gradient."""
    player = Player(Experiment(cell="gru"))
    model, trace = player.frame.scene.model, player.frame.scene.trace
    params = {name: w.copy() for name, w in model.params.items()}
    params["rnn.bias_ih_l0"][20:40] = 1e3
    norms = highway(model.with_params(params).trace(trace.x, trace.targets), 10)[1]
    assert norms == pytest.approx(np.full(11, norms[10]))


def test_the_two_paths_are_told_apart_without_colour() -> None:
    plain = PALETTES[-1]
    wide = drawn(back(Player(Experiment(cell="lstm")), 2), palette=plain)
    at = next(i for i, line in enumerate(wide) if line.startswith("‖∂L"))
    picture = "".join(line[10:54] for line in wide[at : at + 4])
    assert "█" in picture
    assert any(dash in picture for dash in "⠉⠒⠤⣀"), "a line beside the bars"


def test_cell_states_beyond_one_tell_what_the_strongest_colour_stands_for() -> None:
    player = Player(Experiment(cell="lstm"))
    scene = player.frame.scene
    params = {name: w * 8 for name, w in scene.model.params.items()}
    trace = scene.model.with_params(params).trace(scene.trace.x, scene.trace.targets)
    frame = replace(player.frame, scene=read(scene.task, 0, scene.model, trace), cursor=Cursor(t=10))
    assert abs(trace.c).max() > 1
    assert any(line.startswith(f"±{abs(trace.c).max():.3g}") for line in drawn(frame))


# -- tasks that speak ----------------------------------------------------------------------------------


def read_to_the_end(task: str, **settings: object) -> Frame:
    player = Player(Experiment(task=task, **settings))
    return player.do(Seek(player.frame.T))


def under(line: str, frame: Frame, t: int) -> str:
    cols = columns(80, frame.T, t)
    return line[cols.x(t) : cols.x(t) + cols.width].strip()


def test_the_numbers_of_two_units_to_a_row_stand_below_each_other() -> None:
    """The selected unit has a decimal more; the second unit of its row begins where those of the other rows do."""
    player = Player(Experiment(task="recall", lag=30, hidden_size=32, samples=20))
    frame = replace(player.frame, cursor=Cursor(phase=Phase.LOSS, t=player.frame.T, unit=2))
    rows = [line for line in drawn(frame) if re.search(r" \d+–\d+ +[+-]\d\.\d\d", line[10:])]
    starts = {tuple(m.start() for m in re.finditer(r"[+-]\d\.\d", line)) for line in rows}
    assert len(rows) >= 4
    assert len(starts) == 1
    assert sum(bool(re.search(r"\.\d{3}", line)) for line in rows) == 1


@pytest.mark.parametrize("task", ["recall", "copying", "names", "characters", "captions"])
def test_letters_stand_in_their_columns(task: str) -> None:
    frame = read_to_the_end(task)
    lines = drawn(frame)
    tokens = frame.scene.task.tokens(frame.scene.sample)
    answers = frame.scene.task.answers(frame.scene.trace.y[:, 0])
    for t in range(1, frame.T + 1):
        assert under(row(lines, "input x"), frame, t) == tokens[t - 1].strip()
        said = under(row(lines, "output ŷ"), frame, t)
        assert answers[t - 1].startswith(said)
        target = under(row(lines, "target"), frame, t)
        right = frame.scene.answer(t) if t in frame.scene.loss_steps else ""
        assert right.strip().startswith(target)
        assert bool(target) == bool(right.strip()), "the target stands where the loss is, and nowhere else"


@pytest.mark.parametrize(("task", "settings"), [("recall", {}), ("recall", {"seq_len": 30, "lag": 12}),
                                                ("captions", {}), ("copying", {})])  # fmt: skip
def test_a_line_leads_from_what_is_needed_to_the_answer(task: str, settings: dict) -> None:
    frame = read_to_the_end(task, **settings)
    k = frame.scene.last_loss_step
    (needed,) = frame.scene.needs(k)
    cols = columns(80, frame.T, frame.T)
    line = drawn(frame)[1]
    assert line[cols.x(needed)] == "▲"
    assert line[cols.x(k)] == "▶"
    assert f" {k - needed} steps " in line
    assert set(line[: cols.x(needed)].strip()) == set()


def test_the_two_addends_are_marked_and_written_out() -> None:
    for sample in range(20):
        player = Player(Experiment(task="adding", seq_len=24, samples=25))
        for _ in range(sample):
            player.do(ShowSample(1))
        frame = player.do(Seek(24))
        first, second = frame.scene.needs(24)
        x = frame.scene.trace.x[:, 0]
        assert x[[first - 1, second - 1], 1].tolist() == [1.0, 1.0]
        assert x[first - 1, 0] + x[second - 1, 0] == pytest.approx(frame.scene.target_values[-1, 0])
        line, cols = drawn(frame)[1], columns(80, 24, 24)
        assert line[cols.x(first)] == "▲"
        if cols.x(second) - cols.x(first) > 4 and second < 22:
            assert line[cols.x(first) + 1 : cols.x(first) + 4] == portion(float(x[first - 1, 0]))
            assert line[cols.x(second) :].startswith("▲" + portion(float(x[second - 1, 0])))


def test_what_an_answer_needs_depends_on_the_step_that_is_asked_about() -> None:
    player = Player(Experiment(task="copying"))
    lag = player.frame.scene.task.lag
    for k in (lag + 1, lag + 3):
        player.do(ShowGradient(k))
        assert player.frame.scene.needs(player.frame.loss_step) == (k - lag,)
    assert player.frame.scene.needs(lag) == ()


def test_a_targets_probability_keeps_its_sign_at_80_columns() -> None:
    lines = drawn(read_to_the_end("names"))
    assert re.search(r"target \S+ [\d.]+ %", row(lines, "target")), row(lines, "target")


@pytest.mark.parametrize("task", ["recall", "names", "captions", "characters", "copying"])
def test_probabilities_are_those_of_the_outputs(task: str) -> None:
    frame = read_to_the_end(task)
    y = frame.scene.trace.y[-1, 0]
    p = np.exp(y) / np.exp(y).sum()
    guesses = frame.scene.guesses(frame.T)
    assert sum(share for _, share in guesses) == pytest.approx(1)
    assert [share for _, share in guesses] == pytest.approx(sorted(p, reverse=True))
    label, share = guesses[0]
    assert label == frame.scene.task.answers(frame.scene.trace.y[-1:, 0])[0]
    assert f"{label[:7]} {percent(share)}" in row(drawn(frame), "output ŷ")


def test_the_loss_of_one_judged_step_is_the_probability_that_is_told() -> None:
    frame = read_to_the_end("names")
    right = dict(frame.scene.guesses(frame.T))[frame.scene.answer(frame.T)]
    assert frame.scene.trace.loss == pytest.approx(-np.log(right))
    told = narrate(replace(frame, cursor=replace(frame.cursor, phase=Phase.LOSS)), VOICE)
    assert percent(right) in told[0]
    assert frame.scene.answer(frame.T) in told[0]
    assert frame.scene.describe(answered=True) in told[1]


def test_characters_go_on_alone_and_the_same_network_always_writes_the_same() -> None:
    player = Player(Experiment(task="characters", cell="gru", hidden_size=12))
    first = outcome(player.frame.scene).continuation
    assert len(first) == 120
    assert set(first) <= set(player.frame.scene.task.labels)
    assert outcome(Player(Experiment(task="characters", cell="gru", hidden_size=12)).frame.scene).continuation == first
    assert player.do(Train("epoch")).scene.outcome.continuation != first


def test_the_continuation_is_drawn_from_what_the_network_expects_after_all_it_has_read() -> None:
    """A network sure of itself: its first drawn letters are the likeliest ones, step by step."""
    player = Player(Experiment(task="characters", hidden_size=8, seq_len=10))
    scene = player.frame.scene
    params = {name: w.copy() for name, w in scene.model.params.items()}
    params["readout.weight"] = params["readout.weight"] * 1e3
    model = scene.model.with_params(params)
    text = continue_text(model, scene.task, 0)
    assert text is not None
    x = scene.task.x[0]
    for letter in text[:5]:
        y = model.forward(x[:, None])[-1, 0]
        assert scene.task.labels[int(y.argmax())] == letter
        x = np.concatenate([x, np.eye(len(y))[None, y.argmax()]])


# -- by keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cell", "task"), [("lstm", "recall"), ("gru", "names"), ("rnn", "adding"),
                                            ("lstm", "captions"), ("gru", "characters")])  # fmt: skip
async def test_a_walk_by_keys_shows_the_numbers_of_the_trace(cell: str, task: str) -> None:
    app = RnnvizApp(Experiment(task=task, cell=cell), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        loss = app.main.frame.scene.trace.loss
        for key, sample in (("w", 1), ("W", 0)):
            await pilot.press(key)
            await app.settled()
            await pilot.pause()
            assert app.main.frame.scene.sample == sample
            assert app.main.frame.scene.describe(answered=False) in app.main.query_one("#telling")._sheet.plain()[0]
        assert app.main.frame.scene.trace.loss == loss
        T = app.main.frame.T
        await pilot.press("end", "right", *["left"] * 3)
        await app.settled()
        trace = app.main.frame.scene.trace
        t = T - 2
        assert app.main.frame.cursor.t == t
        lines = app.main.query_one("#score")._sheet.plain()
        at = next(i for i, line in enumerate(lines) if line.startswith("‖∂L"))
        assert scientific(float(trace.grad_norm(T)[t])) in lines[at]
        assert f"× {factor(float(trace.grad_norm(T)[t] / trace.grad_norm(T)[t + 1]))}" in lines[at] + lines[at + 1]


@pytest.mark.parametrize("task", [name for name in NAMES if name != "sine"])
async def test_the_panel_in_words_shows_the_answer_and_how_likely_it_is(task: str) -> None:
    app = RnnvizApp(Experiment(task=task), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        app.main.open_panel("words")
        await pilot.press("end")
        await app.settled()
        await pilot.pause()
        shown = "\n".join(app.main.query_one("#panel")._sheet.plain())
        frame = app.main.frame
        T = frame.T
        if frame.scene.probabilities is None:
            assert f"Prediction after step {T}: {fixed(float(frame.scene.trace.y[T - 1, 0, 0]))}" in shown
            assert f"The target is {fixed(float(frame.scene.target_values[T - 1, 0]))}" in shown
        else:
            share = dict(frame.scene.guesses(T))[frame.scene.answer(T)]
            (right,) = [line for line in shown.splitlines() if "◂ right" in line]
            assert percent(share) in right
        assert frame.scene.describe(answered=True)[:30] in shown
        if task == "characters":
            assert frame.scene.outcome.continuation.split()[0] in shown


# -- what is easily misread ------------------------------------------------------------------------------


def side(frame: Frame, width: int = 80) -> str:
    left = columns(width, frame.T, frame.cursor.t).end + 2
    return "\n".join(line[left:].rstrip() for line in drawn(frame, width))


def test_a_gradient_that_grows_has_no_half_life() -> None:
    frame = back(Player(Experiment(gain=1.6)), 3)
    assert "it grows backwards" in side(frame)
    assert "half-life" not in side(frame)
    fading = side(back(Player(), 3))
    assert "half-life 7.2" in fading
    assert "grows" not in fading


def test_with_the_loop_cut_nothing_is_left_and_nan_is_not_said() -> None:
    player = Player()
    player.do(Cut())
    for t, says in ((9, "W_hh is 0"), (5, "W_hh is 0")):
        shown = side(back(player, t))
        assert says in shown
        assert "gone in one step" in shown
        assert "nan" not in shown
        assert "half-life" not in shown


@pytest.mark.parametrize(("units", "height"), [(20, 20), (6, 20), (9, 20), (256, 20), (20, 46)])
@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_a_subscript_is_a_time_and_units_have_their_numbers(cell: str, units: int, height: int) -> None:
    player = Player(Experiment(cell=cell, hidden_size=units, seq_len=24))
    player.do(Seek(5))
    player.do(SelectUnit(units - 1))
    frame = player.frame
    lines = drawn(frame, 80, height)
    shown = "\n".join(line[columns(80, 24, 5).end + 2 :] for line in lines)
    assert not re.search("[hcfigo][₀-₉]", shown)
    value = fixed(float(frame.scene.trace.h[5, 0, units - 1]), 3)
    assert any(value in line and line[9] == "▸" for line in lines), "the chosen unit, and its whole value"


def test_the_labels_of_the_curves_are_their_legend() -> None:
    frame = read_to_the_end("sine")
    assert row(drawn(frame), "output ŷ")[8] in "⠉⠒⠤⣀"
    assert row(drawn(frame), "target")[8] in "⠁⠂⠄⡀"
    assert row(drawn(read_to_the_end("names")), "target")[8] == " ", "letters need none"


@pytest.mark.parametrize("value", [0.05, -0.05, 0.0, 0.3, -0.9])
def test_a_small_value_does_not_look_like_one_not_read_yet(value: float) -> None:
    assert marks.ternary(value) not in "· "
    assert (marks.ternary(value) in "+△▲") == (value > 0)


def test_the_ghost_of_another_task_is_not_named() -> None:
    player = Player()
    player.do(Change((("gain", 0.5),)))
    assert "recurrent gain 1.0" in "\n".join(drawn(back(player, 3)))
    player.do(Change((("task", "recall"),)))
    assert "recurrent gain 1.0" not in "\n".join(drawn(back(player, 3)))


def test_a_walk_beyond_the_truncation_is_named_in_the_picture() -> None:
    player = Player(Experiment(truncate="5,5"))
    for t, is_used in ((10, True), (6, True), (5, False), (0, False)):
        lines = drawn(back(player, t))
        assert any("not used: t < 6" in line for line in lines) is not is_used, t
    for truncate in ("10,10", None):
        player = Player(Experiment(truncate=truncate))
        assert not any("not used" in line for line in drawn(back(player, 0)))


@pytest.mark.parametrize("room", range(12, 24))
def test_a_class_keeps_its_probability_and_as_much_of_its_name_as_fits(room: int) -> None:
    told = _with_share("ŷ   ", "Japanese", 0.898, room)
    assert len(told) <= room
    assert told.startswith("ŷ ")
    assert told.endswith(" 89.8 %")
    assert ("Japanese" in told) == (room >= len("ŷ Japanese 89.8 %"))


def test_every_row_that_lessons_can_point_at_is_drawn_under_its_name() -> None:
    assert [row.name for row in score.ROWS] == list(points.ROWS)


@pytest.mark.parametrize(("task", "cell"), [("sine", "rnn"), ("recall", "lstm"), ("names", "gru")])
def test_a_row_that_is_pointed_at_is_marked_and_no_other(task: str, cell: str) -> None:
    frame = read_to_the_end(task, cell=cell)
    place = score.rows_of(frame, 24, Palette())
    for name in points.ROWS:
        plain, marked = score.draw(frame, 80, 24, Palette()), score.draw(frame, 80, 24, Palette(), point=name)
        changed = [y for y in range(24) if plain.cells[y] != marked.cells[y]]
        assert changed == [y for y, _ in place.where(name)]
        assert bool(changed) == (points.ROWS[name].why_not(frame) is None)
        plain_text = [row[:9] for row in plain.plain()]
        assert [row[:9] for row in marked.plain()] == plain_text, "its own words stay"
