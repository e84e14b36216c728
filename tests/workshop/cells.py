"""Cells as a person writes them, for the tests of --cell."""

RNN = """
import numpy as np

def parameters(I, H, rng):
    return {"W_ih": rng.normal(size=(H, I)), "W_hh": rng.normal(size=(H, H)) / np.sqrt(H), "b": rng.normal(size=H)}

def step(params, h_before, x_t):
    return np.tanh(params["W_ih"] @ x_t + params["W_hh"] @ h_before + params["b"])
"""

GRU = """
import numpy as np

def parameters(I, H, rng):
    return {"W_ih": rng.normal(size=(3 * H, I)), "W_hh": rng.normal(size=(3 * H, H)) / np.sqrt(H),
            "b_ih": rng.normal(size=3 * H), "b_hh": rng.normal(size=3 * H)}

def sigmoid(a):
    return 1 / (1 + np.exp(-a))

def step(params, h_before, x_t):
    a = np.split(params["W_ih"] @ x_t + params["b_ih"], 3)
    u = np.split(params["W_hh"] @ h_before + params["b_hh"], 3)
    r, z = sigmoid(a[0] + u[0]), sigmoid(a[1] + u[1])
    n = np.tanh(a[2] + r * u[2])
    return (1 - z) * n + z * h_before
"""
#: An LSTM in one state: h in its first half, c in its second.
LSTM = """
import numpy as np

def parameters(I, H, rng):
    n = H // 2
    return {"W_ih": rng.normal(size=(4 * n, I)), "W_hh": rng.normal(size=(4 * n, n)) / np.sqrt(n),
            "b_ih": rng.normal(size=4 * n), "b_hh": rng.normal(size=4 * n)}

def sigmoid(a):
    return 1 / (1 + np.exp(-a))

def step(params, h_before, x_t):
    h, c = np.split(h_before, 2)
    i, f, g, o = np.split(params["W_ih"] @ x_t + params["b_ih"] + params["W_hh"] @ h + params["b_hh"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return np.concatenate([sigmoid(o) * np.tanh(c), c])
"""
#: Names of our parameters for those of RNN and GRU.
OURS = {"weight_ih": "W_ih", "weight_hh": "W_hh", "bias_ih": "b_ih", "bias_hh": "b_hh"}


def changed(*changes: tuple[str, str], program: str = RNN) -> str:
    for old, new in changes:
        assert old in program
        program = program.replace(old, new)
    return program


TANH = 'np.tanh(params["W_ih"] @ x_t + params["W_hh"] @ h_before + params["b"])'
#: (what is wrong, the file, the line without its name)
WRONG = (
    ("no Python", "def step(:\n", "line 1: this is not Python: invalid syntax"),
    ("empty", " \n", "is empty; rnnviz workshop init writes 10_your_cell.py, which shows its form"),
    ("no parameters", changed(("def parameters", "def weights")),
     "the function parameters is missing: keep its name and its arguments"),
    ("no step", changed(("def step", "def Step")), "the function step is missing: keep its name and its arguments"),
    ("parameters a list", changed(("return {", "return [{"), ('size=H)}', 'size=H)}]')),
     "parameters should return a dict of arrays by name"),
    ("a parameter a text", changed(("rng.normal(size=H)}", '"zeros"}')),
     'params["b"] is a str, and should be an array of numbers'),
    ("not written", changed((TANH, "...")), "step is not written yet"),
    ("no return", changed(("return " + TANH, "h = " + TANH)), "step returns None: its last line should be return h"),
    ("a shape", changed((TANH, TANH + "[:2]")), "step returns an array (2,), and should return the new state (3,)"),
    ("a text", changed((TANH, "'h'")), "step's new state is a str, and should be an array of numbers"),
    ("shapes that do not fit", changed(('params["W_hh"] @', 'params["W_ih"] @')),
     "line 8: ValueError: the sizes 3 and 2 do not fit"),
    ("a name", changed(("np.tanh", "tanh")), "line 8: NameError: name 'tanh' is not defined"),
    ("nan", changed((TANH, "np.log(-h_before**2 - 1) + " + TANH)),
     "step returns nan or inf for an ordinary state and input"),
    ("noise", changed((TANH, TANH + " + np.random.normal()")),
     "step returned another state for the same arguments: no random numbers in it"),
    ("other weights", changed(("rng.normal(size=H)}", "np.random.normal(size=H)}")),
     "parameters returned other numbers for the same rng: draw them from rng alone"),
    ("in place", changed(("    return np.tanh", "    h_before *= 0.5\n    return np.tanh")),
     "line 8: ValueError: output array is read-only"),
    ("an import", "import nothing_like_this\n" + RNN,
     "line 1: ModuleNotFoundError: No module named 'nothing_like_this'"),
    ("an exit", RNN + "\nraise SystemExit", "line 10: SystemExit"),
    ("the end of the process", RNN + "\nimport os\nos._exit(3)",
     "the file ended its process before the function returned (os._exit, or fork)"),
    ("an answer of its own", changed(("    return np.tanh", "    for number in range(3, 20):\n        try:\n"
     "            os.write(number, b'{\"arrays\": [[\"x\", [1]]]}\\n' + bytes(8))\n        except OSError:\n"
     "            pass\n    return np.tanh"), ("import numpy", "import os\nimport numpy")),
     "the results of its process could not be read: the file writes where they are written"),
    ("other arguments", changed(("(I, H, rng)", "(I, H)")),
     "TypeError: parameters() takes 2 positional arguments but 3 were given"),
    ("complex states", changed((TANH, TANH + " + 0j")),
     "step returns complex numbers for real ones, and should return real ones"),
    ("nan at the beginning", changed(("rng.normal(size=H)}", "np.full(H, np.nan)}")),
     'params["b"] begins with nan or inf'),
    ("a key", RNN + "\ninput()", "line 10: EOFError: EOF when reading a line"),
)  # fmt: skip
