"""Inputs that are hard in known ways: query, key, value as float64 arrays that are exact in a format."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from attention_tests import Precision
from reference.bounds.formats import FORMATS, Array, round_to

Rng: TypeAlias = np.random.Generator
Inputs: TypeAlias = tuple[Array, Array, Array]
Family: TypeAlias = Callable[[Rng, tuple[int, int, int, int], str], Inputs]

LARGEST_SIZE = {"float64": 1e100, "float32": 1e6, "float16": 30.0, "bfloat16": 1e4}


def normal(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    del dtype
    n_q, n_k, d_k, d_v = sizes
    return rng.standard_normal((n_q, d_k)), rng.standard_normal((n_k, d_k)), rng.standard_normal((n_k, d_v))


def large_scores(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    query, key, value = normal(rng, sizes, dtype)
    return query * 20, key * 20, value


def heavy_tails(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    del dtype
    n_q, n_k, d_k, d_v = sizes
    query, key, value = (rng.standard_t(1.5, shape).clip(-200, 200) for shape in ((n_q, d_k), (n_k, d_k), (n_k, d_v)))
    return query, key, value


def equal_keys(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    query, key, value = normal(rng, sizes, dtype)
    return query, np.broadcast_to(key[:1], key.shape), value


def equal_values(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    query, key, value = normal(rng, sizes, dtype)
    return query, key, np.broadcast_to(value[:1], value.shape)


def ties(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    query, key, value = (np.rint(2 * array) for array in normal(rng, sizes, dtype))
    return query, key, value


def offset(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    query, key, value = normal(rng, sizes, dtype)
    return query, key, value + 1000


def cancelling_scores(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    query, key, value = normal(rng, sizes, dtype)
    half = sizes[2] // 2
    query[:, half : 2 * half] = 10 * query[:, :half]
    query[:, :half] *= 10
    key[:, half : 2 * half] = -key[:, :half] * (1 + 1e-3)
    return query, key, value


def cancelling_values(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    query, key, value = normal(rng, sizes, dtype)
    half = sizes[1] // 2
    key[half : 2 * half], value[half : 2 * half] = key[:half], -value[:half]
    return query, key, 100 * value


def scales(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    query, key, value = normal(rng, sizes, dtype)
    return query, key, value * 10.0 ** rng.uniform(-4, 3, (sizes[1], 1))


def subnormal_values(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    query, key, value = normal(rng, sizes, dtype)
    return query, key, value * 100 * FORMATS[dtype].smallest_subnormal


def subnormal_keys(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    query, key, value = normal(rng, sizes, dtype)
    return query, key * 100 * FORMATS[dtype].smallest_subnormal, value


def zeros(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    query, key, value = normal(rng, sizes, dtype)
    return query * 0, key, value


def amplifier(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    """The winning key has value 0 and the others lie 8 to 20 below it: the output is tiny, yet must be accurate."""
    query, key, value = normal(rng, sizes, dtype)
    n_k, d_k = key.shape
    query[:] = 1
    key[:] = rng.uniform(-20, -8, (n_k, 1)) / np.sqrt(d_k)
    key[0], value[0] = 0, 0
    return query, key, value


FAMILIES: tuple[Family, ...] = (
    normal,
    large_scores,
    heavy_tails,
    equal_keys,
    equal_values,
    ties,
    offset,
    cancelling_scores,
    cancelling_values,
    scales,
    subnormal_values,
    subnormal_keys,
    zeros,
    amplifier,
)

PRECISIONS: dict[str, tuple[str, Precision]] = {
    f"{dtype}-{precision.name}": (dtype, precision)
    for dtype in ("float64", "float32", "bfloat16", "float16")
    for precision in Precision.ladder(dtype)
}
"""Every usual arithmetic, with its dtype."""


def draw(family: Family, rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    """Draw from a family, small enough for the scores to stay in the format, and round to it."""
    query, key, value = family(rng, sizes, dtype)
    largest = LARGEST_SIZE[dtype]
    return (
        round_to(query.clip(-largest, largest), dtype),
        round_to(key.clip(-largest, largest), dtype),
        round_to(value.clip(-largest * 1000, largest * 1000), dtype),
    )


def random_sizes(rng: Rng) -> tuple[int, int, int, int]:
    n_q, n_k, d_k, d_v = (int(rng.integers(1, most)) for most in (4, 21, 9, 4))
    return n_q, n_k, d_k, d_v


def random_bias(rng: Rng, n_q: int, n_k: int, dtype: str) -> Array | None:
    """Return no bias, a random one, or one that hides about a third of the keys, but never all of them."""
    kind = int(rng.integers(3))
    if kind == 0:
        return None
    if kind == 1:
        return round_to(3 * rng.standard_normal((n_q, n_k)), dtype)
    bias: npt.NDArray[np.float64] = np.where(rng.random((n_q, n_k)) < 0.3, -np.inf, 0.0)
    bias[:, rng.integers(n_k)] = 0
    return bias
