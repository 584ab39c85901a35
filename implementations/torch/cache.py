"""A key/value cache in PyTorch: a buffer with space for more tokens, doubled when it is full."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch


class Cache:
    """Keys (batch, key heads, room, d_k) and values (batch, key heads, room, d_v), of which the first are tokens."""

    def __init__(self, attention: Callable[..., torch.Tensor]) -> None:
        self._attention = attention
        self._length = 0
        self._key = self._value = torch.empty(0)

    def append(self, key: torch.Tensor, value: torch.Tensor) -> None:
        """Append tokens to the cache."""
        if self._length == 0:
            self._key, self._value = key[..., :0, :], value[..., :0, :]
        end = self._length + key.shape[-2]
        self._key, self._value = (self._with_room(array, end) for array in (self._key, self._value))
        self._key[..., self._length : end, :] = key
        self._value[..., self._length : end, :] = value
        self._length = end

    def attend(self, query: torch.Tensor) -> torch.Tensor:
        """Return the output (batch, heads, n_q, d_v) of queries that attend to every token so far."""
        return self._attention(query, self._key[..., : self._length, :], self._value[..., : self._length, :])

    def _with_room(self, array: torch.Tensor, words: int) -> torch.Tensor:
        if words <= array.shape[-2]:
            return array
        larger = array.new_empty((*array.shape[:-2], max(words, 2 * array.shape[-2]), array.shape[-1]))
        larger[..., : self._length, :] = array[..., : self._length, :]
        return larger


def cache_of(attention: Callable[..., torch.Tensor]) -> Callable[[], Cache]:
    """Return a factory of empty caches that compute outputs by `attention`."""
    return partial(Cache, attention)
