"""The recurrent layers of a PyTorch model, and what one use of a fused layer (nn.RNN, nn.LSTM, nn.GRU) shows to hooks.

Everything is kept as PyTorch's own tensors, detached and out of the training's reach, until a writer's thread turns it
into arrays: copies of what may change (inputs, states, weights), references to gradients, which autograd does not
change while somebody else holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn.types import Array

#: More uses of one layer than this in one step are a loop over single steps, which is not recorded.
MOST_USES = 32


class RefusalError(Exception):
    """Why something cannot be recorded, as a clause that follows a colon."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One recurrent module of the model. is_cell: nn.RNNCell, nn.LSTMCell or nn.GRUCell, one time step a call."""

    name: str
    module: Any
    cell: str  # "rnn", "lstm" or "gru"
    is_cell: bool

    def weights(self) -> dict[str, Any]:
        """The tensors that a forward pass reads, under the names of a LayerRecord."""
        if self.is_cell:
            kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            return {
                f"{kind}_l0": getattr(self.module, kind) for kind in kinds if getattr(self.module, kind) is not None
            }
        return dict(zip(self.module._flat_weights_names, self.module._flat_weights, strict=True))

    @property
    def refusal(self) -> str | None:
        """Why this layer cannot be recorded, whatever it computes; None if it can."""
        if getattr(self.module, "proj_size", 0):
            return "it projects its state (proj_size), which rnnviz does not compute"
        return None


def recurrent_layers(torch: Any, model: Any, wanted: Sequence[str] | None) -> list[Layer]:
    """The layers to watch, by their names in model.named_modules(); the model itself goes by its class.

    Raises InputError if the model has none, or if `wanted` names another.
    """
    kinds = {
        torch.nn.RNN: ("rnn", False), torch.nn.LSTM: ("lstm", False), torch.nn.GRU: ("gru", False),
        torch.nn.RNNCell: ("rnn", True), torch.nn.LSTMCell: ("lstm", True), torch.nn.GRUCell: ("gru", True),
    }  # fmt: skip
    found = [
        Layer(name or type(module).__name__.lower(), module, *form)
        for name, module in model.named_modules()
        for kind, form in kinds.items()
        if isinstance(module, kind)
    ]
    if not found:
        raise InputError(f"model: {type(model).__name__} contains no nn.RNN, nn.LSTM, nn.GRU and none of their cells")
    if wanted is None:
        return found
    if isinstance(wanted, str):
        wanted = [wanted]
    names = [layer.name for layer in found]
    for name in wanted:
        if name not in names:
            raise InputError(f"layers: {short_repr(name)} is not a recurrent layer of the model: {', '.join(names)}")
    return [layer for layer in found if layer.name in wanted]


