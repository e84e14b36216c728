"""The neuron panel, driven by keys: its sums are the numbers of the score."""

from __future__ import annotations

import re

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import cell_table
from rnnviz.nn.spec import CELLS
from rnnviz.numbers import fixed
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.panels.neuron import PANEL
from tests.tui.driving import press, rows

SIZES = [((80, 24), "panel"), ((160, 50), "open")]


@pytest.mark.parametrize(("size", "where"), SIZES)
@pytest.mark.parametrize("cell", CELLS)
async def test_the_sum_is_the_number_in_the_score(cell: str, size: tuple[int, int], where: str) -> None:
    app = RnnvizApp(Experiment(cell=cell), compile=False)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        await press(pilot, PANEL.key, *["right"] * 6, "down", "down", "down")
        frame = app.main.frame
        assert frame is not None
        value = fixed(float(frame.scene.trace.h[6, 0, 3]))
        panel = "\n".join(rows(app, where))
        assert "unit 3, t = 6" in panel
        equation = panel[panel.rindex("h[3] = ") :]
        assert re.search(rf"= {re.escape(value.removeprefix('+'))}\b", equation)
        assert any(value in row for row in rows(app, "score")), "the side column shows the same digits"
        bounded = [block.name for block in cell_table.CELLS[cell].blocks if block.function]
        for name, gate in frame.scene.trace.gates.items():
            line = next(at for at, row in enumerate(rows(app, where)) if row.startswith(f" {name}[3] = "))
            told = " ".join(rows(app, where)[line : line + 2])  # the result may stand on a line of its own
            closing = r"\)" if name in bounded else r"\d"  # a function's bracket, or the sum itself
            assert re.search(rf"{closing} = {re.escape(fixed(float(gate[5, 0, 3])).removeprefix('+'))} ", told)


async def test_a_sum_of_three_terms_is_written_out_though_it_takes_a_second_line() -> None:
    app = RnnvizApp(Experiment(hidden_size=1, gain=0.5, seed=15), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, PANEL.key, "right")
        panel = " ".join(" ".join(rows(app, "panel")).split())
        assert "h[0] = tanh(0.668·x -0.059 + b 0.000 + 0.500·h[0] 0.000) = tanh(-0.039) = -0.039" in panel


async def test_the_listed_products_add_up_to_the_total() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, PANEL.key, *["right"] * 6, "down")
        panel = rows(app, "panel")
        total = re.search(r"tanh\((-?\d\.\d{3})\)", "\n".join(panel))
        assert total is not None
        products = []
        for row in panel[3:]:
            for column in range(3):
                cells = row[1 + 26 * column : 1 + 26 * (column + 1)]
                if cells.strip():
                    products.append(float(cells.split()[-1]))
        assert len(products) >= 15
        assert sum(products) == pytest.approx(float(total[1]), abs=1e-9)


@pytest.mark.parametrize("cell", CELLS)
async def test_on_the_way_back_the_sum_is_the_gradient(cell: str) -> None:
    app = RnnvizApp(Experiment(cell=cell), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, PANEL.key, "end", "right", *["left"] * 6, "down")
        frame = app.main.frame
        assert frame is not None
        gradient = float(frame.scene.trace.item(10).grad_h[5, 0, 1])
        panel = rows(app, "panel")
        at = next(y for y, row in enumerate(panel) if row.startswith(" ∂L₁₀/∂h[1] = "))
        told = re.search(r"= (-?[\d.]+(?:e[+-]\d+)?) *(\n|$)", "\n".join(panel[at : at + 2]))
        assert told is not None
        assert float(told[1]) == pytest.approx(gradient, rel=0.05, abs=0.0005)


async def test_at_the_loss_step_the_error_comes_in_through_the_readout() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, PANEL.key, "end", "right", "left")
        panel = "\n".join(rows(app, "panel"))
        assert "through the readout alone" in panel
        assert "∂ŷ" in panel
        await press(pilot, "comma", "comma")
        assert "the loss of step 8 does not depend on a later state" in "\n".join(rows(app, "panel"))


async def test_the_chosen_unit_stands_out_and_keeps_within_the_units() -> None:
    app = RnnvizApp(Experiment(hidden_size=3), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "right", PANEL.key, "up")
        assert "unit 0, t = 1" in rows(app, "panel")[0]
        await press(pilot, *["down"] * 5)
        assert "unit 2, t = 1" in rows(app, "panel")[0]
        marked = [row for row in rows(app, "score") if row[9] == "▸"]
        assert len(marked) == 1
        assert "unit 2" in marked[0]


async def test_before_the_first_step_there_is_nothing_to_add_up() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, PANEL.key)
        assert "the start value" in rows(app, "panel")[0]
