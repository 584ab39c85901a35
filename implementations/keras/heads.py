"""Heads moved to the batch axis, for layers of Keras whose projections would mix NaN into other heads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_WIDEST = 1024
"""The widest token for which a layer is made: its matrices have the square of that many elements."""


def apart_where_mixed(keras: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` of arrays (batch, length, heads, width), computed again where projections may mix heads.

    Projections add up heads with factors of 1 and 0, and so NaN in one head makes all heads NaN. In the batches whose
    output has non-finite numbers, every key head becomes a batch of its own, with the query heads that read it.
    """
    by_heads = apart(keras, function)

    def called(*arrays: Any, **options: Any) -> Any:
        if max(array.shape[2] * array.shape[3] for array in arrays) > _WIDEST:
            return by_heads(*arrays, **options)
        at_once = function(*arrays, **options)
        unmixed = np.isfinite(keras.ops.convert_to_numpy(at_once)).all(axis=(1, 2, 3), keepdims=True)
        if arrays[1].shape[2] == 1 or unmixed.all():
            return at_once
        return keras.ops.where(unmixed, at_once, by_heads(*arrays, **options))

    return called


def apart(keras: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` of arrays (batch, length, heads, width), with every key head as a batch of its own."""

    def called(*arrays: Any, mask: Any = None, **options: Any) -> Any:
        query, key = arrays[:2]
        hiding = None if mask is None else _mask_apart(keras, mask, query, key)
        answer = function(*(_apart(keras, array, key.shape[2]) for array in arrays), mask=hiding, **options)
        if isinstance(answer, tuple):
            return tuple(_together(keras, one, query.shape[0]) for one in answer)
        return _together(keras, answer, query.shape[0])

    return called


def _apart(keras: Any, array: Any, key_heads: int) -> Any:
    """Reshape (batch, length, heads, width) → (batch · key_heads, length, heads / key_heads, width)."""
    batch, length, heads, width = array.shape
    groups = keras.ops.reshape(array, (batch, length, key_heads, heads // key_heads, width))
    in_batches = keras.ops.transpose(groups, (0, 2, 1, 3, 4))
    return keras.ops.reshape(in_batches, (batch * key_heads, length, heads // key_heads, width))


def _together(keras: Any, array: Any, batch: int) -> Any:
    """Reshape (batch · key_heads, length, group, width) → (batch, length, key_heads · group, width)."""
    several, length, group, width = array.shape
    key_heads = several // batch
    in_batches = keras.ops.reshape(array, (batch, key_heads, length, group, width))
    groups = keras.ops.transpose(in_batches, (0, 2, 1, 3, 4))
    return keras.ops.reshape(groups, (batch, length, key_heads * group, width))


def _mask_apart(keras: Any, mask: Any, query: Any, key: Any) -> Any:
    """Return a mask for (batch, heads, n_q, n_k) as one for (batch · key_heads, heads / key_heads, n_q, n_k)."""
    (batch, n_q, heads, _), (_, n_k, key_heads, _) = query.shape, key.shape
    whole = keras.ops.broadcast_to(mask, (batch, heads, n_q, n_k))
    return keras.ops.reshape(whole, (batch * key_heads, heads // key_heads, n_q, n_k))
