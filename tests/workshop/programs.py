"""Programs for every exercise: a second right one, with loops over single numbers, and wrong ones made from it.

The known mistakes of the exercises are changes of the vectorised solutions; these are changes of other programs, so that
a mistake is found by its numbers and not by its text.
"""

from __future__ import annotations

SIGMOID = """
from math import exp
def sigmoid(a):
    return 1 / (1 + exp(-a))
"""

RIGHT = {
    "01_forward": """
from math import tanh
import numpy as np
def forward_step(W_ih, W_hh, b, x_t, h_before):
    H, I = W_ih.shape
    a, h = np.zeros(H), np.zeros(H)
    for k in range(H):
        a[k] = b[k]
        for j in range(I):
            a[k] += W_ih[k, j] * x_t[j]
        for j in range(H):
            a[k] += W_hh[k, j] * h_before[j]
        h[k] = tanh(a[k])
    return a, h
""",
    "02_unroll": """
from math import tanh
import numpy as np
def unroll(W_ih, W_hh, b, W_out, b_out, x, h_0):
    T, H, O = len(x), len(h_0), len(b_out)
    h, y = [list(h_0)], []
    for t in range(T):
        new, out = [], []
        for k in range(H):
            a = b[k] + sum(W_ih[k, j] * x[t, j] for j in range(x.shape[1]))
            a += sum(W_hh[k, j] * h[t][j] for j in range(H))
            new.append(tanh(a))
        h.append(new)
        for m in range(O):
            out.append(b_out[m] + sum(W_out[m, k] * h[t + 1][k] for k in range(H)))
        y.append(out)
    return np.array(h), np.array(y)
""",
    "03_loss": """
import numpy as np
def loss(y, target):
    T, O = y.shape
    N = T * O
    step_loss, grad_y = np.zeros(T), np.zeros((T, O))
    L = 0.0
    for t in range(T):
        for k in range(O):
            e = y[t, k] - target[t, k]
            step_loss[t] += e * e / N
            L += e * e / N
            grad_y[t, k] = 2 * e / N
    return step_loss, L, grad_y
""",
    "04_backward_step": """
import numpy as np
def backward_step(W_hh, h_t, grad_h):
    H = len(h_t)
    slope = np.array([(1 - h) * (1 + h) for h in h_t])
    grad_a = np.array([slope[k] * grad_h[k] for k in range(H)])
    grad_h_before = np.zeros(H)
    for j in range(H):
        for k in range(H):
            grad_h_before[j] += W_hh[k, j] * grad_a[k]
    return slope, grad_a, grad_h_before
""",
    "05_bptt": """
import numpy as np
def bptt(W_ih, W_hh, W_out, x, h, grad_y):
    T, H, I, O = len(x), len(W_hh), x.shape[1], len(W_out)
    grad_h, grad_a = np.zeros((T + 1, H)), np.zeros((T, H))
    grad_W_ih, grad_W_hh, grad_b = np.zeros((H, I)), np.zeros((H, H)), np.zeros(H)
    back = np.zeros(H)
    for t in reversed(range(1, T + 1)):
        for j in range(H):
            direct = sum(W_out[m, j] * grad_y[t - 1, m] for m in range(O))
            grad_h[t, j] = direct + back[j]
        for k in range(H):
            grad_a[t - 1, k] = (1 - h[t, k] * h[t, k]) * grad_h[t, k]
        back = np.zeros(H)
        for j in range(H):
            for k in range(H):
                back[j] += W_hh[k, j] * grad_a[t - 1, k]
        for k in range(H):
            for j in range(I):
                grad_W_ih[k, j] += grad_a[t - 1, k] * x[t - 1, j]
            for j in range(H):
                grad_W_hh[k, j] += grad_a[t - 1, k] * h[t - 1, j]
            grad_b[k] += grad_a[t - 1, k]
    grad_h[0] = back
    return grad_h, grad_a, grad_W_ih, grad_W_hh, grad_b
""",
    "06_clip": """
from math import sqrt
import numpy as np
def clip(grad_W_ih, grad_W_hh, grad_b, limit):
    arrays = [grad_W_ih, grad_W_hh, grad_b]
    total = 0.0
    for g in arrays:
        for number in g.flat:
            total += number * number
    norm = sqrt(total)
    scale = 1.0
    if norm > limit:
        scale = limit / norm
    out = []
    for g in arrays:
        out.append(np.array([number * scale for number in g.flat]).reshape(g.shape))
    return norm, scale, out[0], out[1], out[2]
""",
    "07_lstm_step": SIGMOID
    + """
from math import tanh
import numpy as np
def lstm_step(W_ih, W_hh, b, x_t, h_before, c_before):
    H = len(h_before)
    def total(row):
        s = b[row]
        for j in range(len(x_t)):
            s += W_ih[row, j] * x_t[j]
        for j in range(H):
            s += W_hh[row, j] * h_before[j]
        return s
    i, f, g, o, c, h = np.zeros((6, H))
    for k in range(H):
        i[k] = sigmoid(total(k))
        f[k] = sigmoid(total(H + k))
        g[k] = tanh(total(2 * H + k))
        o[k] = sigmoid(total(3 * H + k))
        c[k] = f[k] * c_before[k] + i[k] * g[k]
        h[k] = o[k] * tanh(c[k])
    return i, f, g, o, c, h
""",
    "08_lstm_backward": """
from math import tanh
import numpy as np
def lstm_backward_step(W_hh, i, f, g, o, c_before, c, grad_h, grad_c_carried):
    H = len(c)
    grad_c, grad_c_before, grad_h_before = np.zeros((3, H))
    grad_a = np.zeros((4, H))
    for k in range(H):
        th = tanh(c[k])
        grad_c[k] = grad_c_carried[k]
        grad_c[k] += grad_h[k] * o[k] * (1 - th * th)
        grad_a[0, k] = grad_c[k] * g[k] * i[k] * (1 - i[k])
        grad_a[1, k] = grad_c[k] * c_before[k] * f[k] * (1 - f[k])
        grad_a[2, k] = grad_c[k] * i[k] * (1 - g[k] * g[k])
        grad_a[3, k] = grad_h[k] * th * o[k] * (1 - o[k])
        grad_c_before[k] = grad_c[k] * f[k]
    rows = grad_a.reshape(4 * H)
    for row in range(4 * H):
        for j in range(H):
            grad_h_before[j] += W_hh[row, j] * rows[row]
    return grad_c, rows, grad_h_before, grad_c_before
""",
    "09_gru": SIGMOID
    + """
from math import tanh
import numpy as np
def gru_step(W_ih, W_hh, b_ih, b_hh, x_t, h_before):
    H = len(h_before)
    def left(row):
        return b_ih[row] + sum(W_ih[row, j] * x_t[j] for j in range(len(x_t)))
    def right(row):
        return b_hh[row] + sum(W_hh[row, j] * h_before[j] for j in range(H))
    r, z, n, h = np.zeros((4, H))
    for k in range(H):
        r[k] = sigmoid(left(k) + right(k))
        z[k] = sigmoid(left(H + k) + right(H + k))
        n[k] = tanh(left(2 * H + k) + r[k] * right(2 * H + k))
        h[k] = n[k] - z[k] * n[k] + z[k] * h_before[k]
    return r, z, n, h
""",
    "10_your_cell": """
import numpy as np
def parameters(I, H, rng):
    return {"U": rng.normal(size=(H, I)), "V": rng.normal(size=(H, H)), "k": rng.normal(size=H)}
def gate(params, x_t):
    return 1 / (1 + np.exp(-(params["U"] @ x_t + params["k"])))
def step(params, h_before, x_t):
    z = gate(params, x_t)
    return z * h_before + (1 - z) * np.sin(params["V"] @ h_before)
def backward_step(params, h_before, x_t, grad_h):
    z = gate(params, x_t)
    a = params["V"] @ h_before
    grad_z = grad_h * (h_before - np.sin(a)) * z * (1 - z)
    grad_a = grad_h * (1 - z) * np.cos(a)
    grad_h_before = z * grad_h + params["V"].T @ grad_a
    grad_x = params["U"].T @ grad_z
    grads = {"U": np.outer(grad_z, x_t), "V": np.outer(grad_a, h_before), "k": grad_z}
    return grad_h_before, grad_x, grads
""",
}

