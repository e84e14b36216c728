"""A training is seen: one picture after another while the loss curve grows, and then nothing moves."""

import asyncio

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.player.player import Player
from rnnviz.scene.commands import Seek, Train
from rnnviz.scene.frame import Progress
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.training_film import INTERVAL, PICTURES, SECONDS, Film
from tests.tui.driving import press, text


def watched(player: Player, command: Train, pictures: int = PICTURES) -> list[Progress]:
    """The reports of a training that show the network on its way."""
    found: list[Progress] = []
    job = player.begin(command)
    assert job is not None
    job.run(lambda progress: found.append(progress) if progress.seen is not None else None, pictures)
    player.finish(job)
    return found


def test_each_picture_is_the_network_after_its_epoch_and_the_place_is_kept() -> None:
    player = Player(Experiment())
    player.do(Seek(4))
    pictures = watched(player, Train("all"))
    assert [p.seen.epoch for p in pictures] == list(range(1, 20)), "the last is the end itself"
    for progress in pictures[::6]:
        own = Player(Experiment())
        own.do(Train("epoch", progress.seen.epoch))
        assert progress.seen.scene.trace.loss == own.frame.scene.trace.loss
        assert progress.seen.learning.loss == own.frame.learning.loss
    assert (player.frame.cursor.epoch, player.frame.cursor.t) == (20, 4)


def test_a_long_training_has_no_more_pictures_than_a_short_one_and_one_nobody_watches_none() -> None:
    pictures = watched(Player(Experiment(epochs=200)), Train("all"))
    assert PICTURES // 2 < len(pictures) <= PICTURES
    assert watched(Player(Experiment()), Train("all"), pictures=0) == []


def test_a_film_shows_all_at_its_pace_the_newest_when_skipped_and_nobody_waits_for_it() -> None:
    pictures = [Progress("training", n, 5) for n in range(1, 5)]
    film: Film[str] = Film()
    for picture in pictures:
        film.add(picture, now=0.0)
    film.ended("end")
    shown = [film.next(n * INTERVAL) for n in range(4)]
    assert shown == pictures
    assert film.is_over(4 * INTERVAL)

    film = Film()
    for picture in pictures:
        film.add(picture, now=0.0)
    assert not film.is_over(0.0), "the training goes on"
    film.ended("end")
    assert not film.is_over(0.0), "the pictures have not been shown"
    assert film.is_over(SECONDS), "and longer than that nobody waits"
    film.skip()
    assert film.is_over(0.0)
    assert film.next(0.0) == pictures[-1]


@pytest.mark.slow
async def test_training_is_shown_epoch_by_epoch_and_then_nothing_moves() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "right", "right", "right")
        app.main.jobs.projector.want(True)
        seen, show = [], app.main.show
        app.main.show = lambda frame: (seen.append((frame.cursor.epoch, frame.cursor.t)), show(frame))
        await pilot.press("a")
        await app.settled()
        epochs = [epoch for epoch, _ in seen]
        assert epochs == sorted(epochs)
        assert len(set(epochs)) > 5, "as many as this machine draws in two seconds"
        assert {t for _, t in seen} == {3}, "the place in the sequence is kept"
        assert app.main.frame.cursor.epoch == 20
        assert app.main.view.panel == "loss"
        assert not app.main.jobs.projector.is_loaded
        assert app.main.jobs.projector._timer is None


async def test_escape_or_another_a_skips_to_the_end() -> None:
    for key in ("escape", "a"):
        app = RnnvizApp(compile=False)
        async with app.run_test(size=(80, 24)) as pilot:
            await app.settled()
            app.main.jobs.projector.want(True)
            await pilot.press("a")
            while not app.main.shows_film:
                await asyncio.sleep(0.005)
            assert app.main.frame.cursor.epoch < 20
            await pilot.press(key)
            assert not app.main.jobs.projector.is_loaded
            assert app.main.frame.cursor.epoch == 20
            assert app.main.frame.learning.loss[-1] > 0
            await press(pilot)
            assert "All 20 epochs" not in text(app, "telling"), "the key skipped, and did nothing more"


async def test_a_long_training_says_how_far_it_is_before_its_first_picture_and_stops() -> None:
    app = RnnvizApp(Experiment(epochs=100_000), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        app.main.jobs.projector.want(True)
        await pilot.press("a")
        while app.main.frame.job is None:
            await asyncio.sleep(0.005)
        assert app.main.frame.cursor.epoch == 0, "the first picture is of epoch 5,000"
        assert "esc stop" in text(app, "keys")
        await press(pilot, "escape")
        assert not app.main.jobs.projector.is_loaded
        assert app.main.frame.cursor.epoch < 100_000
