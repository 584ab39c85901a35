"""Signatures of calls: what a kernel that is compiled for its shapes is compiled for anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

Argument: TypeAlias = tuple[int, ...] | bool | int | float | None
"""The shape of an array, or the value of what is none."""


class Signature(NamedTuple):
    """Everything about a call but the numbers in its arrays and their places in memory."""

    step: str
    arguments: tuple[Argument, ...]
    dtype: str
    """The dtype of the first array; empty where there is none."""
    options: tuple[tuple[str, Argument], ...]
    """The options that were given, by name."""


def signature_of(step: str, arrays: Sequence[Any], options: Mapping[str, Any]) -> Signature:
    """Return the signature of a call of a step on native arrays, or their handles, with options by name."""
    dtype = _name(getattr(arrays[0], "dtype", "")) if arrays else ""
    named = tuple((name, _argument(options[name])) for name in sorted(options)) if options else ()
    return Signature(str(step), tuple(map(_argument, arrays)), dtype, named)


def _argument(given: Any) -> Argument:
    if given is None or isinstance(given, int | float):
        return given
    try:
        return tuple(given.shape)
    # What tells no shape is one without.
    except (AttributeError, TypeError):
        return ()


@cache
def _name(dtype: Any) -> str:
    # PyTorch calls it torch.float32.
    return str(dtype).rpartition(".")[2]
