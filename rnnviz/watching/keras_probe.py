"""One pass of a Keras model over a fixed batch that leaves no trace in it: the loss, what its recurrent layers read,
and the gradients of the loss by their outputs and their weights.

    >>> probe = Probe(model, layers, x, y)
    >>> found = probe.measure()
    >>> found.loss, found.calls[0].x, found.calls[0].grad_output

A zero is added to whatever a layer returns; the gradient by that zero is the *direct* gradient of the output, before
anything comes back through the recurrence. The pass runs without dropout inside a keras.StatelessScope, so that
weights, states, metrics and random seeds stay as they are, and only while it runs does a layer have another inner_loop.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn.types import Array
from rnnviz.watching.keras_private import all_layers, forget_dropout_masks, replaced

#: (values of the differentiated variables, of the others, the zeros, (x, y)) -> loss, what the layers read
Pass = Callable[[list[Any], list[Any], list[list[Any]], tuple[Any, Any]], tuple[Any, list[Any]]]
#: The same arguments -> loss, what the layers read, gradients by the variables, gradients by the zeros
Gradient = Callable[[list[Any], list[Any], list[list[Any]], tuple[Any, Any]], tuple[Any, list[Any], Any, Any]]


@dataclass(frozen=True)
class Call:
    """What a layer read in one call, and the gradients by what it returned. A model may call a layer several times.

    x            (B, T, I)
    initial      the states it began with, (B, H) each: h, or h and c; those of stacked cells one after the other
    mask         (B, T) of bool, or None
    grad_output  like its output: (B, T, H) if it returns sequences, else (B, H)
    grad_states  like `initial`: by the states that it returned
    """

    layer: Any
    x: Array
    initial: tuple[Array, ...]
    mask: Array | None
    grad_output: Array
    grad_states: tuple[Array, ...]


@dataclass(frozen=True)
class Found:
    """loss: of the batch. calls: in the order of the pass. grads: id of a variable of the layers -> its gradient."""

    loss: float
    calls: tuple[Call, ...]
    grads: dict[int, Array]


class Probe:
    """Raises InputError, with the framework's own reason, if the model does not run on x or has no loss on y."""

    def __init__(self, model: Any, layers: Sequence[Any], x: Any, y: Any) -> None:
        self._model, self._layers = model, tuple(layers)
        self._data = keras.tree.map_structure(_tensor, (x, y))
        self._watched = [variable for layer in layers for variable in layer.cell.variables if _is_real(variable)]
        of_layers = {id(variable): variable for variable in self._watched}
        self._watched = list(of_layers.values())
        states = [state for layer in all_layers(model) for state in keras.tree.flatten(getattr(layer, "states", None))]
        others = {id(one): one for one in (*model.variables, *states) if isinstance(one, keras.Variable)}
        self._others = [variable for name, variable in others.items() if name not in of_layers]
        self._gradient = _OF_BACKEND[keras.backend.backend()](self._pass, _may_compile(model))
        self._calls: list[Call] = []  # without gradients: who is called, with which shapes
        try:
            with _random_states_kept():
                loss, _ = self._pass(*self._values(), [], self._data)
                if loss is None or np.ndim(as_numpy(loss)) != 0:
                    raise InputError("compute_loss() gives no number")
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise InputError(f"the model does not run on the probe batch x, y: {reason[:300]}") from error

    @property
    def called(self) -> tuple[Call, ...]:
        """What the layers read when the probe was made; the gradients are 0."""
        return tuple(self._calls)

    def measure(self) -> Found:
        zeros = [[_zeros(like) for like in (call.grad_output, *call.grad_states)] for call in self._calls]
        with _random_states_kept():
            loss, read, grads, by_zeros = self._gradient(*self._values(), zeros, self._data)
        calls = tuple(
            replace(
                call,
                x=as_numpy(x),
                initial=tuple(map(as_numpy, initial)),
                mask=None if mask is None else _mask(mask),
                grad_output=as_numpy(by[0]),
                grad_states=tuple(map(as_numpy, by[1:])),
            )
            for call, (x, initial, mask), by in zip(self._calls, read, by_zeros, strict=True)
        )
        named = zip(self._watched, grads, strict=True)
        return Found(float(as_numpy(loss)), calls, {id(variable): as_numpy(grad) for variable, grad in named})

    def _values(self) -> tuple[list[Any], list[Any]]:
        return [keras.ops.convert_to_tensor(v) for v in self._watched], [
            keras.ops.convert_to_tensor(v) for v in self._others
        ]

    def _pass(self, watched: list[Any], others: list[Any], zeros: list[list[Any]], data: Any) -> tuple[Any, list[Any]]:
        x, y = data
        mapping = [*zip(self._watched, watched, strict=True), *zip(self._others, others, strict=True)]
        read: list[Any] = []
        calls: list[Call] = []
        with (
            _tapped(self._layers, zeros, read, calls if not self._calls else None),
            _without_penalties(self._watched),
            keras.StatelessScope(mapping, collect_losses=True),
        ):
            loss = self._model.compute_loss(x=x, y=y, y_pred=self._model(x, training=False))
        self._calls = self._calls or calls
        return loss, read


