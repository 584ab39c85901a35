"""Value regimes: the distributions of the numbers of one head, in the order of shrinking, plainest first.

Regimes are drawn by their place in this order: another one, wherever it is put, draws other problems for every law.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


class Head(NamedTuple):
    """The query (n_q, d_k), key (n_k, d_k) and value (n_k, d_v) of one head, float64."""

    query: Array
    key: Array
    value: Array


class Sizes(NamedTuple):
    """The lengths and widths of one head."""

    queries: int
    keys: int
    d_k: int
    d_v: int

    def shapes(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Return the shapes of query, key and value."""
        return (self.queries, self.d_k), (self.keys, self.d_k), (self.keys, self.d_v)


Regime: TypeAlias = Callable[[np.random.Generator, Sizes], Head]


def _filled(number: float) -> Regime:
    return lambda _random, sizes: Head(*(np.full(shape, number) for shape in sizes.shapes()))


def _iota(_random: np.random.Generator, sizes: Sizes) -> Head:
    return Head(*(np.arange(np.prod(shape), dtype=float).reshape(shape) % 7 - 2 for shape in sizes.shapes()))


def small_integers(random: np.random.Generator, sizes: Sizes) -> Head:
    """Draw integers of -3…3: sums of a few of them are exact in every format."""
    return Head(*(random.integers(-3, 4, shape).astype(float) for shape in sizes.shapes()))


def normal(random: np.random.Generator, sizes: Sizes) -> Head:
    """Draw independent standard normal numbers."""
    return Head(*(random.standard_normal(shape) for shape in sizes.shapes()))


def _uniform(random: np.random.Generator, sizes: Sizes) -> Head:
    return Head(*(random.uniform(-1, 1, shape) for shape in sizes.shapes()))


def _ties(random: np.random.Generator, sizes: Sizes) -> Head:
    query, key, value = normal(random, sizes)
    return Head(query, key[random.integers(0, min(3, sizes.keys), sizes.keys)], value)


def _one_key_repeated(random: np.random.Generator, sizes: Sizes) -> Head:
    query, key, value = normal(random, sizes)
    return Head(query, np.repeat(key[:1], sizes.keys, axis=0), value)


def _signed_zeros(random: np.random.Generator, sizes: Sizes) -> Head:
    return Head(*(random.choice([-0.0, 0.0, 1.0, -1.0], shape) for shape in sizes.shapes()))


def _spikes(random: np.random.Generator, sizes: Sizes) -> Head:
    query, key, value = (np.eye(shape[1])[random.integers(0, shape[1], shape[0])] for shape in sizes.shapes())
    return Head(30 * query, 30 * key, 100 * value)


def _common_offset(random: np.random.Generator, sizes: Sizes) -> Head:
    return Head(*(random.standard_normal(shape) + 50 for shape in sizes.shapes()))


def _scaled(queries: float, keys: float, values: float) -> Regime:
    def regime(random: np.random.Generator, sizes: Sizes) -> Head:
        query, key, value = normal(random, sizes)
        return Head(queries * query, keys * key, values * value)

    return regime


def _shifted_values(random: np.random.Generator, sizes: Sizes) -> Head:
    query, key, value = normal(random, sizes)
    return Head(query, key, value + 100)


def _cancelling_values(random: np.random.Generator, sizes: Sizes) -> Head:
    query, key, value = normal(random, sizes)
    half = sizes.keys // 2
    key[half : 2 * half], value[half : 2 * half] = key[:half], -value[:half]
    return Head(query, key, 100 * value)


def _cancelling_scores(random: np.random.Generator, sizes: Sizes) -> Head:
    query, key, value = normal(random, sizes)
    half = sizes.d_k // 2
    query[:, half : 2 * half] = query[:, :half]
    key[:, half : 2 * half] = -key[:, :half] * (1 + 1e-3)
    return Head(10 * query, 10 * key, value)


