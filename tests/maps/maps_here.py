"""Maps whose points take milliseconds, and an executor that runs them at once."""

from concurrent.futures import Executor, Future

from rnnviz.experiment.experiment import Experiment
from rnnviz.maps.axis import Axis
from rnnviz.maps.grid import GridSpec
from rnnviz.maps.run import run

TINY = Experiment(task="recall", samples=100, epochs=1, hidden_size=3, batch_size=90, learning_rate=0.5)


def spec(x="gain=0.5:1.5:2", y="lag=2,3", cells=("rnn", "gru"), seeds=2, base=TINY):
    return GridSpec(base, Axis.parse(x), None if y is None else Axis.parse(y), cells, seeds)


class AtOnce(Executor):
    """Runs each part where it is handed over. stop: as if the process were killed, after so many parts."""

    def __init__(self, stop=None):
        self.parts, self.stop = 0, stop

    def submit(self, fn, /, *args, **kwargs):
        if self.stop is not None and self.parts >= self.stop:
            raise KeyboardInterrupt
        self.parts += 1
        future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def filled(store, stop=None, **more):
    """The store with its missing points, and how many parts were handed over."""
    executor = AtOnce(stop)
    try:
        run(store, executor, workers=1, chunk=1, **more)
    except KeyboardInterrupt:
        assert stop is not None
    return executor.parts


def numbers(store):
    """Every point by its place, without the seconds: what has to be the same each time, bit for bit."""
    found = {}
    for site in store.spec.sites():
        point = store.at(site)
        if point is not None:
            line = point.to_json()
            found[site] = line[: line.index('"seconds"')] + line[line.index('"error"') :]
    return found
