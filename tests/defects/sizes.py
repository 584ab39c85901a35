"""Defects that depend on size: right up to a size, and wrong beyond it or beside it."""

from __future__ import annotations

import numpy as np

from tests.defects.correct import Array, attention
from tests.defects.defect import defect

KEYS = "test_any_number_of_keys_gives_the_right_output"
QUERIES = "test_any_number_of_queries_gives_the_right_output"
WIDTH = "test_any_width_gives_the_right_output"


@defect("matrix", "pytorch#162588: one thread per key, and 1024 threads", killed_by=KEYS)
def keys_beyond_1024_left_out(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key[..., :1024, :], value[..., :1024, :])


@defect("matrix", "pytorch#191937: one key beyond a block of 256 is left out", killed_by=KEYS)
def last_key_beyond_a_block_of_256_left_out(query: Array, key: Array, value: Array) -> Array:
    seen = key.shape[-2] - (key.shape[-2] > 1 and key.shape[-2] % 256 == 1)
    return attention(query, key[..., :seen, :], value[..., :seen, :])


@defect("matrix", "rows beyond the last full block of 64 are not written", killed_by=QUERIES)
def queries_beyond_a_block_unwritten(query: Array, key: Array, value: Array) -> Array:
    output, n_q = attention(query, key, value), query.shape[-2]
    output[..., n_q if n_q < 64 else n_q // 64 * 64 :, :] = 0
    return output


@defect("matrix", "the index of a query kept in eight bits", killed_by=QUERIES)
def query_index_wraps_around_at_256(query: Array, key: Array, value: Array) -> Array:
    return attention(query[..., np.arange(query.shape[-2]) % 256, :], key, value)


@defect("score", "columns beyond 128 are not read", killed_by=WIDTH)
def columns_beyond_128_unread(query: Array, key: Array, value: Array) -> Array:
    return attention(query[..., :128], key[..., :128], value, scale=query.shape[-1] ** -0.5)


@defect("scale", "the scale of a width that was padded to 8", killed_by=WIDTH)
def scale_of_the_padded_width(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value, scale=(-(-query.shape[-1] // 8) * 8) ** -0.5)
