"""Attention by a kernel of JAX Pallas: `right`, and `wrong`, whose scale is that of the padded width."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl

BLOCK = 16
"""The number of queries of a block."""
LANES = 8
"""Widths are padded with zeros to a multiple of this, as the hardware wants them."""
DTYPES = (jnp.float32, jnp.bfloat16)
IN_FLOAT32 = {"precision": jax.lax.Precision.HIGHEST, "preferred_element_type": jnp.float32}


def right(query: jax.Array, key: jax.Array, value: jax.Array, *, is_causal: bool = False) -> jax.Array:
    """Return softmax(Q Kᵀ / √d) V, of shape (batch, heads, queries, width of the values)."""
    return attention(query, key, value, width=query.shape[-1], causal=is_causal)


def wrong(query: jax.Array, key: jax.Array, value: jax.Array, *, is_causal: bool = False) -> jax.Array:
    """Return the same where no column is padded."""
    return attention(query, key, value, width=padded(query).shape[-1], causal=is_causal)


@partial(jax.jit, static_argnames=("width", "causal"))
def attention(query: jax.Array, key: jax.Array, value: jax.Array, *, width: int, causal: bool) -> jax.Array:
    """Call the kernel for each block of queries of each head. Raises ValueError for what it does not take."""
    (*batch_and_heads, queries, _), d_v = query.shape, value.shape[-1]
    if query.dtype not in DTYPES or not query.size * key.size * value.size:
        raise ValueError(f"{query.dtype} is not taken, or there are no numbers")
    if not query.shape[:2] == key.shape[:2] == value.shape[:2] or key.shape[2] != value.shape[2]:
        raise ValueError(f"{query.shape}, {key.shape} and {value.shape} do not go together")
    query, key, value = (heads_in_a_row(padded(array)) for array in (query, key, value))
    output = pl.pallas_call(
        partial(kernel, scale=width**-0.5, causal=causal),
        out_shape=jax.ShapeDtypeStruct((*query.shape[:2], value.shape[-1]), query.dtype),
        grid=(len(query), pl.cdiv(queries, BLOCK)),
        in_specs=[a_block_of(query), all_of(key), all_of(value)],
        out_specs=a_block_of(value),
        interpret=True,
    )(query, key, value)
    return output.reshape(*batch_and_heads, queries, -1)[..., :d_v]


def kernel(  # noqa: PLR0913 - arrays, and what is known when it is compiled
    query: Any, key: Any, value: Any, output: Any, *, scale: float, causal: bool
) -> None:
    """Compute a block of queries of one head, which has all of its keys at hand."""
    scores = jnp.dot(query[...], key[...].T, **IN_FLOAT32) * scale
    if causal:
        row = pl.program_id(1) * BLOCK + jax.lax.broadcasted_iota(jnp.int32, scores.shape, 0)
        scores = jnp.where(jax.lax.broadcasted_iota(jnp.int32, scores.shape, 1) <= row, scores, -jnp.inf)
    weights = jnp.exp(scores - scores.max(axis=1, keepdims=True))
    summed = jnp.dot(weights.astype(value.dtype), value[...], **IN_FLOAT32)
    output[...] = (summed / weights.sum(axis=1, keepdims=True)).astype(output.dtype)


def padded(array: jax.Array) -> jax.Array:
    """Return an array whose width is a multiple of the lanes, by columns of zeros."""
    return jnp.pad(array, [(0, 0)] * 3 + [(0, -array.shape[-1] % LANES)])


def heads_in_a_row(array: jax.Array) -> jax.Array:
    """Return an array (batches and heads, length, width)."""
    return array.reshape(-1, *array.shape[2:])


def a_block_of(array: jax.Array) -> pl.BlockSpec:
    """Say that a program sees one block of rows of one head."""
    return pl.BlockSpec((None, BLOCK, array.shape[-1]), lambda head, block: (head, block, 0))


def all_of(array: jax.Array) -> pl.BlockSpec:
    """Say that a program sees all rows of one head."""
    return pl.BlockSpec((None, *array.shape[1:]), lambda head, _: (head, 0, 0))
