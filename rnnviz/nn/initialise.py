"""Initialisers: the weights a model starts from.

keras       weight_ih glorot uniform over the full gate width, weight_hh orthogonal on the joint (H, G*H)
            matrix, biases 0, an LSTM's forget bias 1; readout glorot uniform and 0. As Keras' SimpleRNN,
            LSTM, GRU and Dense;
            the weights of attention glorot uniform, too, drawn after all others
pytorch     everything U(-1/√H, 1/√H). As torch.nn.RNN, LSTM, GRU and Linear(H, O)
identity    weight_hh the identity (each gate), other weights N(0, 0.001²), biases 0. IRNN: Le, Jaitly &
            Hinton 2015 (arXiv:1504.00941); meant for cell "rnn" with activation "relu"
orthogonal  as keras, but weight_hh orthogonal in each gate by itself (Saxe et al. 2014, arXiv:1312.6120)
chrono      as orthogonal, with gate biases drawn for memories of up to `max_lag` steps
            (Tallec & Ollivier 2018, arXiv:1804.11188)

A diagonal recurrence (Cell.diagonal) draws its weight_hh itself: `initial` in nn/cells/NAME.py.
"""

from __future__ import annotations

import math

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.equations import diagonal
from rnnviz.nn.equations import own as own_equations
from rnnviz.nn.records import own_name
from rnnviz.nn.spec import INITIALISERS, ModelSpec, one_of, real_number, whole_number
from rnnviz.nn.types import Array, Params


def initial_params(
    spec: ModelSpec,
    init: str = "keras",
    *,
    gain: float = 1.0,
    spectral_radius: float | None = None,
    forget_bias: float | None = None,
    max_lag: int = 100,
    seed: int = 0,
) -> Params:
    """The parameters of a new model, the same for the same seed. See Model.create for the arguments."""
    one_of("init", init, INITIALISERS)
    whole_number("seed", seed, low=0)
    whole_number("max_lag", max_lag, low=2)
    gain = real_number("gain", gain)
    spectral_radius = None if spectral_radius is None else real_number("spectral_radius", spectral_radius)
    forget_bias = None if forget_bias is None else real_number("forget_bias", forget_bias)
    if gain < 0 or (spectral_radius or 0.0) < 0:
        raise InputError("gain and spectral_radius: must be at least 0")
    if init == "chrono" and not spec.about_cell.chrono:
        others = " or ".join(cell.name for cell in CELLS.values() if cell.chrono)
        noun = spec.about_cell.noun
        raise InputError(f"init: chrono sets the biases of gates and {noun} has none; use cell {others}")

    rng = np.random.default_rng(seed)
    if spec.about_cell.is_own:
        own = {own_name(name): w for name, w in own_equations(spec.about_cell).initial(spec, seed).items()}
        shapes = {name: shape for name, shape in spec.parameter_shapes.items() if name not in own}
        return own | {
            name: np.zeros(shape) if len(shape) == 1 else glorot(rng, shape) for name, shape in shapes.items()
        }
    bound = 1.0 / math.sqrt(spec.hidden_size)
    params: Params = {}
    for name, shape in spec.parameter_shapes.items():
        if spec.about_cell.diagonal and "weight_hh" in name:
            params[name] = diagonal(spec.about_cell).initial(rng, init, spec.hidden_size)
        elif init == "pytorch":
            params[name] = rng.uniform(-bound, bound, shape)
        elif len(shape) == 1:
            params[name] = np.zeros(shape)
        elif "weight_hh" in name:
            params[name] = _recurrent(rng, init, len(spec.gates), spec.hidden_size)
        elif init == "identity":
            params[name] = rng.normal(0.0, 0.001, shape)
        else:
            params[name] = glorot(rng, shape)

    for suffix in spec.suffixes:
        W_hh = params.get(f"rnn.weight_hh{suffix}")
        if W_hh is not None and not spec.about_cell.fixed_loop:
            W_hh *= gain
            if spectral_radius is not None:
                rescale(W_hh, spectral_radius)
        _gate_biases(spec, params, suffix, init, forget_bias, max_lag, rng)
    return {name: np.ascontiguousarray(a, spec.dtype) for name, a in params.items()}


def glorot(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Glorot uniform: U(-√(6/(rows + columns)), √(6/(rows + columns)))."""
    limit = math.sqrt(6.0 / sum(shape))
    return rng.uniform(-limit, limit, shape)


def orthogonal(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """A random matrix with an orthonormal shorter side, uniform (Haar) thanks to the signs; as Keras."""
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T


def rescale(W_hh: Array, spectral_radius: float) -> None:
    """Scale each (H, H) gate block, or one row that is a diagonal, in place, to this spectral radius, the largest
    |eigenvalue|; 0 stays 0."""
    if len(W_hh) == 1:  # a diagonal, or one unit
        W_hh *= spectral_radius / (float(np.abs(W_hh).max()) or 1.0)
        return
    for block in W_hh.reshape(-1, W_hh.shape[1], W_hh.shape[1]):
        radius = float(np.abs(np.linalg.eigvals(block)).max())
        if radius > 0:
            block *= spectral_radius / radius


def _recurrent(rng: np.random.Generator, init: str, gates: int, H: int) -> Array:
    if init == "keras":
        return orthogonal(rng, H, gates * H).T.copy()
    if init == "identity":
        return np.tile(np.eye(H), (gates, 1))
    return np.concatenate([orthogonal(rng, H, H) for _ in range(gates)])


def _gate_biases(
    spec: ModelSpec,
    params: Params,
    suffix: str,
    init: str,
    forget_bias: float | None,
    max_lag: int,
    rng: np.random.Generator,
) -> None:
    """Biases that decide how long a new cell remembers. They go into bias_ih; bias_hh is cleared there."""
    H = spec.hidden_size
    b_ih, b_hh = params[f"rnn.bias_ih{suffix}"], params.get(f"rnn.bias_hh{suffix}")
    block = {gate: slice(n * H, (n + 1) * H) for n, gate in enumerate(spec.gates)}
    remembers = spec.about_cell.remembers
    chosen: dict[str, Array | float] = {}
    if init == "chrono":
        # σ(log τ) = 1 - 1/(1+τ): a gate with this bias forgets in about τ steps
        keep = np.log(rng.uniform(1.0, max(max_lag - 1.0, 1.0), H))
        chosen = {gate: sign * keep for gate, sign in spec.about_cell.chrono.items()}
    elif remembers and init in ("keras", "orthogonal"):
        chosen = {remembers: 1.0}
    if remembers and forget_bias is not None:
        chosen[remembers] = forget_bias
    for gate, value in chosen.items():
        b_ih[block[gate]] = value
        if b_hh is not None:
            b_hh[block[gate]] = 0.0
