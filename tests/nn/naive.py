"""Slow and plain second opinions on the engine, written from the papers' equations and sharing nothing with it.

Everything works on complex numbers too, so a derivative is one evaluation: dL/dv = Im L(v + iε) / ε, exact to the
last digits since nothing is subtracted (Squire & Trapp 1998, 10.1137/S003614459631241X).
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

EPSILON = 1e-40


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def relu(a):
    return np.where(a.real > 0, a, 0)


ACTIVATIONS = {"tanh": np.tanh, "sigmoid": sigmoid, "relu": relu, "identity": lambda a: a}


def run(spec, params, x, h0=None, c0=None, moves=None, start=0, mask=None):
    """A forward pass, one step after the other, one layer after the other.

    moves adds to quantities the moment they are made: {("h", layer, t): array}, likewise "c", "input side",
    "recurrent side", "y", "x", and {(name, t): array} adds to a parameter in step t alone. Later steps follow.
    start is the time of the first state, so that t in moves keeps its meaning when x begins later. Where mask (T, B) is
    False, h and c are copies of those before.
    """
    moves = moves or {}
    T, B, _ = x.shape
    L, H = spec.num_layers, spec.hidden_size
    h = [np.zeros((B, H), complex) if h0 is None else h0[n] + 0j for n in range(L)]
    c = [np.zeros((B, H), complex) if c0 is None else c0[n] + 0j for n in range(L)]
    for n in range(L):
        h[n] = h[n] + moves.get(("h", n, start), 0)
        c[n] = c[n] + moves.get(("c", n, start), 0)
    hs, cs, ys, tops = [list(h)], [list(c)], [], []
    for t in range(start + 1, start + T + 1):

        def weight(name, t=t):
            return params[name] + moves.get((name, t), 0) if name in params else 0.0

        inputs = x[t - 1 - start] + moves.get(("x", t), 0) + 0j
        for n in range(L):
            before = h[n], c[n]
            given = inputs @ weight(f"rnn.weight_ih_l{n}").T + weight(f"rnn.bias_ih_l{n}")
            recurrent = from_before(spec, weight(f"rnn.weight_hh_l{n}"), h[n])
            recurrent = recurrent + weight(f"rnn.bias_hh_l{n}")
            given = given_to(spec, weight(f"rnn.weight_hh_l{n}"), given + moves.get(("input side", n, t), 0))
            recurrent = recurrent + moves.get(("recurrent side", n, t), 0)
            h[n], c[n] = step(spec, given, recurrent, h[n], c[n], moves.get(("c", n, t), 0))
            if mask is not None:
                reads = mask[t - 1 - start][:, None]
                h[n] = np.where(reads, h[n], before[0])
                c[n] = np.where(reads, c[n], before[1] + moves.get(("c", n, t), 0))
            h[n] = h[n] + moves.get(("h", n, t), 0)
            inputs = h[n]
        tops.append(inputs)
        y = inputs @ weight("readout.weight").T + weight("readout.bias")
        if spec.readout != "linear":
            seen = [np.ones(B, bool)] * len(tops) if mask is None else list(mask[: len(tops)])
            y = y + attended(spec, weight, tops, seen) @ weight("readout.context").T
        ys.append(y + moves.get(("y", t), 0))
        hs.append(list(h))
        cs.append(list(c))
    return SimpleNamespace(y=np.stack(ys), h=hs, c=cs)


def attended(spec, weight, states, seen):
    """Σ α_s h_s (B, H) over the states (B, H) of steps 1 .. t, the last of which asks; seen (B,) bool of each."""
    out = np.zeros(states[0].shape, complex)
    query = states[-1] @ weight("readout.query").T
    for b in range(len(out)):
        which, powers = [s for s in range(len(states)) if seen[s][b]], []
        for s in which:
            key = states[s][b] @ weight("readout.key").T
            if spec.readout == "attention":
                score = (query[b] * key).sum() / spec.hidden_size**0.5
            else:
                score = (weight("readout.score")[0] * np.tanh(query[b] + key)).sum()
            powers.append(np.exp(score))
        for s, power in zip(which, powers, strict=True):
            out[b] = out[b] + power / sum(powers) * states[s][b]
    return out


def from_before(spec, W_hh, h):
    """What W_hh makes of h; 0 without W_hh."""
    if spec.cell == "indrnn":
        return W_hh * h
    if spec.cell == "lru":  # a 2 × 2 matrix for each pair, since i is taken: it is the derivative's
        nu, theta, _ = W_hh
        pairs = W_hh.shape[1]
        turn = np.array(
            [[np.cos(np.exp(theta)), -np.sin(np.exp(theta))], [np.sin(np.exp(theta)), np.cos(np.exp(theta))]]
        )
        turned = np.einsum("ijn,bjn->bin", np.exp(-np.exp(nu)) * turn, h.reshape(-1, 2, pairs))
        return turned.reshape(-1, 2 * pairs)
    return 0.0 if spec.cell == "mingru" else h @ W_hh.T


def given_to(spec, W_hh, given):
    """What the input side adds: an LRU scales it by γ."""
    return np.tile(np.exp(W_hh[2]), 2) * given if spec.cell == "lru" else given


def step(spec, given, recurrent, h, c, move_c):
    """The new h and c from what the input and the old h give to each block."""
    if spec.cell in ("rnn", "indrnn", "lru"):
        return ACTIVATIONS[spec.activation](given + recurrent), c
    if spec.cell == "lstm":
        i, f, g, o = np.split(given + recurrent, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g) + move_c
        return sigmoid(o) * np.tanh(c), c
    if spec.cell == "mingru":
        z, new = np.split(given, 2, axis=1)
        return (1 - sigmoid(z)) * h + sigmoid(z) * new, c
    (r, z, new), (ur, uz, un) = np.split(given, 3, axis=1), np.split(recurrent, 3, axis=1)
    r, z = sigmoid(r + ur), sigmoid(z + uz)
    return (1 - z) * np.tanh(new + r * un) + z * h, c


def run_both(spec, params, x, moves=None):
    """A forward pass of a bidirectional model, in the order of time: the backward direction makes h_t from h_{t+1}.

    moves adds to a quantity the moment it is made: ("h", suffix, t) and ("c", suffix, t), where h of the backward
    direction begins at t = T + 1, ("x", t), ("y", t), and (name, t) to a parameter in step t alone. -> y (T, B, O)
    """
    moves = moves or {}
    T, B, _ = x.shape
    read = [x[t - 1] + moves.get(("x", t), 0) + 0j for t in range(1, T + 1)]
    for level in range(spec.num_layers):
        made = {}
        for suffix, times in ((f"_l{level}", range(1, T + 1)), (f"_l{level}_reverse", range(T, 0, -1))):
            first = times[0] - times.step
            h = np.zeros((B, spec.hidden_size), complex) + moves.get(("h", suffix, first), 0)
            c = np.zeros((B, spec.hidden_size), complex) + moves.get(("c", suffix, first), 0)
            for t in times:

                def weight(kind, suffix=suffix, t=t):
                    name = f"rnn.{kind}{suffix}"
                    return params[name] + moves.get((name, t), 0) if name in params else 0.0

                given = given_to(spec, weight("weight_hh"), read[t - 1] @ weight("weight_ih").T + weight("bias_ih"))
                recurrent = from_before(spec, weight("weight_hh"), h)
                recurrent = recurrent + weight("bias_hh")
                h, c = step(spec, given, recurrent, h, c, moves.get(("c", suffix, t), 0))
                h = h + moves.get(("h", suffix, t), 0)
                made[suffix, t] = h
        read = [np.concatenate([made[end, t] for end in dict.fromkeys(e for e, _ in made)], 1) for t in range(1, T + 1)]
    out = []
    for t, h in enumerate(read, start=1):
        W, b = (params[f"readout.{n}"] + moves.get((f"readout.{n}", t), 0) for n in ("weight", "bias"))
        out.append(h @ W.T + b + moves.get(("y", t), 0))
    return np.stack(out)


def shares(y, targets, mask, loss):
    """L_k of every step, already divided by the number of positions: (T,)."""
    T, B, outputs = y.shape
    out = np.zeros(T, complex)
    for k in range(T):
        for b in range(B):
            if not mask[k, b]:
                continue
            if loss == "direct":
                out[k] += sum(y[k, b, o] * targets[k, b, o] for o in range(outputs))
            elif loss == "mse":
                out[k] += sum((y[k, b, o] - targets[k, b, o]) ** 2 for o in range(outputs)) / (mask.sum() * outputs)
            else:
                p = np.exp(y[k, b]) / np.exp(y[k, b]).sum()
                out[k] += -np.log(p[targets[k, b]]) / mask.sum()
    return out


def trace_shares(trace, moves, h0=None, c0=None):
    """L_k (T,) of a trace's own pass with something moved."""
    found = run(trace.spec, trace.params, trace.x, h0, c0, moves)
    out = shares(found.y, trace.targets, trace.loss_mask, trace.loss_name)
    if trace.direct_c is not None:
        out += [(direct * c[-1]).sum() for direct, c in zip(trace.direct_c, found.c[1:], strict=True)]
    return out


