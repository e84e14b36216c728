"""Clipping by norm."""

from __future__ import annotations

import numpy as np

from rnnviz.nn.optimizer import Optimizer, clip
from rnnviz.workshop.exercise import Case, Exercise, Quantity, Sizes, mistake


def _clip(sizes: Sizes, rng: np.random.Generator) -> Case:
    """The norm is above the limit in every other case."""
    grads = {
        "grad_W_ih": rng.normal(size=(sizes.H, sizes.I)),
        "grad_W_hh": rng.normal(size=(sizes.H, sizes.H)),
        "grad_b": rng.normal(size=sizes.H),
    }
    norm = float(np.linalg.norm(np.concatenate([g.reshape(-1) for g in grads.values()])))
    limit = norm * float(rng.uniform(0.2, 0.6) if (sizes.T + sizes.O) % 2 == 0 else rng.uniform(1.2, 3.0))
    clipped = clip(Optimizer(clip_norm=limit, convention="keras"), grads)
    exact = {
        "norm": np.asarray(norm),
        "scale": np.asarray(min(1.0, limit / norm)),
        **{name.replace("grad", "clipped"): array for name, array in clipped.items()},
    }
    return Case({**grads, "limit": limit}, exact, sizes)


_NAMES = ("W_ih", "W_hh", "b")
_TIMES = tuple(f"scale * grad_{name}" for name in _NAMES)
_ALL_SQUARES = "np.sqrt(np.sum(grad_W_ih**2) + np.sum(grad_W_hh**2) + np.sum(grad_b**2))"

CLIP = Exercise(
    "06_clip",
    "clipping by norm",
    "clip",
    (Quantity("norm", "norm"), Quantity("scale", "scale"), *(Quantity(f"clipped_{n}", f"clipped {n}") for n in _NAMES)),
    (("norm",), ("scale",), *((f"clipped_{name}",) for name in _NAMES)),
    _clip,
    (
        mistake("the root were missing: the sum of squares", ("np.sqrt(", "(")),
        mistake("absolute values were added in place of squares", (_ALL_SQUARES, "abs(grad_W_ih).sum() + abs(grad_W_hh).sum() + abs(grad_b).sum()")),
        mistake("it were the sum of the three norms: one root of all squares is meant", (_ALL_SQUARES, "sum(np.sqrt(np.sum(g**2)) for g in (grad_W_ih, grad_W_hh, grad_b))")),
        mistake("it were the largest of the three norms: one norm over all arrays is meant", (_ALL_SQUARES, "max(np.sqrt(np.sum(g**2)) for g in (grad_W_ih, grad_W_hh, grad_b))")),
        mistake("it were the largest number", (_ALL_SQUARES, "max(abs(g).max() for g in (grad_W_ih, grad_W_hh, grad_b))")),
        mistake("it were the mean of the squares in place of their sum", (_ALL_SQUARES, "np.sqrt(np.mean(np.concatenate([grad_W_ih.ravel(), grad_W_hh.ravel(), grad_b]) ** 2))")),
        mistake("the biases were left out", (" + np.sum(grad_b**2)", "")),
        mistake("W_hh were left out", (" + np.sum(grad_W_hh**2)", "")),
        mistake("it were the norm of W_ih alone", (" + np.sum(grad_W_hh**2) + np.sum(grad_b**2)", "")),
        mistake("it were the matrix norm of W_hh, σ_max", (_ALL_SQUARES, "np.linalg.norm(grad_W_hh, 2)")),
        mistake("a gradient within the limit were stretched to it", ("limit / norm if norm > limit else 1.0", "limit / norm")),
        mistake("limit and norm were the wrong way round", ("limit / norm if", "norm / limit if")),
        mistake("1e-6 were added to the norm, as PyTorch does", ("limit / norm if", "limit / (norm + 1e-6) if")),
        mistake("the gradient were only divided by its norm", ("limit / norm if", "1 / norm if")),
        mistake("a gradient within the limit were scaled and a longer one were not", ("norm > limit", "norm < limit")),
        mistake("scale were the limit itself", ("limit / norm if", "limit if")),
        mistake("nothing were clipped", ("limit / norm if norm > limit else 1.0", "1.0")),
        mistake("each number were clipped by value: that changes the direction", *((t, t.replace("scale * ", "np.clip(") + ", -limit, limit)") for t in _TIMES)),
        mistake("each array were clipped by its own norm", *((t, f"min(1, limit / np.sqrt(np.sum(grad_{n}**2))) * grad_{n}") for t, n in zip(_TIMES, _NAMES, strict=True))),
        mistake("it were divided by scale", *((t, t.replace("scale * ", "1 / scale * ")) for t in _TIMES)),
        mistake("they were not multiplied by scale", *((t, t.replace("scale * ", "")) for t in _TIMES)),
        mistake("it were not multiplied by scale", (_TIMES[0], "grad_W_ih")),
        mistake("it were not multiplied by scale", (_TIMES[1], "grad_W_hh")),
        mistake("it were not multiplied by scale", (_TIMES[2], "grad_b")),
        mistake("it were normalised to length 1 first", *((t, f"{t} / np.sqrt(np.sum(grad_{n}**2))") for t, n in zip(_TIMES, _NAMES, strict=True))),
    ),
    (
        "np.sum(grad_W_ih**2) is the sum of the squares of one array. Add those of all three, then take the root once.",
        "A gradient within the limit stays as it is: then scale is 1. Without that, short gradients would be stretched.",
        "norm = np.sqrt(np.sum(grad_W_ih**2) + np.sum(grad_W_hh**2) + np.sum(grad_b**2)); "
        "scale = limit / norm if norm > limit else 1.0; clipped_W_ih = scale * grad_W_ih, and so on.",
    ),
    "One factor for all numbers keeps the direction. Clipping by value (np.clip) limits each number by itself and "
    "changes it. PyTorch adds 1e-6 to the norm.",
)  # fmt: skip
