"""The chart of a map: medians over seeds, shares, and the line where the horizon equals the lag."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.maps import of_scene
from rnnviz.maps.axis import Axis
from rnnviz.maps.chart import border_of
from rnnviz.maps.grid import GridSpec, Site
from rnnviz.maps.point import DIVERGED, FAILED, LEARNT, NOT, Point, compute
from rnnviz.maps.tally import Tally, tile
from rnnviz.player.kinds.opening import NetworkOpening, Opening
from rnnviz.player.player import Player, open_player
from rnnviz.scene.commands import Train
from rnnviz.scene.frame import Progress
from rnnviz.views.metrics import value
from rnnviz.words import map as words
from rnnviz.words.no_panel import no_map
from tests import recordings_here


def point(seed: int = 0, **values: Any) -> Point:
    return Point("key", "rnn", seed, 1.0, 5, **values)


@pytest.mark.parametrize(
    ("horizons", "lags", "last"),
    [
        ([9.0, 9.0, 9.0], [2, 8, 32], 1),
        ([math.inf, math.inf, 9.0], [2, 8, 32], 1),  # more is left than the sequence is long
        ([1.0, 1.0], [2, 4], -1),
        ([math.inf, math.inf], [2, 4], 1),
        ([None, None], [2, 4], None),
        ([None, 9.0], [2, 4], 1),
        ([None, 1.0], [2, 4], None),  # between the two, or below both
        ([9.0, None], [2, 4], None),
        # 30 - 10 = 20 at lag 10 and 10 - 40 = -30 at lag 40: equal at 10 + 30 · 20 / 50 = 22
        ([30.0, None, None, 10.0], [10, 20, 30, 40], 1),
    ],
)
def test_the_line_is_where_the_horizon_equals_the_lag(
    horizons: list[float | None], lags: list[int], last: int | None
) -> None:
    assert border_of(horizons, lags) == last


def test_a_tile_is_the_median_of_its_seeds_and_a_failed_one_counts_for_nothing() -> None:
    made = tile(
        [
            point(0, status=LEARNT, epoch=4, loss=0.1, horizon_before=3.0),
            point(1, status=LEARNT, epoch=8, loss=0.3, horizon_before=math.inf),
            point(2, status=DIVERGED, epoch=20, loss=math.inf, horizon_before=math.nan),
            point(3, status=FAILED, error="no memory"),
        ],
        5,
    )
    assert (made.seeds, made.done, made.failed, made.learnt) == (5, 4, 1, 2)
    assert made.share == pytest.approx(2 / 3)
    assert (made.loss, made.epoch) == (0.3, 6)
    assert made.horizon_before == math.inf  # of 3 and inf
    assert made.horizon_after is None  # of none
    assert tile([point(status=FAILED, error="no memory")], 1).share is None
    assert tile([], 1).share is None


def test_a_point_stands_at_every_place_where_an_axis_has_no_effect() -> None:
    spec = GridSpec(
        Experiment(task="recall"), Axis.parse("forget_bias=0,1"), Axis.parse("lag=5,10"), ("rnn", "lstm"), 2
    )
    tally = Tally(spec)
    site = Site("rnn", 0, 0.0, 5)
    tally.add(Point(spec.key(site), "rnn", 0, 0.0, 5, LEARNT, 3, 0.2, horizon_before=7.0))
    assert tally.done == 2
    assert [one.x for x in (0, 1) for one in tally.points(0, x, 0)] == [0.0, 1.0]
    assert tally.points(1, 0, 0) == []  # of the LSTM it is another one
    tally.add(Point("of another map", "rnn", 0, 0.0, 5))
    assert tally.done == 2
    chart = tally.chart()
    assert [plane.title for plane in chart.planes] == ["tanh RNN", "LSTM"]
    assert chart.lag_is_y is True
    assert (chart.x.texts, chart.y.texts) == (("0", "1"), ("5", "10"))
    assert chart.planes[0].border == (None, None)  # at lag 10 nothing is known yet
    tally.add(Point(spec.key(Site("rnn", 0, 0.0, 10)), "rnn", 0, 0.0, 10, loss=0.4, epoch=20, horizon_before=6.0))
    assert tally.chart().planes[0].border == (0, 0)
    assert tally.chart().span("loss") == (0.2, 0.4)


def test_a_map_in_words() -> None:
    spec = GridSpec(Experiment(task="recall"), Axis.parse("gain=0.5,1,1.5"), Axis.parse("lag=5,10"), seeds=2)
    tally = Tally(spec)
    for x, horizon in ((0.5, 3.0), (1.0, 7.0), (1.5, 8.0)):
        for y in (5, 10):
            status = LEARNT if horizon > y else FAILED if y == 10 and x == 1.5 else DIVERGED
            site = Site("rnn", 0, x, y)
            tally.add(
                Point(spec.key(site), "rnn", 0, x, y, status, 3, 0.25, None, horizon, math.inf, error="too large")
            )
    assert words.in_lines(tally.chart(), "share") == [
        "tanh RNN, share of seeds that learnt. Columns: recurrent gain 0.5, 1, 1.5.",
        "lag 5: 0 of 1, 1 of 1, 1 of 1",
        "lag 10: 0 of 1, 0 of 1, failed",
        "The horizon before training is at least the lag up to lag 5 at recurrent gain 1, "
        "and less than every lag at recurrent gain 0.5.",
    ]
    assert words.in_lines(tally.chart(), "horizon_before")[1] == "lag 5: 3.0, 7.0, 8.0"
    assert words.in_lines(tally.chart(), "loss")[1] == "lag 5: 0.2500, 0.2500, 0.2500"
    assert words.in_lines(tally.chart(), "horizon_after")[1] == "lag 5: all steps, all steps, all steps"
    empty = Tally(spec).chart()
    assert words.in_lines(empty, "share")[1] == "lag 5: not yet, not yet, not yet"
    assert words.where(spec, Site("rnn", 0, 0.5, 10)) == "tanh RNN, recurrent gain 0.5, lag 10"
    assert words.of_place(tally.points(0, 2, 1), 2) == "1 failed, 1 not computed yet"
    assert words.of_place(tally.points(0, 2, 0), 1) == "1 of 1 seed learnt"
    assert words.of_place([], 2) == "not computed yet"
    assert words.of_point(tally.points(0, 1, 0)[0]) == "learnt after 3 epochs, loss 0.2500, horizon 7.0 → all"
    assert words.of_point(tally.points(0, 0, 0)[0]).startswith("diverged after 3 epochs")
    assert words.of_point(tally.points(0, 2, 1)[0]) == "failed: too large"
    assert words.of_point(point(epoch=1)) == "not learnt in 1 epoch, loss nan, horizon unknown → unknown"


def test_a_run_in_short_has_room_beside_its_seed_in_60_columns() -> None:
    long = {"epoch": 150, "loss": 0.1234, "horizon_before": 10.3, "horizon_after": 112.4}
    said = [words.of_point_in_short(point(status=status, **long)) for status in (LEARNT, DIVERGED, NOT)]
    assert said[0] == "learnt, epoch 150, loss 0.1234, horizon 10 → 112"
    assert said[2] == "not learnt, loss 0.1234, horizon 10 → 112"
    assert all(len(f"seed 3: {text}") <= 60 - 4 or "diverged" in text for text in said)
    endless = point(status=LEARNT, epoch=1, loss=0.1, horizon_before=1.5, horizon_after=math.inf)
    assert words.of_point_in_short(endless) == "learnt, epoch 1, loss 0.1000, horizon 1.5 → all"
    assert words.of_point_in_short(point(status=FAILED, error="no memory")) == "failed: no memory"


def test_how_far_a_map_is() -> None:
    assert words.progress(5, 20, is_on=True, seconds_left=None, resumes="") == "5 of 20 points, 25 %"
    assert words.progress(5, 20, is_on=True, seconds_left=200, resumes="") == "5 of 20 points, 25 %, 3 min left"
    assert (
        words.progress(5, 20, is_on=False, seconds_left=None, resumes=", c continues") == "5 of 20 points, c continues"
    )
    assert words.progress(1, 1, is_on=False, seconds_left=None, resumes="") == "all 1 point"
    assert [words.duration(s) for s in (0.2, 89, 90, 5399, 5400)] == ["1 s", "89 s", "2 min", "90 min", "1.5 h"]


SMALL = Experiment(
    task="recall", lag=8, gain=0.9, hidden_size=6, samples=60, batch_size=16, learning_rate=0.5, clip_norm=1.0,
    epochs=2, validation_split=0.2,
)  # fmt: skip


def test_the_map_around_an_experiment_ends_with_it_is_kept_and_can_be_cancelled() -> None:
    spec = of_scene.spec_of(SMALL)
    assert (spec.xs, spec.ys) == ((0.3, 0.5, 0.7, 0.9), (2, 4, 8))
    assert spec.experiment(Site("rnn", 0, 0.9, 8)) == SMALL
    player = Player(SMALL)
    wanted = of_scene.wanted(player.frame)
    job = player.begin(wanted)
    assert job is not None
    seen: list[int] = []

    def report(progress: Progress) -> None:
        seen.append(progress.done)
        if len(seen) == 3:
            job.cancel()

    job.run(report)
    player.finish(job)
    assert len(seen) == 3
    assert of_scene.of_frame(player.frame) is None

    found = of_scene.of_frame(player.do(wanted))
    assert found is not None
    assert value(player.frame, "map_learnt") == found.learnt
    tiles = found.chart.planes[0].tiles
    own = compute(SMALL, engine="numpy")
    assert tiles[-1][-1].loss == own.loss
    within = [
        tile.learnt for row, lag in zip(tiles, spec.ys, strict=True) for tile in row if tile.horizon_before >= lag
    ]
    assert found.within == pytest.approx(sum(within) / len(within))
    player.do(Train("epoch"))  # another scene, the same experiment: it is not computed again
    assert of_scene.of_frame(player.do(wanted)) is found


def test_a_recording_and_a_file_of_weights_have_no_map_and_train_nothing(tmp_path: Path) -> None:
    model = Player(SMALL).frame.scene.model
    recordings_here.made(tmp_path / "run", records=1)
    model.save(str(tmp_path / "weights.npz"))
    too_few = SMALL.with_(samples=30)  # to judge by
    for source in (Opening(str(tmp_path / "run")), NetworkOpening(str(tmp_path / "weights.npz"), data=SMALL), too_few):
        player = open_player(source)
        reason = no_map(player.frame)
        assert reason is not None
        assert reason.endswith(".")
        for name in ("map_within", "map_beyond", "map_learnt"):
            assert value(player.frame, name) is None
        player.do(of_scene.wanted(player.frame))
        assert of_scene.of_frame(player.frame) is None


def test_a_network_without_a_lag_or_a_gain_has_another_map_or_none() -> None:
    assert no_map(Player(Experiment(seq_len=6)).frame) is not None
    assert no_map(Player(SMALL).frame) is None
    assert of_scene.spec_of(SMALL.with_(gain=0.0)).axes[0].setting == "lag"
    assert of_scene.why_not(SMALL.with_(hidden_size=1024, samples=2000, lag=100, epochs=500)) == of_scene.TOO_LONG
