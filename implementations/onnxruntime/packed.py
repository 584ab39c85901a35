"""Heads side by side, as the operators of com.microsoft take them: (batch, length, heads · width)."""

from __future__ import annotations

import math

import numpy as np

from attention_tests.declare.implementation import Array
from implementations.hiding import of_four_axes

DOMAIN = "com.microsoft"


def packed(array: Array, width: int) -> Array:
    """Return an array (batch, length, heads, narrower) padded with zeros, which add nothing to a dot product."""
    filled_up = np.pad(array, [(0, 0)] * 3 + [(0, width - array.shape[-1])])
    return filled_up.reshape(*array.shape[:2], -1)


def unpacked(array: Array, heads: int, width: int) -> Array:
    """Return the first columns of each head, (batch, length, heads, width)."""
    return array.reshape(*array.shape[:2], heads, -1)[..., :width]


def no_words(array: Array, width: int) -> Array:
    """Return an empty past (batch, heads, 0, width)."""
    return np.zeros((array.shape[0], array.shape[2], 0, width), array.dtype)


def scale_of(query: Array, width: int, scale: float | None) -> float | None:
    """Return the explicit scale: the default one is right only without padding."""
    return 1 / math.sqrt(query.shape[-1]) if scale is None and query.shape[-1] < width else scale


def whole(bias: Array, queries: int, words: int) -> Array:
    """Return a bias of four axes, of which the last two have their whole length."""
    bias = of_four_axes(bias)
    return np.ascontiguousarray(np.broadcast_to(bias, (*bias.shape[:2], queries, words)))