def _heavy_tail(random: np.random.Generator, sizes: Sizes) -> Head:
    return Head(*(np.clip(random.standard_t(1.5, shape), -200, 200) for shape in sizes.shapes()))


def _large(random: np.random.Generator, sizes: Sizes) -> Head:
    query, key, value = (random.choice([-100.0, 100.0], shape) for shape in sizes.shapes())
    return Head(query, key, value)


def _amplifier(random: np.random.Generator, sizes: Sizes) -> Head:
    """Draw outputs that are tiny but relatively accurate (docs/explanation/tolerance.md#the-amplifier).

    The key with the highest score has a value of zero; the others lie 8 and more below it.
    """
    direction = random.standard_normal(sizes.d_k)
    direction *= sizes.d_k**0.25 / np.linalg.norm(direction)
    gap = 8 + random.uniform(0, random.choice([4.0, 52.0]), sizes.keys)
    winner = random.integers(sizes.keys)
    gap[winner] = 0
    value = random.uniform(0.5, 2, (sizes.keys, sizes.d_v))
    value[winner] = 0
    return Head(random.uniform(0.9, 1.1, (sizes.queries, 1)) * direction, -gap[:, None] * direction, value)


REGIMES: dict[str, Regime] = {
    "zeros": _filled(0),
    "ones": _filled(1),
    "iota": _iota,
    "small integers": small_integers,
    "normal": normal,
    "uniform": _uniform,
    "ties": _ties,
    "one key repeated": _one_key_repeated,
    "signed zeros": _signed_zeros,
    "spikes": _spikes,
    "common offset": _common_offset,
    "values + 100": _shifted_values,
    "logits x 12": _scaled(12, 1, 1),
    "logits x 60": _scaled(60, 1, 1),
    "values cancel": _cancelling_values,
    "scores cancel": _cancelling_scores,
    "heavy tail": _heavy_tail,
    "large": _large,
    "huge logits": _scaled(300, 300, 1),
    "values x 1e-3": _scaled(1, 1, 1e-3),
    "subnormal values": _scaled(1, 1, 1e-39),
    "subnormal queries": _scaled(1e-39, 1, 1),
    "amplifier": _amplifier,
}


def _all_scores_near(score: float) -> Regime:
    """Return a regime whose scaled scores all lie within a few of `score`: exp of them without a shift is 0 or ∞."""

    def regime(random: np.random.Generator, sizes: Sizes) -> Head:
        query, key, value = normal(random, sizes)
        level = (score + 2 * random.standard_normal((sizes.keys, 1))) / sizes.d_k**0.5
        return Head(1 + query / 64, level + key / 64, value)

    return regime


FAR: dict[str, Regime] = {
    "scores far below": _all_scores_near(-200),
    "scores far above": _all_scores_near(200),
    "scores below -1,000": _all_scores_near(-1000),
    "scores above 1,000": _all_scores_near(1000),
}
"""Regimes by name that are not drawn, and that some listed plans have."""
EVERY_REGIME = REGIMES | FAR


def scatter_special_numbers(random: np.random.Generator, array: Array) -> Array:
    """Return a copy with about one element in eight, at least one, replaced by numbers that code treats specially."""
    specials = np.array([-0.0, 0.0, 1.0, -1.0, 1e-39, -1e-39, 1e-20, 100.0, -100.0, 30.0])
    flat = array.reshape(-1).copy()
    places = random.integers(0, flat.size, flat.size // 8 + 1)
    flat[places] = random.choice(specials, places.size)
    return flat.reshape(array.shape)


def copy_a_row(random: np.random.Generator, array: Array) -> Array:
    """Return a copy in which one row equals another: an exact tie between two tokens."""
    source, target = random.integers(0, array.shape[-2], 2)
    tied = array.copy()
    tied[..., target, :] = tied[..., source, :]
    return tied


OVERLAYS: dict[str, Callable[[np.random.Generator, Array], Array]] = {
    "none": lambda _random, array: array,
    "special numbers": scatter_special_numbers,
    "tied rows": copy_a_row,
}
