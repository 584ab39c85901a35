"""Masks, causality and windows as sets of visible keys, and the biases that are drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Alignment

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Shape: TypeAlias = tuple[int, ...]


def positions_ahead(n_q: int, n_k: int, alignment: Alignment) -> Array:
    """Return how many positions each key stands after the token of each query, (n_q, n_k)."""
    first = 0 if alignment is Alignment.TOP_LEFT else n_k - n_q
    return np.asarray(np.arange(n_k) - (np.arange(n_q)[:, None] + first))


def causal(n_q: int, n_k: int, alignment: Alignment) -> Array:
    """Return the keys that stand no later than the token of each query, booleans (n_q, n_k)."""
    return np.asarray(positions_ahead(n_q, n_k, alignment) <= 0)


def window(n_q: int, n_k: int, size: int, alignment: Alignment) -> Array:
    """Return the keys fewer than `size` positions from the token of each query, booleans (n_q, n_k)."""
    return np.asarray(np.abs(positions_ahead(n_q, n_k, alignment)) < size)


def _most(random: np.random.Generator, shape: Shape) -> Array:
    luck = random.random(shape)
    return np.asarray((luck < 0.7) | (luck == luck.min(axis=-1, keepdims=True)))


def _few(random: np.random.Generator, shape: Shape) -> Array:
    return random.random(shape) < 0.2


def _one(random: np.random.Generator, shape: Shape) -> Array:
    return np.asarray(np.arange(shape[-1]) == random.integers(0, shape[-1], (*shape[:-1], 1)))


def _padding(random: np.random.Generator, shape: Shape) -> Array:
    lengths = random.integers(1, shape[-1] + 1, (*shape[:-2], 1, 1))
    return np.broadcast_to(np.arange(shape[-1]) < lengths, shape)


def _triangle(_random: np.random.Generator, shape: Shape) -> Array:
    return np.tril(np.ones(shape, bool))


def _some_rows_fully_masked(random: np.random.Generator, shape: Shape) -> Array:
    """Return a mask with about half of the rows fully masked."""
    return np.broadcast_to(random.random((*shape[:-1], 1)) < 0.5, shape) & _most(random, shape)


MASKS: dict[str, Callable[[np.random.Generator, Shape], Array]] = {
    "all": lambda _random, shape: np.ones(shape, bool),
    "triangle": _triangle,
    "padding": _padding,
    "one": _one,
    "most": _most,
    "few": _few,
    "fully masked rows": _some_rows_fully_masked,
}
"""Boolean masks by name, True for visible keys, the plainest first; the last two may mask rows fully."""


def _distance(_random: np.random.Generator, shape: Shape) -> Array:
    return np.zeros(shape) - 0.5 * np.abs(positions_ahead(shape[-2], shape[-1], Alignment.TOP_LEFT))


def _normal_or_minus_infinity(random: np.random.Generator, shape: Shape) -> Array:
    return np.where(_most(random, shape), random.standard_normal(shape), -np.inf)


BIASES: dict[str, Callable[[np.random.Generator, Shape], Array]] = {
    "zero": lambda _random, shape: np.zeros(shape),
    "distance": _distance,
    "normal": lambda random, shape: random.standard_normal(shape),
    "large": lambda random, shape: 30 * random.standard_normal(shape),
    "minus infinity": _normal_or_minus_infinity,
}
"""Biases by name."""

BROADCASTS = ("bhqk", "11qk", "b1qk", "1hqk", "111k", "b11k", "bh1k", "bhq1", "1111", "qk", "1k")
"""The shapes of a mask or a bias: a 1 is an axis that broadcasts, and leading axes may be missing."""