#: For each exercise: (text of the right program, text in its place, words of the diagnosis, with … for some).
WRONG: dict[str, tuple[tuple[str, str, str], ...]] = {
    "01_forward": (
        ("W_hh[k, j] * h_before[j]", "W_hh[j, k] * h_before[j]", "a is the first that differs: … as if W_hh were transposed"),
        ("a[k] = b[k]", "a[k] = 0", "as if the bias b were missing"),
        ("a[k] += W_hh[k, j] * h_before[j]", "pass", "as if the last state were missing"),
        ("a[k] += W_ih[k, j] * x_t[j]", "pass", "as if the input were missing"),
        ("a[k] = b[k]", "a[k] = -b[k]", "as if b had the opposite sign"),
        ("tanh(a[k])", "a[k]", "h is the first that differs: … as if tanh were missing"),
        ("tanh(a[k])", "1 / (1 + np.exp(-a[k]))", "as if the function were σ in place of tanh"),
        ("tanh(a[k])", "max(a[k], 0)", "as if the function were relu in place of tanh"),
        ("return a, h", "return h, a", "as if a and h were returned in the wrong order"),
        ("return a, h", "return a", "The function returns 1 value, and should return 2: a, h"),
        ("return a, h", "pass", "The function returns None: its last line should be return a, h"),
        ("return a, h", "return a[None], h", "a has the shape (1, 3), and should have (3,). Its numbers are right: remove the additional axis"),
        ("return a, h", "return a.astype(np.float32), h", "a is right to 7 digits only: it has the dtype float32"),
        ("return a, h", "h_before += 1\n    return a, h", "The function changes its argument h_before"),
        ("return a, h", "return a, None", "h is None"),
        ("return a, h", "return a, 'h'", "h is a str, and should be an array of numbers"),
        ("a[k] = b[k]", "a[k] = float('nan')", "a is the first that differs: yours has nan in it"),
        ("np.zeros(H), np.zeros(H)", "np.zeros(H, int), np.zeros(H)", "a has whole numbers only"),
    ),
    "02_unroll": (
        ("W_hh[k, j] * h[t][j]", "W_hh[j, k] * h[t][j]", "h₁ is the first that differs: … as if W_hh were transposed"),
        ("h[t][j]", "h[0][j]", "h₂ is the first that differs: … as if every step read h₀"),
        ("* h[t][j]", "* 0", "h₁ is the first that differs: … as if the last state were missing"),
        ("x[t, j]", "x[t - 1, j]", "h₁ is the first that differs: … as if the input were one step late"),
        ("x[t, j]", "x[(t + 1) % T, j]", "as if the input were one step early"),
        ("x[t, j]", "x[T - 1 - t, j]", "as if the inputs were read from the last to the first"),
        ("a = b[k] + sum", "a = sum", "h₁ is the first that differs: … as if the bias b were missing"),
        ("new.append(tanh(a))", "new.append(a)", "as if tanh were missing"),
        ("h[t + 1][k]", "h[t][k]", "ŷ₁ is the first that differs: … as if ŷ came from the state before"),
        ("b_out[m] + sum", "sum", "as if b_out were missing"),
        ("[list(h_0)]", "[[0] * H]", "h₀ is the first that differs: yours is 0, as if h_0 were 0"),
        ("out.append(b_out[m] + sum(W_out[m, k] * h[t + 1][k] for k in range(H)))", "out.append(tanh(b_out[m] + sum(W_out[m, k] * h[t + 1][k] for k in range(H))))", "as if tanh were applied to the output"),
        ("return np.array(h)", "return np.array(h[1:])", "h has the shape (8, 3), and should have (9, 3). The first row is missing"),
        ("return np.array(h), np.array(y)", "return np.array(h), np.array(y).T", "y has the shape (2, 8), and should have (8, 2): as if it were transposed"),
    ),
    "03_loss": (
        ("N = T * O", "N = 1", "L₁ is the first that differs: yours is 16 × too large, as if it were a sum in place of a mean"),
        ("N = T * O", "N = T", "L₁ is the first that differs: yours is 2 × too large, as if the mean were over the T steps alone"),
        ("N = T * O", "N = O", "as if the mean were over the outputs alone"),
        ("step_loss[t] += e * e / N", "step_loss[t] += e * e", "as if it were a sum in place of a mean: / N is missing"),
        ("step_loss[t] += e * e / N", "step_loss[t] += abs(e) / N", "as if the absolute error were in place of its square"),
        ("step_loss[t] += e * e / N", "step_loss[t] += e * e / N / 2", "L₁ is the first that differs: yours is 2 × too small, as if there were a factor 1/2"),
        ("L += e * e / N", "L += e * e / N / T", "L is the first that differs: yours is 8 × too small, as if L were the mean of the shares"),
        ("return step_loss, L,", "return step_loss, L**0.5,", "as if L were the root of the mean"),
        ("2 * e / N", "e / N", "∂L/∂ŷ₁ is the first that differs: yours is 2 × too small, as if the factor 2 were missing"),
        ("2 * e / N", "-2 * e / N", "∂L/∂ŷ₁ is the first that differs: yours has the opposite sign, as if the error were target − ŷ"),
        ("2 * e / N", "2 * e", "as if it were not divided by N"),
        ("2 * e / N", "2 * e / T", "as if it were divided by T and not by N"),
        ("2 * e / N", "e * e / N", "as if it were the squared error itself"),
    ),
    "04_backward_step": (
        ("(1 - h) * (1 + h)", "1 - h", "slope is the first that differs: … as if h were not squared: 1 − h"),
        ("(1 - h) * (1 + h)", "1 + h * h", "as if the sign were +: 1 + h²"),
        ("(1 - h) * (1 + h)", "1 - np.tanh(h) ** 2", "as if tanh were applied to h again"),
        ("(1 - h) * (1 + h)", "h * (1 - h)", "as if the slope were that of σ"),
        ("(1 - h) * (1 + h)", "h * h", "as if 1 − were missing: h²"),
        ("slope[k] * grad_h[k]", "grad_h[k]", "∂L/∂aₜ is the first that differs: … as if the slope 1 − h² were missing"),
        ("slope[k] * grad_h[k]", "grad_h[k] / slope[k]", "as if it were divided by the slope"),
        ("slope[k] * grad_h[k]", "h_t[k] * grad_h[k]", "as if it were multiplied by h and not by the slope"),
        ("slope[k] * grad_h[k]", "slope[k] + grad_h[k]", "as if slope and gradient were added"),
        ("W_hh[k, j] * grad_a[k]", "W_hh[j, k] * grad_a[k]", "∂L/∂hₜ₋₁ is the first that differs: … as if W_hh were not transposed"),
        ("W_hh[k, j] * grad_a[k]", "W_hh[k, j] * grad_h[k]", "as if the slope 1 − h² were missing: W_hhᵀ ∂L/∂hₜ"),
        ("grad_h_before[j] += W_hh[k, j] * grad_a[k]", "grad_h_before[j] = grad_a[j]", "as if W_hh were missing"),
        ("grad_h_before[j] += W_hh[k, j] * grad_a[k]", "grad_h_before[j] -= W_hh[k, j] * grad_a[k]", "yours has the opposite sign"),
    ),
    "05_bptt": (
        ("(1 - h[t, k] * h[t, k]) * grad_h[t, k]", "grad_h[t, k]", "∂L/∂a₈ is the first that differs: … as if the slope 1 − h² were missing"),
        ("W_hh[k, j] * grad_a[t - 1, k]", "W_hh[j, k] * grad_a[t - 1, k]", "∂L/∂h₇ is the first that differs: … as if W_hh were not transposed"),
        ("grad_h[t, j] = direct + back[j]", "grad_h[t, j] = direct if t == T else back[j]", "∂L/∂h₇ is the first that differs: … as if the direct part were missing at every step but the last"),
        ("direct + back[j]", "direct", "∂L/∂h₇ is the first that differs: … as if nothing came back"),
        ("direct + back[j]", "direct - back[j]", "as if the part that comes back had the opposite sign"),
        ("W_hh[k, j] * grad_a[t - 1, k]", "W_hh[k, j] * grad_h[t, k]", "as if the slope 1 − h² were missing in what comes back"),
        ("grad_y[t - 1, m]", "grad_y[t - 2, m]", "∂L/∂h₈ is the first that differs: … as if the direct part came from the step before"),
        ("(1 - h[t, k] * h[t, k])", "(1 - h[t - 1, k] ** 2)", "as if the slope were that of the state before"),
        ("(1 - h[t, k] * h[t, k])", "(1 - h[t, k])", "as if h were not squared in the slope"),
        ("grad_h[0] = back", "pass", "∂L/∂h₀ is the first that differs: yours is 0, as if ∂L/∂h₀ were left out"),
        ("grad_a[t - 1, k] * h[t - 1, j]", "grad_a[t - 1, k] * h[t, j]", "∂L/∂W_hh is the first that differs: … as if the state were of the same step"),
        ("grad_W_ih[k, j] += grad_a", "grad_W_ih[k, j] = grad_a", "∂L/∂W_ih is the first that differs: … as if only the first step counted"),
        ("return grad_h, grad_a, grad_W_ih, grad_W_hh", "return grad_h, grad_a, grad_W_ih / T, grad_W_hh", "∂L/∂W_ih is the first that differs: yours is 8 × too small, as if it were a mean over the steps"),
        ("grad_W_hh, grad_b\n", "grad_W_hh.T, grad_b\n", "as if it were transposed"),
        ("grad_a[t - 1, k]\n    grad_h[0]", "grad_h[t, k]\n    grad_h[0]", "∂L/∂b is the first that differs: … as if it were computed from ∂L/∂h"),
        ("return grad_h,", "return grad_h[1:],", "grad_h has the shape (8, 3), and should have (9, 3). The first row is missing"),
    ),
    "06_clip": (
        ("norm = sqrt(total)", "norm = total", "norm is the first that differs: … as if the root were missing"),
        ("total += number * number", "total += abs(number)", "norm is the first that differs"),
        ("norm = sqrt(total)", "norm = sum(np.linalg.norm(g) for g in arrays)", "as if it were the sum of the three norms"),
        ("norm = sqrt(total)", "norm = max(abs(g).max() for g in arrays)", "as if it were the largest number"),
        ("for g in arrays:\n        for number", "for g in arrays[:2]:\n        for number", "as if the biases were left out"),
        ("scale = limit / norm", "scale = norm / limit", "as if limit and norm were the wrong way round"),
        ("if norm > limit:", "if True:", "as if a gradient within the limit were stretched to it"),
        ("limit / norm", "limit / (norm + 1e-6)", "as if 1e-6 were added to the norm, as PyTorch does"),
        ("scale = limit / norm", "pass", "as if nothing were clipped"),
        ("number * scale for", "min(max(number, -limit), limit) for", "clipped W_ih is the first that differs: … as if each number were clipped by value"),
        ("number * scale for", "number for", "as if they were not multiplied by scale"),
        ("number * scale for number in g.flat", "number * min(1, limit / np.linalg.norm(g)) for number in g.flat", "as if each array were clipped by its own norm"),
        ("out[1], out[2]", "out[2], out[1]", "clipped_W_hh has the shape (3,), and should have (3, 3)"),
        ("return norm,", "grad_b *= scale\n    return norm,", "The function changes its argument grad_b"),
    ),
    "07_lstm_step": (
        ("i[k] = sigmoid(total(k))\n        f[k] = sigmoid(total(H + k))", "f[k] = sigmoid(total(k))\n        i[k] = sigmoid(total(H + k))", "i is the first that differs: … as if f and i were swapped"),
        ("g[k] = tanh(total(2 * H + k))\n        o[k] = sigmoid(total(3 * H + k))", "o[k] = sigmoid(total(2 * H + k))\n        g[k] = tanh(total(3 * H + k))", "g is the first that differs: … as if the order of the blocks were i, f, o, g"),
        ("s = b[row]", "s = 0", "as if the bias b were missing"),
        ("sigmoid(total(H + k))", "tanh(total(H + k))", "f is the first that differs"),
        ("tanh(total(2 * H + k))", "sigmoid(total(2 * H + k))", "as if g had σ in place of tanh"),
        ("f[k] * c_before[k] + i[k] * g[k]", "i[k] * g[k]", "c is the first that differs: … as if the old cell were missing"),
        ("f[k] * c_before[k]", "c_before[k]", "as if the old cell were kept whole: f is missing"),
        ("i[k] * g[k]", "g[k]", "as if i were missing: all of g is written"),
        ("f[k] * c_before[k] + i[k] * g[k]", "i[k] * c_before[k] + f[k] * g[k]", "as if f and i were swapped"),
        ("o[k] * tanh(c[k])", "o[k] * c[k]", "h is the first that differs: … as if tanh(c) were missing"),
        ("o[k] * tanh(c[k])", "tanh(c[k])", "as if o were missing"),
        ("o[k] * tanh(c[k])", "o[k] * tanh(c_before[k])", "as if h came from the cell before"),
        ("exp(-a)", "exp(a)", "as if the sign in σ were missing"),
        ("h_before[j]\n", "c_before[j]\n", "as if W_hh read the cell in place of the state"),
        ("c, h\n", "h, c\n", "as if c and h were returned in the wrong order"),
    ),
    "08_lstm_backward": (
        ("grad_c[k] = grad_c_carried[k]", "pass", "∂L/∂cₜ is the first that differs: … as if the carry were forgotten"),
        ("* (1 - th * th)", "", "as if the slope 1 − tanh(c)² were missing"),
        ("(1 - th * th)", "(1 - c[k] ** 2)", "as if tanh were missing in the slope"),
        ("grad_h[k] * o[k] * (1", "grad_h[k] * (1", "as if o were missing"),
        ("grad_a[0, k] = grad_c[k] * g[k] * i[k] * (1 - i[k])\n        grad_a[1, k]", "grad_a[1, k] = grad_c[k] * g[k] * i[k] * (1 - i[k])\n        grad_a[0, k]", "as if f and i were swapped"),
        ("g[k] * i[k] * (1 - i[k])", "g[k]", "as if the slope of i were missing"),
        ("* (1 - g[k] * g[k])", "", "as if the slope of g were missing"),
        ("grad_c[k] * c_before[k]", "grad_c[k] * c[k]", "as if f saw the new cell in place of the old one"),
        ("grad_h[k] * th * o[k]", "grad_c[k] * th * o[k]", "as if o came from ∂L/∂c in place of ∂L/∂h"),
        ("rows = grad_a.reshape(4 * H)", "rows = grad_a[[0, 1, 3, 2]].reshape(4 * H)", "as if g and o were swapped"),
        ("for row in range(4 * H)", "for row in range(H)", "∂L/∂hₜ₋₁ is the first that differs: … as if only the first block of W_hh were there"),
        ("grad_c[k] * f[k]\n", "grad_c[k]\n", "as if f were missing: the whole of ∂L/∂cₜ"),
        ("grad_c[k] * f[k]\n", "grad_c_carried[k] * f[k]\n", "as if only the carry went on"),
        ("grad_c, rows,", "grad_c, grad_a,", "grad_a has the shape (4, 3), and should have (12,). Its numbers are right"),
    ),
    "09_gru": (
        ("r[k] = sigmoid(left(k) + right(k))\n        z[k]", "z[k] = sigmoid(left(k) + right(k))\n        r[k]", "r is the first that differs: … as if r and z were swapped"),
        ("b_hh[row] + sum", "sum", "r is the first that differs: … as if b_hh were missing"),
        ("b_ih[row] + sum", "sum", "as if b_ih were missing"),
        ("r[k] * right(2 * H + k)", "right(2 * H + k)", "n is the first that differs: … as if r were missing"),
        ("r[k] * right(2 * H + k)", "z[k] * right(2 * H + k)", "as if z were in place of r"),
        ("r[k] * right(2 * H + k)", "r[k] * (right(2 * H + k) - b_hh[2 * H + k]) + b_hh[2 * H + k]", "as if b_hn were outside the reset"),
        ("n[k] = tanh(left(2 * H + k) + r[k] * right(2 * H + k))", "n[k] = 0", "n is the first that differs: yours is 0"),
        ("n[k] - z[k] * n[k] + z[k] * h_before[k]", "z[k] * n[k] + (1 - z[k]) * h_before[k]", "h is the first that differs: … as if z and 1 − z were swapped"),
        ("+ z[k] * h_before[k]", "", "as if the old state were missing"),
        ("n[k] - z[k] * n[k] + z[k]", "n[k] + z[k]", "as if 1 − z were missing"),
        ("+ z[k] * h_before[k]", "+ h_before[k]", "as if z were missing: all of h_before is kept"),
        ("exp(-a)", "exp(a)", "as if the sign in σ were missing"),
        ("tanh(left(2 * H + k)", "sigmoid(left(2 * H + k)", "as if n had σ in place of tanh"),
    ),
    "10_your_cell": (
        ("grad_h_before = z * grad_h +", "grad_h_before =", "∂L/∂hₜ₋₁ is the first that differs"),
        ('params["V"].T @ grad_a', 'params["V"] @ grad_a', "∂L/∂hₜ₋₁ is the first that differs"),
        ("return grad_h_before, grad_x", "return -grad_h_before, grad_x", "∂L/∂hₜ₋₁ is the first that differs: yours has the opposite sign"),
        ("return grad_h_before, grad_x", "return grad_h_before, 2 * grad_x", "∂L/∂xₜ is the first that differs: yours is 2 × too large, as if there were a factor 2 too many"),
        ('params["U"].T @ grad_z', "0 * x_t", "∂L/∂xₜ is the first that differs: yours is 0"),
        ('"V": np.outer(grad_a, h_before)', '"V": np.outer(h_before, grad_a)', "∂L/∂V is the first that differs: … as if it were transposed"),
        ('"U": np.outer(grad_z, x_t)', '"U": np.outer(x_t, grad_z)', 'grad_params[U] has the shape (2, 3), and should have (3, 2): as if it were transposed'),
        (', "k": grad_z}', "}", 'grad_params["k"] is missing'),
        ("return grad_h_before, grad_x, grads", "return grad_h_before, grad_x", "backward_step returns 2 values, and should return 3"),
        ("return z * h_before + (1 - z) * np.sin(params[\"V\"] @ h_before)", "return h_before", "The new state does not depend on x_t"),
        ("return z * h_before + (1 - z) * np.sin(params[\"V\"] @ h_before)", "return z", "The new state does not depend on h_before"),
        ("    return z * h_before", "    h_before *= 2\n    return z * h_before", "The function changes its argument h_before"),
        ("    return z * h_before", "    return np.random.rand() + z * h_before", "step returned another state for the same arguments"),
        ("    return z * h_before + (1 - z) * np.sin(params[\"V\"] @ h_before)", "    return params['V'] * z", "step returns (3, 3), and should return the new state"),
    ),
}  # fmt: skip