@contextmanager
def _tapped(layers: Sequence[Any], zeros: list[list[Any]], read: list[Any], calls: list[Call] | None) -> Iterator[None]:
    """While it is open, the layers append to `read` what they read, and add zeros[n] to what their n-th call returns;
    with `calls`, they append to it who was called, and add nothing."""

    def tap(layer: Any) -> Callable[..., Any]:
        own = layer.inner_loop

        def inner_loop(sequences: Any, initial_state: Any, mask: Any = None, training: bool = False) -> Any:
            try:
                flat = keras.tree.flatten(initial_state)
                mask = keras.tree.flatten(mask)[0] if mask is not None else None
                last, whole, states = own(sequences, initial_state, mask, training=training)
                output, ends = whole if layer.return_sequences else last, keras.tree.flatten(states)
                if calls is None:
                    both = zip((output, *ends), zeros[len(read)], strict=True)
                    output, *ends = (array + keras.ops.cast(zero, array.dtype) for array, zero in both)
                else:
                    seen = as_numpy(sequences), tuple(map(as_numpy, flat)), None if mask is None else _mask(mask)
                    nothing, *others = (np.zeros_like(as_numpy(array)) for array in (output, *ends))
                    calls.append(Call(layer, *seen, nothing, tuple(others)))
                read.append((sequences, flat, mask))
                last, whole = (last, output) if layer.return_sequences else (output, whole)
                return last, whole, keras.tree.pack_sequence_as(states, ends)
            except BaseException:
                forget_dropout_masks(layer)
                raise

        return inner_loop

    # The fused kernels have no place for the zeros (a Bidirectional's), or no gradient outside of training.
    with ExitStack() as stack:
        for layer in layers:
            stack.enter_context(replaced(layer, {"use_cudnn": False, "inner_loop": tap(layer)}))
        yield


@contextmanager
def _without_penalties(variables: Sequence[Any]) -> Iterator[None]:
    """Without the regularizers of the layers' weights, whose gradient does not come through time."""
    before = [variable.regularizer for variable in variables]
    try:
        for variable in variables:
            variable.regularizer = None
        yield
    finally:
        for variable, regularizer in zip(variables, before, strict=True):
            variable.regularizer = regularizer


@contextmanager
def _random_states_kept() -> Iterator[None]:
    """A layer of the user's may draw numbers even outside of training."""
    python, numpy, torch = random.getstate(), np.random.get_state(), sys.modules.get("torch")
    cpu = torch.get_rng_state() if torch else None
    gpus = torch.cuda.get_rng_state_all() if torch and torch.cuda.is_initialized() else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        if torch:
            torch.set_rng_state(cpu)
            if gpus is not None:
                torch.cuda.set_rng_state_all(gpus)


# -- the gradient in each backend -------------------------------------------------------------------------------------


def _with_torch(run: Pass, may_compile: bool) -> Gradient:
    import torch

    def gradient(watched: list[Any], others: list[Any], zeros: list[list[Any]], data: Any) -> Any:
        with torch.enable_grad():
            watched = [value.detach().requires_grad_() for value in watched]
            zeros = [[zero.requires_grad_() for zero in of_call] for of_call in zeros]
            loss, read = run(watched, [value.detach() for value in others], zeros, data)
            leaves = [*watched, *(zero for of_call in zeros for zero in of_call)]
            found = torch.autograd.grad(loss, leaves, allow_unused=True)
        filled = [torch.zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, found, strict=True)]
        return loss, read, filled[: len(watched)], keras.tree.pack_sequence_as(zeros, filled[len(watched) :])

    return gradient


def _with_jax(run: Pass, may_compile: bool) -> Gradient:
    import jax

    both = jax.value_and_grad(lambda watched, zeros, others, data: run(watched, others, zeros, data), (0, 1), True)
    both = jax.jit(both) if may_compile else both

    def gradient(watched: list[Any], others: list[Any], zeros: list[list[Any]], data: Any) -> Any:
        (loss, read), (grads, by_zeros) = both(watched, zeros, others, data)
        return loss, read, grads, by_zeros

    return gradient


def _with_tensorflow(run: Pass, may_compile: bool) -> Gradient:
    import tensorflow as tf

    def gradient(watched: list[Any], others: list[Any], zeros: list[list[Any]], data: Any) -> Any:
        watched, others = ([tf.identity(value) for value in values] for values in (watched, others))
        leaves = [*watched, *(zero for of_call in zeros for zero in of_call)]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(leaves)
            loss, read = run(watched, others, zeros, data)
        found = tape.gradient(loss, leaves, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        found = [tf.convert_to_tensor(g) for g in found]
        return loss, read, found[: len(watched)], keras.tree.pack_sequence_as(zeros, found[len(watched) :])

    return gradient


_OF_BACKEND: dict[str, Callable[[Pass, bool], Gradient]] = {
    "torch": _with_torch, "jax": _with_jax, "tensorflow": _with_tensorflow,
}  # fmt: skip
BACKENDS = tuple(_OF_BACKEND)


def _may_compile(model: Any) -> bool:
    return bool(getattr(model, "jit_compile", True)) and not getattr(model, "run_eagerly", False)


def _is_real(variable: Any) -> bool:
    return bool(keras.backend.is_float_dtype(keras.backend.standardize_dtype(variable.dtype)))


def _tensor(array: Array) -> Any:
    return keras.ops.convert_to_tensor(array, dtype=str(array.dtype))  # else some backends make float32 of float64


def _zeros(like: Array) -> Any:
    return keras.ops.zeros(like.shape, dtype=str(like.dtype))


def as_numpy(value: Any) -> Array:
    """A copy that no later step of the training can write into, in the precision in which Keras computes: on PyTorch
    and JAX its products are those of float32 also where the policy is float64."""
    if callable(getattr(value, "detach", None)):
        value = value.detach()
    array = np.array(keras.ops.convert_to_numpy(value))
    is_half = array.dtype.kind == "V" or array.dtype == np.float16
    is_rounded = array.dtype == np.float64 and keras.backend.backend() != "tensorflow"
    return array.astype(np.float32) if is_half or is_rounded else array


def _mask(mask: Any) -> Array:
    found: Array = as_numpy(mask).astype(bool)
    return found.reshape(found.shape[:2])