def derivative(function, shape):
    """d function / d v at 0 for every element of v: function(v) may return any array; -> (*shape, *out)."""
    columns = []
    for index in np.ndindex(*shape):
        v = np.zeros(shape, complex)
        v[index] = 1j * EPSILON
        columns.append(np.imag(function(v)) / EPSILON)
    return np.array(columns).reshape(*shape, *np.shape(columns[0]))


def state(spec, h, c):
    """The full state of one sequence as one vector: layers bottom first, h then c."""
    parts = []
    for n in range(spec.num_layers):
        parts.append(h[n][0])
        if spec.cell == "lstm":
            parts.append(c[n][0])
    return np.concatenate(parts)


def state_jacobian(trace, t, sequence):
    """∂s_t/∂s_{t-1} of one sequence of a trace, one state element at a time."""
    spec, size = trace.spec, trace.spec.hidden_size
    one = slice(sequence, sequence + 1)
    h = [layer.h[t - 1, one] for layer in trace.layers]
    c = [layer.c[t - 1, one] for layer in trace.layers] if spec.cell == "lstm" else None

    def step(move):
        moves, at = {}, 0
        for n in range(spec.num_layers):
            for what in ("h", "c") if spec.cell == "lstm" else ("h",):
                moves[what, n, 0] = move[at : at + size]
                at += size
        after = run(spec, trace.params, trace.x[t - 1 : t, one], h, c, moves)
        return state(spec, after.h[1], after.c[1])

    return derivative(step, (spec.state_size * spec.num_layers,)).T


def truncated_gradient(spec, params, x, targets, mask, loss, k1, k2, name):
    """dL/d(parameter) of truncated BPTT: every k1 steps the losses since then, the state k2 steps ago held fast."""
    plain = run(spec, params, x)
    total = np.zeros(params[name].shape)
    for start in range(0, len(x), k1):
        stop = min(start + k1, len(x))
        reach = max(0, stop - k2)
        mine = mask.copy()
        mine[:start] = mine[stop:] = False

        def loss_of(move, reach=reach, stop=stop, mine=mine):
            moved = {**params, name: params[name] + move}
            h = [state.real for state in plain.h[reach]]
            c = [state.real for state in plain.c[reach]]
            y = plain.y.real + 0j
            y[reach:stop] = run(spec, moved, x[reach:stop], h, c).y
            return shares(y, targets, mine, loss).sum() * mine.sum() / mask.sum()

        if mine.any():
            total += derivative(loss_of, params[name].shape)
    return total
