"""Attention in Numba for CUDA: `RIGHT`, and `WRONG`, which hides later keys by their places within a tile."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numba import cuda, float32

from attention_tests import Domain, Feature, Implementation, Precision

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

TILE = 16
"""The number of queries of a block of threads, and of keys of a tile."""
WIDEST, LONGEST = 8, 24


@cuda.jit  # type: ignore[untyped-decorator]
def forward(query: Any, key: Any, value: Any, output: Any, causal: bool, within_tile: bool) -> None:  # noqa: FBT001, PLR0913, PLR0917
    """Compute one query of one head in each thread, tile by tile."""
    head, thread = cuda.blockIdx.y, cuda.threadIdx.x
    row = cuda.blockIdx.x * TILE + thread
    if row >= query.shape[1]:
        return
    scores = cuda.local.array(TILE, float32)
    largest, total = -math.inf, 0.0
    for d in range(value.shape[2]):
        output[head, row, d] = 0.0

    for start in range(0, key.shape[1], TILE):
        before = largest
        for place in range(min(TILE, key.shape[1] - start)):
            later = place > thread if within_tile else start + place > row
            scores[place] = 0.0
            for d in range(query.shape[2]):
                scores[place] += query[head, row, d] * key[head, start + place, d]
            scores[place] = -math.inf if causal and later else scores[place] / math.sqrt(query.shape[2])
            largest = max(largest, scores[place])
        correction = math.exp(before - largest)
        total *= correction
        for d in range(value.shape[2]):
            output[head, row, d] *= correction
        for place in range(min(TILE, key.shape[1] - start)):
            weight = math.exp(scores[place] - largest)
            total += weight
            for d in range(value.shape[2]):
                output[head, row, d] += weight * value[head, start + place, d]

    for d in range(value.shape[2]):
        output[head, row, d] /= total


def right(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    """Return softmax(Q Kᵀ / √d) V, of shape (batch, heads, queries, width of the values)."""
    return launched(query, key, value, causal=causal, within_tile=False)


def wrong(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    """Return the same for queries and keys of the first tile."""
    return launched(query, key, value, causal=causal, within_tile=True)


def launched(query: Array, key: Array, value: Array, *, causal: bool, within_tile: bool) -> Array:
    """Launch a block of threads for each tile of queries of each head. Raises ValueError for what it does not take."""
    if query.dtype != np.float32 or not query.size * key.size * value.size:
        raise ValueError(f"{query.dtype} is not taken, or there are no numbers")
    if not query.shape[:2] == key.shape[:2] == value.shape[:2] or key.shape[2] != value.shape[2]:
        raise ValueError(f"{query.shape}, {key.shape} and {value.shape} do not go together")
    output = np.empty((*query.shape[:3], value.shape[3]), np.float32)
    arrays = [
        cuda.to_device(np.ascontiguousarray(one.reshape(-1, *one.shape[2:]))) for one in (query, key, value, output)
    ]
    forward[(-(-query.shape[2] // TILE), len(arrays[0])), TILE](*arrays, causal, within_tile)
    return np.asarray(arrays[-1].copy_to_host()).reshape(output.shape)


def declared(name: str, attention: Callable[..., Array]) -> Implementation:
    """Declare a kernel as one that takes its time: few shapes are asked for, in a small domain."""
    widths = frozenset(range(1, WIDEST + 1))
    return Implementation(
        name=name,
        attention=attention,
        supports=frozenset({Feature.HEADS, Feature.LENGTHS, Feature.CAUSAL}),
        dtypes={"float32": Precision.float32()},
        domain=Domain(batches=frozenset({1}), heads=frozenset({1, 2}), widths=widths, longest=LONGEST),
        compiled=True,
    )


RIGHT, WRONG = declared("right", right), declared("wrong", wrong)
