"""The recurrent layers of a PyTorch model, and what a step of its training collects about their uses.

Everything is kept as PyTorch's own tensors, detached and out of the training's reach, until a writer's thread turns it
into arrays: copies of what may change (inputs, states, weights), references to gradients, which autograd does not
change while another object holds them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.types import Array
from rnnviz.watching.torch_private import multiplies_in_tf32, version_of, weights_of

#: More uses of one layer than this in one step are not recorded: what remains are states that are changed in between.
MOST_USES = 32


class RefusalError(Exception):
    """Why something cannot be recorded, as a clause that follows a colon."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One recurrent module of the model. is_cell: nn.RNNCell, nn.LSTMCell or nn.GRUCell, one time step a call."""

    name: str
    module: Any
    cell: str  # one of nn.spec.CELLS
    is_cell: bool

    def weights(self) -> dict[str, Any]:
        """The tensors that a forward pass reads, under the names of a LayerRecord."""
        if self.is_cell:
            kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            return {
                f"{kind}_l0": getattr(self.module, kind) for kind in kinds if getattr(self.module, kind) is not None
            }
        return weights_of(self.module)

    @property
    def is_spread(self) -> bool:
        """Whether its weights are spread over processes now (FSDP, tensor parallelism): FSDP has them whole only while
        the layer computes."""
        return any(hasattr(tensor, "full_tensor") for tensor in self.weights().values())

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
        getattr(torch.nn, cell.torch.layer.removeprefix("nn.") + suffix): (cell.name, bool(suffix))
        for cell in CELLS.values()
        if not cell.torch.source
        for suffix in ("", "Cell")
    }
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
    keep: int | None = None  # sequences to collect; None: the whole batch
    is_compared: bool = True  # when it is written
    is_scaled: bool = False  # by a GradScaler that is known, by `scale`
    scale: float = 1.0
    extra: dict[str, Any] = field(default_factory=dict)
    left: tuple[int, Any] | None = None  # a weight's id, and its .grad as the step's backward found it; see Watch
    clipped: tuple[int, Any] | None = None  # a weight's id, and its .grad as the optimizer got it
    _grads: dict[int, list[Any]] = field(default_factory=dict)  # id of a weight tensor -> gradients, to be added
    _tensors: dict[int, Any] = field(default_factory=dict)
    _handles: list[Any] = field(default_factory=list)
    _snapshots: dict[str, Weights] = field(default_factory=dict)

    def snapshot(self, layer: Layer) -> Weights:
        """A copy of the layer's weights as they are now; the same copy as before while they have not changed."""
        if layer.is_spread:
            raise RefusalError("its weights are spread over processes while it computes")
        tensors = layer.weights()
        state = [(id(tensor), version_of(tensor)) for tensor in tensors.values()]
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

    def settle(self) -> None:
        """Bring all tensors into the computer's own memory, in the training's thread and stream."""
        for use in self.uses:
            use.settle()
        for grads in self._grads.values():
            grads[:] = map(on_host, grads)


@dataclass(frozen=True, eq=False)
class Weights:
    """A layer's weights at one moment: copies, the model's own tensors, and what tells whether these have changed."""

    copies: dict[str, Any]
    tensors: dict[str, Any]
    state: list[tuple[int, int]]


