"""A recording as its writer and its reader see it."""

import numpy as np

import rnnviz
from rnnviz.recordings import passes
from tests.recordings.records import random_record, replaced


def record_of(**options):
    layer = random_record(**options)
    return replaced(layer, grads=passes.weight_gradients(layer))


def test_what_is_written_is_read(tmp_path):
    lstm = record_of(levels=2, directions=2, lengths=[5, 2, 1], states=True, last=True)
    gru = replaced(
        record_of(cell="gru", dtype=np.float32), total=9, agreement=2e-7, notes=("Dropout.",), names=tuple("abc")
    )
    with rnnviz.Recorder(tmp_path / "run", about={"model": "names", "layers": 2}) as recorder:
        assert recorder.add(step=7, loss=float("nan"), layers={"encoder.lstm": lstm, "": gru},
                            extra={"lr": 1e-3, "norm": np.float32("inf"), "clipped": True})  # fmt: skip
        assert recorder.add(step=3, loss=np.float64(0.5), layers={"": gru})
    recording = rnnviz.Recording.open(tmp_path / "run")
    assert (recording.steps, len(recording), recording.note) == ((3, 7), 2, "")
    assert recording.about == {"model": "names", "layers": 2}
    first, last = recording
    assert (first.step, first.loss, first.layers, first.extra) == (3, 0.5, ("",), {})
    assert np.isnan(last.loss)
    assert (last.step, last.layers) == (7, ("encoder.lstm", ""))
    assert last.extra == {"lr": 1e-3, "norm": float("inf"), "clipped": True}
    for name, layer in (("encoder.lstm", lstm), ("", gru)):
        read = last.layer(name)
        for field in layer.__dataclass_fields__:
            ours, theirs = getattr(layer, field), getattr(read, field)
            if isinstance(ours, np.ndarray):
                assert ours.dtype == theirs.dtype
                np.testing.assert_array_equal(ours, theirs)
            elif field in ("weights", "grads"):
                assert list(ours) == list(theirs) or set(ours) == set(theirs)
                for key in ours:
                    assert ours[key].dtype == theirs[key].dtype
                    np.testing.assert_array_equal(ours[key], theirs[key])
            else:
                assert ours == theirs, field
    assert last.agreement("encoder.lstm") == 0
    assert last.is_proved("encoder.lstm")
    assert (last.agreement(""), last.is_proved(""), last.notes("")) == (2e-7, True, ("Dropout.",))
    trace = last.trace("encoder.lstm", sample=1, level=-1, direction="backward")
    assert (trace.T, trace.B, trace.H, trace.loss_name) == (2, 1, 3, "direct")
