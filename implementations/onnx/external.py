"""A key/value cache outside of the operator Attention: a buffer that TensorScatter writes (from opset 24 on).

https://onnx.ai/onnx/operators/onnx__TensorScatter.html. Attention is given the number of tokens; behind
them is unused space. The last query is then at the last token, and a mask may be as short as the tokens.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from attention_tests.declare.dialect import Alignment
from attention_tests.declare.implementation import Array, Implementation
from implementations.onnx.attention import attention, operator
from implementations.onnx.cache import Words
from implementations.onnx.model import Operator, Sessions, ask

NO_WORD = 1
"""The number in unused space, which would show in an output."""


class Buffer:
    """Keys (batch, key heads, room, d_k) and values (batch, key heads, room, d_v), of which the first are tokens."""

    def __init__(self, sessions: Sessions, opset: int, *, over_room: bool = False) -> None:
        self._sessions, self._opset, self._over_room = sessions, opset, over_room
        self._buffers: Words | None = None
        self._length = 0

    def append(self, key: Array, value: Array) -> None:
        """Append tokens to the cache."""
        buffers = self._buffers or (key[:, :, :0], value[:, :, :0])
        self._buffers = self._written(buffers[0], key), self._written(buffers[1], value)
        self._length += key.shape[2]

    def attend(self, query: Array, **options: Any) -> Array:
        """Return the output (batch, heads, n_q, d_v) of queries that attend to all tokens, unless options hide some.

        Raises ValueError for an empty cache.
        """
        if self._buffers is None:
            raise ValueError("an empty cache has no shape to answer in")
        key, value = self._buffers
        options |= {"words": self._length, "whole_masks": True, "over_room": self._over_room}
        return attention(self._sessions, operator(self._opset), query, key, value, **options)

    def _written(self, buffer: Array, words: Array) -> Array:
        scatter = Operator("TensorScatter", self._opset, ("past_cache", "update", "write_indices"), ("present_cache",))
        past = _with_room(buffer, self._length, self._length + words.shape[2])
        inputs = {"past_cache": past, "update": words, "write_indices": np.full(len(words), self._length)}
        (written,) = ask(self._sessions, scatter, inputs, "present_cache")
        return written


def _with_room(buffer: Array, length: int, words: int) -> Array:
    """Return a buffer with space for at least one token more than there will be, which must not be read."""
    if words < buffer.shape[2]:
        return buffer
    larger = np.full((*buffer.shape[:2], 2 * words, buffer.shape[3]), NO_WORD, buffer.dtype)
    larger[:, :, :length] = buffer[:, :, :length]
    return larger


def external(
    sessions: Sessions, implementation: Implementation, opset: int, *, over_room: bool = False
) -> Implementation:
    """Return the same with the tokens in a buffer; with `over_room`, masks are as long as the buffer."""
    empty = partial(Buffer, sessions, opset, over_room=over_room)

    def attention_over_a_buffer(query: Array, key: Array, value: Array, **options: Any) -> Array:
        buffer = empty()
        buffer.append(key, value)
        return buffer.attend(query, **options)

    return replace(
        implementation,
        name=f"{implementation.name}-external",
        attention=attention_over_a_buffer,
        score=None,
        softmax=None,
        cache=empty,
        dialect=replace(implementation.dialect, alignment=Alignment.BOTTOM_RIGHT),
    )