class Use:
    """One use of a layer in a step, of which hooks report: what a LayerRecord is made from. A use has one or more
    calls, each of which reads the very state tensors that the one before returned."""

    #: A call of it, with `x` and what it received
    calls: list[Any]

    def __init__(self, layer: Layer, moment: Moment, output: Any) -> None:
        self.layer, self.moment = layer, moment
        self.weights = moment.snapshot(layer)
        self.notes = notes_on(layer, self.weights, output, moment.is_scaled)
        self.order = moment.count  # of the forward pass
        self.calls = []
        self.last: tuple[Any, ...] = ()  # weak references to the states that the last call returned
        moment.count += 1
        moment.follow(self.weights)

    def add(self, x: Any, states: tuple[Any, ...], output: Any) -> None:
        """A call, the first or one that continues. Raises RefusalError."""
        raise NotImplementedError

    def arrays(self) -> dict[str, Any]:
        """x, direct, direct_h, direct_c, h0, c0, lengths, total of a LayerRecord. Raises RefusalError."""
        raise NotImplementedError

    def settle(self) -> None:
        """See Moment.settle."""
        raise NotImplementedError

    def is_continued_by(self, states: tuple[Any, ...]) -> bool:
        """Whether these are the states that the last call returned, unchanged."""
        return bool(states) and all(last() is state for last, state in zip(self.last, states, strict=True))

    def receive(self, found: list[Any], batch_dim: int | None, index: int | None = None) -> Callable[..., None]:
        """A hook that adds a gradient to `found`; index: of a node's inputs."""

        def hook(grad: Any, *_: Any) -> None:
            grad = grad if index is None else grad[index]
            if self.moment.is_open and grad is not None:
                found.append(self.kept(grad, batch_dim, held))
                self.moment.reached(self)

        return hook

    def kept(self, tensor: Any, batch_dim: int | None, whole: Callable[[Any], Any] | None = None) -> Any:
        """A copy of the sequences that are collected; if these are all, `whole` of the tensor. batch_dim None: all."""
        keep = self.moment.keep
        if keep is None or batch_dim is None or tensor.shape[batch_dim] <= keep:
            return (whole or copy_of)(tensor)
        return tensor.detach().narrow(batch_dim, 0, keep).clone()


def notes_on(layer: Layer, weights: Weights, output: Any, is_scaled: bool) -> list[str]:
    """Reasons for which the framework may have computed something else than our equations."""
    module, notes = layer.module, []
    rate = getattr(module, "dropout", 0.0)
    if rate and module.training and module.num_layers > 1:
        notes.append(
            f"Dropout of {rate:g} acts between the layers, and PyTorch does not give its mask away: "
            "the gradients shown are those without dropout."
        )
    out = output[0] if isinstance(output, tuple) else output
    kind, cast = str(data_of(out).dtype).removeprefix("torch."), _autocast_dtype(data_of(out).device.type)
    if cast or "16" in kind:
        notes.append(
            f"{'Autocast' if cast else 'PyTorch'} computed this layer in {cast or kind}: "
            "the gradients shown are those of the same weights and inputs in float64."
        )
    elif kind == "float32" and multiplies_in_tf32(data_of(out).device.type, layer.is_cell):
        notes.append(
            "The graphics card multiplied in TF32, with 10 bits behind the point: the gradients shown are those of the "
            f"same weights and inputs in float64. {_TF32_SWITCH[layer.is_cell]} = False makes the two agree."
        )
    if "float16" in (cast, kind) and not is_scaled:
        notes.append(
            "If a GradScaler scales the loss, the gradients carry its scale; watch(…, scaler=…) divides by it."
        )
    if not any(tensor.requires_grad for tensor in weights.tensors.values()):
        notes.append("The layer is frozen (requires_grad=False): PyTorch computes no weight gradients to compare with.")
    return notes


def _autocast_dtype(device: str) -> str:
    """The precision in which autocast computes on this device now; "" if it is off."""
    torch = sys.modules["torch"]
    return str(torch.get_autocast_dtype(device)).removeprefix("torch.") if torch.is_autocast_enabled(device) else ""


#: PyTorch's switch for cells, whose products are ordinary ones, and for fused layers.
_TF32_SWITCH = {True: "torch.backends.cuda.matmul.allow_tf32", False: "torch.backends.cudnn.allow_tf32"}


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
    own, and lets it be clipped in place, unless it sees that another object holds it."""
    return copy_of(grad) if grad.requires_grad else grad


def on_host(tensor: Any) -> Any:
    return tensor if tensor.is_cpu else tensor.cpu()


def total(tensors: Sequence[Any]) -> Any:
    found = tensors[0]
    for tensor in tensors[1:]:
        found = found + tensor
    return found


def as_array(tensor: Any) -> Array:
    """float64 stays, everything else becomes float32; shares memory where it can."""
    tensor = on_host(tensor.detach() if tensor.requires_grad else tensor)
    torch = sys.modules["torch"]
    if tensor.dtype not in (torch.float32, torch.float64):
        tensor = tensor.float()
    array: Array = tensor.numpy()
    return array
