"""The column beside the score: who asks for its width gets the one it has."""

from __future__ import annotations

import pytest

from rnnviz.lessons.course import Start
from rnnviz.tui import beside
from rnnviz.tui.app import RnnvizApp


@pytest.mark.parametrize("width", [beside.WIDE_FOR_TEXT, 160, 200, 214, 300])
async def test_its_text_is_as_wide_as_the_guide_takes_it_to_be(width: int) -> None:
    app = RnnvizApp(start=Start(None, "1"), compile=False)
    async with app.run_test(size=(width, 40)):
        await app.settled()
        column = app.main.query_one("#beside")
        assert column.display
        frame = app.main.frame
        assert column.outer_size.width == beside.column_width(width, frame)
        assert app.main.query_one("#lesson-beside").size.width == beside.text_width(width, frame)
        assert app.main.query_one("#score").size.width == width - beside.column_width(width, frame)
