"""Correct key/value caches in parts, from which defects are built."""

from __future__ import annotations

import numpy as np

from tests.defects.correct import Array, attention
from tests.defects.correct_layer import for_each_query_head


class Cache:
    """A cache that concatenates the appended tokens."""

    def __init__(self) -> None:
        self.key: Array = None
        self.value: Array = None

    def append(self, key: Array, value: Array) -> None:
        self.key, self.value = self.joined(self.key, self.kept(key)), self.joined(self.value, self.kept(value))

    def attend(self, query: Array) -> Array:
        return attention(query, *(for_each_query_head(array, query) for array in (self.key, self.value)))

    def kept(self, words: Array) -> Array:
        return words.copy()

    def joined(self, before: Array, words: Array) -> Array:
        return words if before is None else np.concatenate([before, words], axis=-2)


class Buffer:
    """A cache that keeps the tokens at the start of arrays that grow by doubling."""

    def __init__(self) -> None:
        self.key: Array = None
        self.value: Array = None
        self.length = 0

    def append(self, key: Array, value: Array) -> None:
        self.key, self.value = self.with_room(self.key, key), self.with_room(self.value, value)
        self.write(key, value)
        self.count(key.shape[-2])

    def attend(self, query: Array) -> Array:
        return attention(query, self.key[..., : self.length, :], self.value[..., : self.length, :])

    def write(self, key: Array, value: Array) -> None:
        self.key[..., self.length : self.length + key.shape[-2], :] = key
        self.value[..., self.length : self.length + value.shape[-2], :] = value

    def count(self, words: int) -> None:
        self.length += words

    def with_room(self, before: Array, words: Array) -> Array:
        needed = self.length + words.shape[-2]
        if before is not None and needed <= before.shape[-2]:
            return before
        room = max(8, 1 << (needed - 1).bit_length())
        return self.moved(before, np.zeros_like(words, shape=(*words.shape[:-2], room, words.shape[-1])))

    def moved(self, before: Array, larger: Array) -> Array:
        if before is not None:
            larger[..., : self.length, :] = before[..., : self.length, :]
        return larger
