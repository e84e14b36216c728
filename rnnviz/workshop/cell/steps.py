"""The questions that server.py is asked about a person's cell, and how its step answers them. Runs in the process of
the cell: imports the standard library and NumPy alone."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

EPSILON = 1e-20  # of a complex step: no difference is taken, so none is too small
STEP = 1e-5  # of a central difference
MOST = 2**25  # numbers in all parameters: an eighth of the memory that the process may take


class Refused(Exception):  # noqa: N818
    """The file's functions return something else than they should."""


class Cell:
    """The questions. arrays: `params.NAME`, and x, h, … by their names; N rows, each with its own x (I,) and h (H,)."""

    def __init__(self, names: dict[str, Any], clock: Any, tape: Any) -> None:
        self._names, self._clock, self.tape = names, clock, tape
        self.tapes = True  # whether a recorded step has given the gradients of complex steps, each time it was tried

    # -- questions -------------------------------------------------------------------------------------------

    def parameters(self, arrays: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        self._clock.calls += 1
        found = self._names["parameters"](asked["I"], asked["H"], np.random.default_rng(asked["seed"]))
        if found is ...:
            raise Refused("parameters is not written yet.")
        if not isinstance(found, dict) or not found:
            raise Refused("parameters should return a dict of arrays by name.")
        out = {}
        for name, value in found.items():
            if not isinstance(name, str) or not name.isidentifier() or len(name) > 40:
                raise Refused(f"parameters: {str(name)[:40]!r} is not a name; use letters, digits and _.")
            array = self._array(value, f'params["{name}"]')
            if array.dtype.kind == "c" or not array.size:
                raise Refused(f'params["{name}"] should be an array of real numbers, one at least.')
            if not np.isfinite(array).all():
                raise Refused(f'params["{name}"] begins with nan or inf.')
            out[name] = array
        if (size := sum(array.size for array in out.values())) > MOST:
            raise Refused(f"parameters returns {size:,} numbers, and at most {MOST:,} can be used.")
        return out

    def forward(self, arrays: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        """x (T, B, I), h (B, H) -> all states (T+1, B, H)."""
        params, x, h0 = _params(arrays), arrays["x"], arrays["h"]
        h = np.empty((len(x) + 1, *h0.shape))
        h[0] = h0
        for t in range(len(x)):
            for b in range(len(h0)):
                new = self.step(params, self.still(h[t, b].copy()), x[t, b])
                if new.dtype.kind == "c":
                    raise Refused("step returns complex numbers for real ones, and should return real ones.")
                h[t + 1, b] = new
        return {"h": h}

    def jacobians(self, arrays: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        """x (N, I), h (N, H), and new (N, H) where it is known -> ∂h_t/∂h_{t-1} (N, H, H) and ∂h_t/∂x_t (N, H, I)."""
        params, x, h = _params(arrays), arrays["x"], arrays["h"]
        by = self._complex if asked["by"] == "complex" else self._central
        J_h, J_x = (np.empty((*h.shape, n)) for n in (h.shape[1], x.shape[1]))
        columns = _Columns.of(self, params, x, h, arrays.get("new")) if asked["by"] == "complex" else None
        if columns is not None:
            for J, where in ((J_h, "h"), (J_x, "x")):
                for j in range(J.shape[2]):
                    J[:, :, j] = columns.by(where, j)
            return {"h": J_h, "x": J_x}
        for n in range(len(x)):
            for J, where in ((J_h, "h"), (J_x, "x")):
                for j in range(J.shape[2]):
                    J[n, :, j] = by(params, h[n], x[n], where, j)
        return {"h": J_h, "x": J_x}

    def along(self, arrays: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        """x (N, I), h (N, H), moves.NAME -> the derivatives of the new states (N, H) along each move."""
        params, x, h = _params(arrays), arrays["x"], arrays["h"]
        out = {}
        for name in params:
            move, by = arrays["moves." + name], asked["by"]
            step = 1j * EPSILON if by == "complex" else STEP
            ends = [
                np.stack([self.step({**params, name: self.still(params[name] + sign * step * move)}, *row)
                                for row in zip(h, x, strict=True)])
                for sign in (1, -1)
            ]  # fmt: skip
            out[name] = ends[0].imag / EPSILON if by == "complex" else (ends[0].real - ends[1].real) / (2 * STEP)
        return out

    def shares(self, arrays: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        """x (T, B, I), h (T, B, H) before each step and new after it, grad_h (T, B, H) -> of each parameter (T, …)."""
        params, x, h, grad_h = _params(arrays), arrays["x"], arrays["h"], arrays["grad_h"]
        by = self._complex if asked["by"] == "complex" else self._central
        out = {name: np.zeros((len(x), value.size)) for name, value in params.items()}
        flat = [a.reshape(-1, a.shape[2]) for a in (x, h, arrays["new"])]
        columns = _Columns.of(self, params, *flat) if asked["by"] == "complex" else None
        if columns is not None:
            for name, share in out.items():
                for j in range(share.shape[1]):
                    moved = columns.by("params." + name, j).reshape(grad_h.shape)
                    share[:, j] = np.einsum("tbi,tbi->t", moved, grad_h)
        for t in range(len(x) if columns is None else 0):
            for b in range(x.shape[1]):
                for name, share in out.items():
                    for j in range(share.shape[1]):
                        share[t, j] += by(params, h[t, b], x[t, b], "params." + name, j) @ grad_h[t, b]
        return {name: share.reshape(len(x), *params[name].shape) for name, share in out.items()}

    def sums(self, arrays: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        """As shares, but of each parameter the sum over all steps alone: from one recorded call, where that can be."""
        flat = {name: arrays[name].reshape(-1, arrays[name].shape[2]) for name in ("x", "h", "new", "grad_h")}
        if asked["by"] == "complex":
            columns = _Columns.of(self, _params(arrays), flat["x"], flat["h"], flat["new"])
            found = columns.recorded(flat["new"], flat["grad_h"]) if columns is not None and self.tapes else None
            if found is not None:
                return found
        return {name: share.sum(axis=0) for name, share in self.shares(arrays, asked).items()}

    def backward(self, arrays: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        """x (N, I), h (N, H), grad_h (N, H) -> what backward_step returns for each row: grad_h_before, grad_x and each
        parameter's. Those that have no right form are left out, with those after them; `wrong.…` names the first."""
        params, x, h, grad_h = _params(arrays), arrays["x"], arrays["h"], arrays["grad_h"]
        shapes = {"grad_h_before": h[0].shape, "grad_x": x[0].shape}
        shapes |= {f"grad_params[{name}]": value.shape for name, value in params.items()}
        rows: list[dict[str, Any]] = []
        for n in range(len(x)):
            self._clock.calls += 1
            found = self._names["backward_step"](dict(params), h[n], x[n], grad_h[n])
            if not isinstance(found, tuple | list) or len(found) != 3:
                what = f"{len(found)} values" if isinstance(found, tuple | list) else type(found).__name__
                raise Refused(f"backward_step returns {what}, and should return grad_h_before, grad_x, grad_params.")
            given = dict(zip(("grad_h_before", "grad_x"), found, strict=False))
            if isinstance(found[2], dict):
                given |= {f"grad_params[{name}]": value for name, value in found[2].items()}
            elif found[2] is ...:
                given |= dict.fromkeys(shapes.keys() - given.keys(), ...)
            row: dict[str, Any] = {}
            for name, shape in shapes.items():
                array = self._gradient(given.get(name), shape)
                if isinstance(array, str):
                    row[f"wrong.{name} {array}"] = np.zeros(0)
                    break
                row[name] = array
            rows.append(row)
        first = rows[-1]  # the last step of a sequence comes first on the way back
        return {name: np.stack([row.get(name, first[name]) for row in rows]) for name in first}

    def _gradient(self, value: Any, shape: tuple[int, ...]) -> Any:
        """The array; or what is wrong with it."""
        if value is ...:
            return "is not written yet"
        if value is None:
            return "is missing"
        try:
            array = self._array(value, "it")
        except Refused:
            return f"is a {type(value).__name__}, and should be an array of numbers"
        if array.shape == shape and array.dtype.kind != "c":
            return array
        return f"has the shape {array.shape}, and should have {shape}"

    # -- one step --------------------------------------------------------------------------------------------

    def step(self, params: dict[str, Any], h: Any, x: Any) -> Any:
        """The new state (H,), real or complex."""
        found = self.called(params, h, x)
        if type(found) is not np.ndarray or found.dtype.kind not in "fc" or found.shape != h.shape:
            found = self._new_state(found, h.shape)
        return found

    def called(self, params: dict[str, Any], h: Any, x: Any) -> Any:
        """Whatever step returns."""
        self._clock.calls += 1
        return self._names["step"](dict(params), h, x)

    def _new_state(self, found: Any, shape: tuple[int, ...]) -> Any:
        if found is ...:
            raise Refused("step is not written yet.")
        if found is None:
            raise Refused("step returns None: its last line should be return h.")
        array = self._array(found, "step's new state")
        if array.shape != shape:
            raise Refused(f"step returns an array {array.shape}, and should return the new state {shape}.")
        return array

    def _array(self, value: Any, what: str) -> Any:
        try:
            array = np.asarray(value)
        except Exception:
            array = None
        if array is None or array.dtype.kind not in "fiubc":
            raise Refused(f"{what} is a {type(value).__name__}, and should be an array of numbers.")
        return array if array.dtype.kind == "c" else array.astype(np.float64)

    def still(self, array: Any) -> Any:
        array.flags.writeable = False
        return array

    def _complex(self, params: dict[str, Any], h: Any, x: Any, where: str, j: int) -> Any:
        """∂h_t/∂(element j of h, x or a parameter), (H,): the imaginary part that i·ε there has become, over ε."""
        moved = _given(params, h, x, where).astype(complex)
        moved.reshape(-1)[j] += 1j * EPSILON
        return self.with_(params, h, x, where, self.still(moved)).imag / EPSILON

    def _central(self, params: dict[str, Any], h: Any, x: Any, where: str, j: int) -> Any:
        """The same by central differences."""
        ends = []
        for sign in (1, -1):
            moved = _given(params, h, x, where).copy()
            moved.reshape(-1)[j] += sign * STEP
            ends.append(self.with_(params, h, x, where, self.still(moved)).real)
        return (ends[0] - ends[1]) / (2 * STEP)

    def with_(self, params: dict[str, Any], h: Any, x: Any, where: str, moved: Any) -> Any:
        if where == "h":
            return self.step(params, moved, x)
        if where == "x":
            return self.step(params, h, moved)
        return self.step({**params, where.removeprefix("params."): moved}, h, x)


class _Columns:
    """Many rows in one call of step: h (H, N) and x (I, N) in columns, and a vector of the parameters as one column.

    A step of products W @ v and of functions of each number does to a column what it does to a vector. That is tried:
    the new states must be those of the rows by themselves, at random points once, and at these rows each time.
    """

    _tried: ClassVar[dict[Any, bool]] = {}
    _MOST = 200  # numbers of a parameter at which the tape is tried

    def __init__(self, cell: Cell, params: dict[str, Any], x: Any, h: Any) -> None:
        self._cell, self._x, self._h = cell, cell.still(x.T.copy()), cell.still(h.T.copy())
        self._shapes = {name: w.shape for name, w in params.items()}
        self._params = {name: w.reshape(-1, 1) if w.ndim == 1 else w for name, w in params.items()}

    @classmethod
    def of(cls, cell: Cell, params: dict[str, Any], x: Any, h: Any, new: Any) -> _Columns | None:
        """None if the rows have to be taken one by one."""
        if new is None or len(x) < 2 or any(w.ndim > 2 for w in params.values()):
            return None
        key = (x.shape[1], h.shape[1], *((name, w.shape) for name, w in params.items()))
        if key not in cls._tried:
            cls._tried[key] = all(cls._trial(cell, params, x.shape[1], h.shape[1], n) for n in (3, 5))
        if not cls._tried[key]:
            return None
        columns = cls(cell, params, x, h)
        return columns if columns._gives(new) else None

    @classmethod
    def _trial(cls, cell: Cell, params: dict[str, Any], I: int, H: int, n: int) -> bool:  # noqa: E741
        """Whether n random rows, with random parameters, have the same new states in columns."""
        rng = np.random.default_rng(n)
        params = {name: cell.still(np.asarray(rng.normal(size=w.shape))) for name, w in params.items()}
        x, h = cell.still(rng.normal(size=(n, I))), cell.still(rng.uniform(-0.9, 0.9, (n, H)))
        try:
            new = np.stack([cell.step(params, *row) for row in zip(h, x, strict=True)])
        except Exception:
            return False
        columns = cls(cell, params, x, h)
        if not np.isfinite(new).all() or not columns._gives(new):
            return False
        cell.tapes = cell.tapes and columns._tape_holds(new, rng)
        return True

    def _tape_holds(self, new: Any, rng: Any) -> bool:
        """Whether its gradients are those of complex steps."""
        grad_h = rng.normal(size=new.shape)
        found = self.recorded(new, grad_h)
        if found is None:
            return False
        for name, grad in found.items():
            some = rng.permutation(grad.size)[: self._MOST]
            exact = [(self.by("params." + name, j) * grad_h).sum() for j in some]
            if not np.allclose(grad.reshape(-1)[some], exact, 1e-10, 1e-12):
                return False
        return True

    def _gives(self, new: Any) -> bool:
        try:
            found = self._cell.step(self._params, self._h, self._x).T
        except Exception:
            return False
        return bool(np.allclose(found, new, 1e-12, 1e-14, equal_nan=True))

    def recorded(self, new: Any, grad_h: Any) -> dict[str, Any] | None:
        """The gradients of Σ grad_h · new on the parameters, by tape.py; None if the step cannot be recorded."""
        tape = self._cell.tape
        params = {name: tape.Recorded(w) for name, w in self._params.items()}
        try:
            found = self._cell.called(params, self._h, self._x)
            if not np.allclose(found.data.T, new, 1e-12, 1e-14, equal_nan=True):
                return None
            grads = tape.gradients(found, grad_h.T, params)
        except Exception:
            return None
        return {name: grad.reshape(self._shapes[name]) for name, grad in grads.items()}

    def by(self, where: str, j: int) -> Any:
        """∂h_t/∂(element j of h, x or a parameter), (N, H)."""
        moved = _given(self._params, self._h, self._x, where).astype(complex)
        if where in ("h", "x"):
            moved[j] += 1j * EPSILON
        else:
            moved.reshape(-1)[j] += 1j * EPSILON
        return self._cell.with_(self._params, self._h, self._x, where, self._cell.still(moved)).imag.T / EPSILON


def _given(params: dict[str, Any], h: Any, x: Any, where: str) -> Any:
    return h if where == "h" else x if where == "x" else params[where.removeprefix("params.")]


def _params(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name.removeprefix("params."): a for name, a in arrays.items() if name.startswith("params.")}
