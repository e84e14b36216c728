"""What a pickle says, as plain records. Nothing that it names is imported, and nothing is called.

    >>> load(pickle.dumps(print), limit=10**6)
    Named('builtins', 'print')

Python's own Unpickler calls what a pickle names, and takes as much memory as one asks for (an index of its memo is
enough). This one follows the opcodes with lists and dicts alone: a class or function becomes a Named, a call and an
object become an Object that keeps the arguments and the state. That is all a reader of weights needs.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: The most opcodes; each makes one object at most. A checkpoint with a vocabulary of a million words has fewer.
MOST_STEPS = 4_000_000
_DICTS = {("collections", "OrderedDict"), ("builtins", "dict"), ("__builtin__", "dict")}


class BrokenPickleError(ValueError):
    """The bytes are not a complete pickle."""


@dataclass(frozen=True)
class Named:
    """A class or a function, by its name alone."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False)
class Object:
    """An object that was not made, or the result of a call that did not happen.

    maker  what would have made it: a Named, or anything else
    args   of the call
    state  its attributes; items: what a dict of this class would hold
    """

    maker: Any
    args: Any = ()
    state: dict[str, Any] = field(default_factory=dict)
    items: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Persistent:
    """What is kept outside the pickle, by its id."""

    id: Any


class _Mark:
    """The place of a MARK on the stack."""


_MARK = _Mark()


def load(content: bytes, call: Callable[[Any, Any], Any] = Object) -> Any:
    """The pickled value: None, bool, int, float, str, bytes, list, tuple, dict, and the records above. Sets become
    lists. Of a dict only the entries with a str as key are kept.

    call  (what would be called, arguments) -> the value in place of the call. It must not call the first

    Raises BrokenPickleError.
    """
    try:
        return _Machine(call).run(content)
    except BrokenPickleError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise BrokenPickleError(f"it is not a complete pickle ({type(error).__name__})") from None