@dataclass(eq=False)
class Moment:
    """One step of the training while it happens: the uses that a gradient has reached, and the weights' gradients.

    A use that no gradient reaches belongs to its graph alone and goes with it.
    """

    uses: list[Use] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # layer name -> reason
    made: dict[str, int] = field(default_factory=dict)  # layer name -> uses so far
    count: int = 0
    is_open: bool = True
    scale: float = 1.0
    extra: dict[str, Any] = field(default_factory=dict)
    clipped: tuple[int, Any] | None = None  # a weight's id, and its .grad as the optimizer got it
    _grads: dict[int, list[Any]] = field(default_factory=dict)  # id of a weight tensor -> gradients, to be added
    _tensors: dict[int, Any] = field(default_factory=dict)
    _handles: list[Any] = field(default_factory=list)
    _snapshots: dict[str, Weights] = field(default_factory=dict)

    def snapshot(self, layer: Layer) -> Weights:
        """A copy of the layer's weights as they are now; the same copy as before while they have not changed."""
        tensors = layer.weights()
        state = [(id(tensor), tensor._version) for tensor in tensors.values()]
        known = self._snapshots.get(layer.name)
        if known is None or known.state != state:
            known = Weights({name: copy_of(tensor) for name, tensor in tensors.items()}, tensors, state)
            self._snapshots[layer.name] = known
        return known

    def follow(self, weights: Weights) -> None:
        """Collect the gradients of these weights: the sum over all uses, of this step's backward passes alone."""
        for tensor in weights.tensors.values():
            if tensor.requires_grad and id(tensor) not in self._tensors:
                self._tensors[id(tensor)] = tensor  # keeps it alive, and so its id its own
                grads = self._grads.setdefault(id(tensor), [])
                self._handles.append(tensor.register_hook(lambda grad, grads=grads: grads.append(held(grad))))

    def gradient(self, tensor: Any) -> Any | None:
        grads = self._grads.get(id(tensor))
        return total(grads) if grads else None

    def reached(self, use: Use) -> None:
        if self.is_open and use not in self.uses:
            self.uses.append(use)

    def forget(self, layer: Layer) -> None:
        """Drop what an earlier forward and backward pass of the layer left in this step: the last counts."""
        gone = [use for use in self.uses if use.layer is layer]
        self.uses = [use for use in self.uses if use.layer is not layer]
        for use in gone:
            for tensor in use.weights.tensors.values():
                self._grads.get(id(tensor), []).clear()
        self.made.pop(layer.name, None)

    def close(self) -> None:
        self.is_open = False
        for handle in self._handles:
            handle.remove()
        self._handles.clear()


@dataclass(frozen=True, eq=False)
class Weights:
    """A layer's weights at one moment: copies, the model's own tensors, and what tells whether these have changed."""

    copies: dict[str, Any]
    tensors: dict[str, Any]
    state: list[tuple[int, int]]


class Use:
    """One use of a layer in a step, of which hooks report: what a LayerRecord is made from."""

    def __init__(self, layer: Layer, moment: Moment, output: Any) -> None:
        self.layer, self.moment = layer, moment
        self.weights = moment.snapshot(layer)
        self.notes = notes_on(layer, output)
        self.order = moment.count  # of the forward pass
        moment.count += 1
        moment.follow(self.weights)

    def arrays(self) -> dict[str, Any]:
        """x, direct, direct_h, direct_c, h0, c0, lengths of a LayerRecord. Raises RefusalError."""
        raise NotImplementedError

    def settle(self) -> None:
        """Bring all tensors into the computer's own memory, in the training's thread and stream."""
        raise NotImplementedError


class FusedUse(Use):
    """One call of nn.RNN, nn.LSTM or nn.GRU."""

    def __init__(self, layer: Layer, moment: Moment, args: Any, kwargs: Any, output: Any) -> None:
        super().__init__(layer, moment, output)
        x = args[0] if args else kwargs["input"]
        state = args[1] if len(args) > 1 else kwargs.get("hx")
        self.packing: tuple[Any, Any] | None = None  # sizes of the batch by time step, order of the sequences
        if is_packed(x):
            self.packing = (x.batch_sizes.clone(), None if x.unsorted_indices is None else x.unsorted_indices.clone())
            x = x.data
        self.is_batched = self.packing is not None or x.dim() == 3
        self.time_second = bool(layer.module.batch_first) and self.is_batched and self.packing is None
        states = () if state is None else state if isinstance(state, tuple) else (state,)
        self.tensors = {"x": copy_of(x)} | dict(zip(("h0", "c0"), map(copy_of, states), strict=False))
        out, last = output
        lasts = last if isinstance(last, tuple) else (last,)
        outputs = zip(("direct", "direct_h", "direct_c"), (data_of(out), *lasts), strict=False)
        self.shapes = {}
        for name, tensor in outputs:
            self.shapes[name] = tuple(tensor.shape)
            if tensor.requires_grad:
                tensor.register_hook(self._receiver(name))

    def _receiver(self, name: str) -> Callable[[Any], None]:
        def receive(grad: Any) -> None:
            if self.moment.is_open:
                grad = held(grad)
                self.tensors[name] = self.tensors[name] + grad if name in self.tensors else grad
                self.moment.reached(self)

        return receive

    def settle(self) -> None:
        self.tensors = {name: on_host(tensor) for name, tensor in self.tensors.items()}
        if self.packing is not None:
            sizes, order = self.packing
            self.packing = on_host(sizes), None if order is None else on_host(order)

    def arrays(self) -> dict[str, Any]:
        found = {name: as_array(tensor) for name, tensor in self.tensors.items()}
        if "direct" not in found:  # the loss reads the last state alone
            found["direct"] = np.broadcast_to(np.zeros((), np.float32), self.shapes["direct"])
        for name, a in found.items():
            if name in ("x", "direct"):
                found[name] = a if self.packing else self._time_first(a)
            elif not self.is_batched:
                found[name] = a[:, None]
        if self.packing is not None:
            sizes = self.packing[0].numpy()
            order = None if self.packing[1] is None else self.packing[1].numpy()
            found["x"], found["direct"] = (padded(found[name], sizes, order) for name in ("x", "direct"))
            lengths = (sizes[:, None] > np.arange(sizes[0])).sum(0)
            found["lengths"] = lengths if order is None else lengths[order]
        return found

    def _time_first(self, a: Array) -> Array:
        if not self.is_batched:
            return a[:, None]
        return a.swapaxes(0, 1) if self.time_second else a


