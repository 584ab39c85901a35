"""A key/value cache in NumPy: one array of keys and one of values, for the tokens so far."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from attention_tests.declare.implementation import Array


class Cache:
    """Keys (batch, key heads, n, d_k) and values (batch, key heads, n, d_v) of the tokens so far."""

    def __init__(self, attention: Callable[..., Any]) -> None:
        self._attention = attention
        self._words: tuple[Array, Array] | None = None

    def append(self, key: Array, value: Array) -> None:
        """Append tokens to the cache."""
        if self._words is None:
            self._words = key.copy(), value.copy()
        else:
            keys, values = self._words
            self._words = np.concatenate([keys, key], axis=-2), np.concatenate([values, value], axis=-2)

    def attend(self, query: Array) -> Array:
        """Return the output (batch, heads, n_q, d_v) of queries that attend to every token so far.

        Raises ValueError for an empty cache.
        """
        if self._words is None:
            raise ValueError("an empty cache has no shape to answer in")
        output: Array = self._attention(query, *self._words)
        return output


def cache_of(attention: Callable[..., Any]) -> Callable[[], Cache]:
    """Return a factory of empty caches that compute outputs by `attention`."""
    return partial(Cache, attention)