class _Machine:
    def __init__(self, call: Callable[[Any, Any], Any]) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.call = call

    def run(self, content: bytes) -> Any:
        for steps, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if steps > MOST_STEPS:
                raise BrokenPickleError(f"it has more than {MOST_STEPS:,} opcodes")
            name = opcode.name
            if name in _VALUES:
                self.stack.append(argument)
            elif name == "STOP":
                return self._pop()
            else:
                _STEPS[name](self, argument)
        raise BrokenPickleError("it has no end")

    def _pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise BrokenPickleError("it takes a mark for a value")
        return value

    def _to_mark(self) -> list[Any]:
        found = []
        while (value := self.stack.pop()) is not _MARK:
            found.append(value)
        found.reverse()
        return found

    # -- opcodes -------------------------------------------------------------------------------------

    def constant(self, argument: Any, value: Any) -> None:
        self.stack.append(value)

    def new(self, argument: Any, kind: type) -> None:
        self.stack.append(kind())

    def ignore(self, argument: Any) -> None:
        pass

    def mark(self, argument: Any) -> None:
        self.stack.append(_MARK)

    def pop(self, argument: Any) -> None:
        self.stack.pop()

    def pop_mark(self, argument: Any) -> None:
        self._to_mark()

    def dup(self, argument: Any) -> None:
        self.stack.append(self.stack[-1])

    def put(self, argument: int | None) -> None:
        self.memo[len(self.memo) if argument is None else argument] = self.stack[-1]

    def get(self, argument: int) -> None:
        self.stack.append(self.memo[argument])

    def tuple_of(self, argument: Any, count: int) -> None:
        values = [self._pop() for _ in range(count)]
        self.stack.append(tuple(reversed(values)))

    def tuple_to_mark(self, argument: Any) -> None:
        self.stack.append(tuple(self._to_mark()))

    def list_to_mark(self, argument: Any) -> None:
        self.stack.append(self._to_mark())

    def dict_to_mark(self, argument: Any) -> None:
        values = self._to_mark()
        made: dict[str, Any] = {}
        _set(made, values)
        self.stack.append(made)

    def append(self, argument: Any) -> None:
        value = self._pop()
        if isinstance(self.stack[-1], list):
            self.stack[-1].append(value)

    def appends(self, argument: Any) -> None:
        values = self._to_mark()
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(values)

    def set_item(self, argument: Any) -> None:
        value, key = self._pop(), self._pop()
        _set(self.stack[-1], [key, value])

    def set_items(self, argument: Any) -> None:
        values = self._to_mark()
        _set(self.stack[-1], values)

    def global_(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.stack.append(Named(module, name))

    def stack_global(self, argument: Any) -> None:
        name, module = self._pop(), self._pop()
        self.stack.append(Named(str(module), str(name)))

    def extension(self, argument: int) -> None:
        self.stack.append(Named("copyreg", f"extension {argument}"))

    def reduce(self, argument: Any) -> None:
        args, function = self._pop(), self._pop()
        self._make(function, args)

    def new_object(self, argument: Any) -> None:
        args, kind = self._pop(), self._pop()
        self._make(kind, args, is_object=True)

    def new_object_ex(self, argument: Any) -> None:
        self._pop()
        self.new_object(None)

    def instance(self, argument: str) -> None:
        args = tuple(self._to_mark())
        module, _, name = argument.partition(" ")
        self._make(Named(module, name), args, is_object=True)

    def object(self, argument: Any) -> None:
        kind, *args = self._to_mark()
        self._make(kind, tuple(args), is_object=True)

    def _make(self, maker: Any, args: Any, is_object: bool = False) -> None:
        if isinstance(maker, Named) and (maker.module, maker.name) in _DICTS:
            made: dict[str, Any] = {}
            for pair in args[0] if args and isinstance(args[0], list | tuple) else ():
                if isinstance(pair, list | tuple):
                    _set(made, list(pair[:2]))
            self.stack.append(made)
        else:
            self.stack.append(Object(maker, args) if is_object else self.call(maker, args))

    def build(self, argument: Any) -> None:
        state = self._pop()
        made = self.stack[-1]
        if isinstance(made, Object):
            for part in state if isinstance(state, tuple) else (state,):
                if isinstance(part, dict):
                    made.state.update(part)

    def persistent(self, argument: Any) -> None:
        self.stack.append(Persistent(self._pop()))

    def persistent_text(self, argument: str) -> None:
        self.stack.append(Persistent(argument))


def _set(target: Any, values: list[Any]) -> None:
    """Keys and values in turn. Text keys alone: nobody can choose them so that all fall into one place of the dict."""
    if isinstance(target, Object):
        target = target.items
    if isinstance(target, dict):
        target.update(
            (key, value) for key, value in zip(values[::2], values[1::2], strict=True) if isinstance(key, str)
        )


#: Opcodes whose argument is the value.
_VALUES = frozenset(
    {
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
        *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    }
)
_M = _Machine
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "NONE": lambda m, a: m.constant(a, None),
    "NEWTRUE": lambda m, a: m.constant(a, True),
    "NEWFALSE": lambda m, a: m.constant(a, False),
    "NEXT_BUFFER": lambda m, a: m.constant(a, None),
    "EMPTY_LIST": lambda m, a: m.new(a, list),
    "EMPTY_SET": lambda m, a: m.new(a, list),
    "EMPTY_TUPLE": lambda m, a: m.new(a, tuple),
    "EMPTY_DICT": lambda m, a: m.new(a, dict),
    "PROTO": _M.ignore,
    "FRAME": _M.ignore,
    "READONLY_BUFFER": _M.ignore,
    "MARK": _M.mark,
    "POP": _M.pop,
    "POP_MARK": _M.pop_mark,
    "DUP": _M.dup,
    "PUT": _M.put,
    "BINPUT": _M.put,
    "LONG_BINPUT": _M.put,
    "MEMOIZE": _M.put,
    "GET": _M.get,
    "BINGET": _M.get,
    "LONG_BINGET": _M.get,
    "TUPLE": _M.tuple_to_mark,
    "TUPLE1": lambda m, a: m.tuple_of(a, 1),
    "TUPLE2": lambda m, a: m.tuple_of(a, 2),
    "TUPLE3": lambda m, a: m.tuple_of(a, 3),
    "LIST": _M.list_to_mark,
    "FROZENSET": _M.list_to_mark,
    "DICT": _M.dict_to_mark,
    "APPEND": _M.append,
    "APPENDS": _M.appends,
    "ADDITEMS": _M.appends,
    "SETITEM": _M.set_item,
    "SETITEMS": _M.set_items,
    "GLOBAL": _M.global_,
    "STACK_GLOBAL": _M.stack_global,
    "EXT1": _M.extension,
    "EXT2": _M.extension,
    "EXT4": _M.extension,
    "REDUCE": _M.reduce,
    "NEWOBJ": _M.new_object,
    "NEWOBJ_EX": _M.new_object_ex,
    "INST": _M.instance,
    "OBJ": _M.object,
    "BUILD": _M.build,
    "PERSID": _M.persistent_text,
    "BINPERSID": _M.persistent,
}