def padded(data: Array, sizes: Array, order: Array | None) -> Array:
    """(T, B, N) in the user's order, from the rows of a PackedSequence; zeros behind each sequence's end."""
    found = np.zeros((len(sizes), int(sizes[0]), data.shape[1]), data.dtype)
    found[np.arange(sizes[0]) < sizes[:, None]] = data
    return found if order is None else found[:, order]


def notes_on(layer: Layer, output: Any) -> list[str]:
    """Reasons for which the framework may have computed something else than our equations."""
    module, notes = layer.module, []
    rate = getattr(module, "dropout", 0.0)
    if rate and module.training and module.num_layers > 1:
        notes.append(
            f"Dropout of {rate:g} acts between the layers, and PyTorch does not give its mask away: "
            "the gradients shown are those without dropout."
        )
    out = output[0] if isinstance(output, tuple) else output
    kind, weight = str(data_of(out).dtype), str(next(iter(layer.weights().values())).dtype)
    if "16" in kind or "16" in weight:
        how = "autocast computed" if kind != weight else "PyTorch computed"
        precision = (kind if "16" in kind else weight).removeprefix("torch.")
        notes.append(f"{how[0].upper()}{how[1:]} this layer in {precision}: the gradients shown are those in float64.")
    if not any(tensor.requires_grad for tensor in layer.weights().values()):
        notes.append("The layer is frozen (requires_grad=False): PyTorch computes no weight gradients to compare with.")
    return notes


# -- tensors -------------------------------------------------------------------------------------------


def is_packed(x: Any) -> bool:
    return hasattr(x, "batch_sizes")


def data_of(output: Any) -> Any:
    """The tensor of an output, which may be packed."""
    return output.data if is_packed(output) else output


def copy_of(tensor: Any) -> Any:
    return tensor.detach().clone()


def held(grad: Any) -> Any:
    """A gradient that nobody changes any more. The tensor itself, not a view of it: autograd takes a gradient for its
    own, and lets it be clipped in place, unless it sees that somebody else holds it."""
    return copy_of(grad) if grad.requires_grad else grad


def on_host(tensor: Any) -> Any:
    return tensor if tensor.device.type == "cpu" else tensor.cpu()


def total(tensors: Sequence[Any]) -> Any:
    found = tensors[0]
    for tensor in tensors[1:]:
        found = found + tensor
    return found


def as_array(tensor: Any) -> Array:
    """float64 stays, everything else becomes float32; shares memory where it can."""
    tensor = on_host(tensor.detach())
    if "float64" not in str(tensor.dtype):
        tensor = tensor.float()
    array: Array = tensor.numpy()
    return array
