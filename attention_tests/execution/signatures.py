"""Signatures of calls: what a kernel that is compiled for its shapes is compiled for anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

Argument: TypeAlias = tuple[int, ...] | bool | int | float | None
"""The shape of an array, or the value of what is none."""


class Signature(NamedTuple):
    """Everything about a call but the numbers in its arrays."""

    step: str
    arguments: tuple[Argument, ...]
    dtype: str
    """The dtype of the first array; empty where there is none."""
    options: tuple[tuple[str, Argument], ...]
    """The options that were given, by name."""
    places: tuple[str, ...] = ()
    """The place in memory of each argument and then of each option, empty for contiguous; none: all are."""


def contiguous(_array: Any) -> str:
    """Return the place in memory of an array that lies in order: none."""
    return ""


def signature_of(
    step: str, arrays: Sequence[Any], options: Mapping[str, Any], place_of: Callable[[Any], str] = contiguous
) -> Signature:
    """Return the signature of a call of a step on native arrays, or their handles, with options by name."""
    dtype = _name(getattr(arrays[0], "dtype", "")) if arrays else ""
    named = tuple((name, _argument(options[name])) for name in sorted(options)) if options else ()
    places = [place_of(array) for array in (*arrays, *(options[name] for name, _ in named))]
    return Signature(str(step), tuple(map(_argument, arrays)), dtype, named, tuple(places) if any(places) else ())


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
