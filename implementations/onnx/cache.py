"""Key/value caches inside an operator of ONNX: it takes earlier tokens as its past, and returns all as its present."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from attention_tests.declare.implementation import Array

Words: TypeAlias = tuple[Array, Array]
"""The keys and the values of some tokens."""

After: TypeAlias = Callable[..., tuple[Array, Any]]
"""A function of a query, new tokens, earlier tokens or None, and options, that returns the output and all tokens.

All tokens are returned in the form in which the next call takes earlier ones, which may be any.
"""


class Cache:
    """The tokens appended last, and those before them as the operator returned them."""

    def __init__(self, after: After) -> None:
        self._after = after
        self._past: Any = None
        self._last: Words | None = None

    def append(self, key: Array, value: Array) -> None:
        """Append tokens to the cache."""
        if self._last is not None:
            # The operator appends tokens only when it attends: here, with their own keys as queries.
            _, self._past = self._after(self._last[0], self._last, self._past)
        self._last = key.copy(), value.copy()

    def attend(self, query: Array) -> Array:
        """Return the output of queries that attend to every token so far.

        Raises ValueError for an empty cache.
        """
        if self._last is None:
            raise ValueError("an empty cache has no shape to answer in")
        output, _ = self._after(query, self._last, self._past)
        return output


def chunked(attention: Callable[..., Array], after: After, axis: int) -> Callable[..., Array]:
    """Return `attention` with causal calls split into two: the later half of the tokens after the earlier one.

    There are as many queries as tokens, in axis `axis`.
    """

    def attention_in_chunks(query: Array, key: Array, value: Array, *, causal: bool = False, **options: Any) -> Array:
        length = query.shape[axis]
        if not causal or length == 1:
            return attention(query, key, value, causal=causal, **options)
        parts = [np.split(array, [length // 2], axis) for array in (query, key, value)]
        earlier, later = zip(*parts, strict=True)
        first, past = after(earlier[0], earlier[1:], None, causal=True, **_rows(options, length, 0, length // 2))
        second, _ = after(later[0], later[1:], past, causal=True, **_rows(options, length, length // 2, length))
        return np.concatenate([first, second], axis)

    return attention_in_chunks


def _rows(options: dict[str, Any], length: int, start: int, end: int) -> dict[str, Any]:
    """Return the options for the queries from `start` to `end`, which attend to no later token."""
    return {
        name: np.broadcast_to(option, (*option.shape[:-2], length, length))[..., start:end, :end]
        if isinstance(option, np.ndarray)
        else option
        for name, option in options.items()
    }
