"""Arrays that know how they were computed: what a law makes of an answer is written down as NumPy source text.

A result whose source cannot be written, or one that NumPy made without asking here, is an array with no source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import numpy as np

from attention_tests.reproducers.program import Expression, Piece, listed
from attention_tests.reproducers.sources import Unwritable, array_source, scalar_source

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

OPERATORS: dict[Any, str] = {
    np.add: "+",
    np.subtract: "-",
    np.multiply: "*",
    np.divide: "/",
    np.matmul: "@",
    np.power: "**",
}


METHODS = ("all", "any", "astype", "copy", "max", "mean", "min", "reshape", "sum", "swapaxes", "transpose")
PROPERTIES = ("T", "mT")
"""Of an array, whose results know their source."""


def _method(name: str) -> Any:
    def method(self: Traced, *arguments: Any, **options: Any) -> Any:
        result = getattr(_plain(self), name)(*_plain(arguments), **_plain(options))
        return _with_source(result, _call((self.source, f".{name}"), arguments, options))

    return method


def _property(name: str) -> Any:
    return property(lambda self: _with_source(getattr(_plain(self), name), _of(self.source, f".{name}")))


class Traced(np.ndarray[Any, np.dtype[Any]]):
    """An array with the expression that it is the value of."""

    source: Expression | None = None

    def __array_ufunc__(self, ufunc: Any, method: Any, *inputs: Any, **options: Any) -> Any:
        result = getattr(ufunc, method)(*_plain(inputs), **_plain(options))
        if "out" in options:
            for changed in options["out"]:
                if isinstance(changed, Traced):
                    changed.source = None
            return result
        sources = [_source(one) for one in inputs]
        if method == "__call__" and not options and ufunc in OPERATORS:
            return _with_source(result, _of("(", sources[0], f" {OPERATORS[ufunc]} ", sources[1], ")"))
        called = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
        return _with_source(result, _call((called,), inputs, options))

    def __array_function__(self, func: Any, types: Any, args: Iterable[Any], kwargs: Mapping[str, Any]) -> Any:
        args = tuple(args)
        result = func(*_plain(args), **_plain(dict(kwargs)))
        name = f"{func.__module__}.{func.__name__}".replace("numpy", "np", 1)
        return _with_source(result, _call((name,), args, kwargs))

    def __getitem__(self, key: Any) -> Any:
        return _with_source(_plain(self)[_plain(key)], _of(self.source, "[", _index(key), "]"))

    def __setitem__(self, key: Any, value: Any) -> None:
        _plain(self)[_plain(key)] = _plain(value)
        self.source = None

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self)))


for _name in METHODS:
    setattr(Traced, _name, _method(_name))
for _name in PROPERTIES:
    setattr(Traced, _name, _property(_name))


def traced(array: Array, source: Expression | None) -> Traced:
    """Return an array that knows its source."""
    made: Traced = np.asarray(array).view(Traced)
    made.source = source
    return made


def source_of(array: Array, dtype: str) -> Expression:
    """Return the expression of an array: its source, or itself as a literal."""
    if isinstance(array, Traced) and array.source is not None:
        return array.source
    return Expression((array_source(np.asarray(array), dtype),))


def _plain(x: Any) -> Any:
    """Return arrays without their sources, so that NumPy computes with them as ever."""
    if isinstance(x, Traced):
        return x.view(np.ndarray)
    if isinstance(x, tuple | list):
        return type(x)(map(_plain, x))
    return {name: _plain(one) for name, one in x.items()} if isinstance(x, dict) else x


def _with_source(result: Any, source: Expression | None) -> Any:
    if isinstance(result, tuple | list):
        return type(result)(_with_source(one, _of(source, f"[{place}]")) for place, one in enumerate(result))
    return traced(np.asarray(result), source) if isinstance(result, np.ndarray | np.generic) else result


def _of(*pieces: Piece | None) -> Expression | None:
    known = tuple(piece for piece in pieces if piece is not None)
    return Expression(known) if len(known) == len(pieces) else None


def _call(function: Sequence[Piece | None], arguments: Sequence[Any], options: Mapping[str, Any]) -> Expression | None:
    given = [*map(_source, arguments), *(_of(f"{name}=", _source(one)) for name, one in options.items())]
    return _of(*function, "(", *listed(given), ")")


def _source(x: Any) -> Piece | None:
    if isinstance(x, Traced):
        return x.source
    if isinstance(x, np.ndarray):
        return array_source(x, str(x.dtype)) if x.dtype.kind in "biuf" else None
    if isinstance(x, tuple | list):
        parts = _of(*listed([_source(one) for one in x]))
        return _of("[", parts, "]") if isinstance(x, list) else _of("(", parts, ",)" if len(x) == 1 else ")")
    if isinstance(x, np.dtype) or (isinstance(x, type) and issubclass(x, np.generic)):
        return f"np.{np.dtype(x).name}"
    with suppress(Unwritable):
        return scalar_source(x)
    return None


def _index(key: Any) -> Piece | None:
    if isinstance(key, tuple) and key:
        return _of(*listed([_index(one) for one in key]), "," if len(key) == 1 else "")
    if isinstance(key, np.integer):
        return str(int(key))
    if isinstance(key, slice):
        start, stop, step = ("" if part is None else _index(part) for part in (key.start, key.stop, key.step))
        return _of(start, ":", stop, *((":", step) if step != "" else ()))
    return _source(key)
