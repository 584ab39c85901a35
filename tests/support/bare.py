"""Bare callables, as their authors have them: right ones of many conventions and domains, and wrong ones."""

# ruff: noqa: FBT001, FBT002, PLR0917 - kernels as their authors have them

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from attention_tests import Alignment
from attention_tests.declare.dialect import Layout
from attention_tests.declare.domain import Domain, Sizes
from tests.defects.correct import Array
from tests.defects.correct_layer import layer

Kernel = Callable[..., Array]


def plain(query: Array, key: Array, value: Array, *, mask: Array = None, causal: bool = False) -> Array:
    return layer(query, key, value, mask=mask, causal=causal)


def torch_like(
    query: Array,
    key: Array,
    value: Array,
    attn_mask: Array = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Array:
    if attn_mask is not None and is_causal:
        raise ValueError("a mask or causality, not both")
    if query.shape[1] != key.shape[1] and not enable_gqa:
        raise ValueError("grouped heads must be enabled")
    given = {} if attn_mask is None else {"mask" if attn_mask.dtype == bool else "bias": attn_mask}
    return layer(query, key, value, causal=is_causal, scale=scale, dropout=dropout_p, **given)


def flash_like(
    q: Array,
    k: Array,
    v: Array,
    dropout_p: float = 0.0,
    softmax_scale: float | None = None,
    causal: bool = False,
    window_size: tuple[int, int] = (-1, -1),
    softcap: float = 0.0,
    return_attn_probs: bool = False,
) -> Any:
    n_q, n_k = q.shape[1], k.shape[1]
    left, right = window_size
    ahead = np.arange(n_k) - np.arange(n_q)[:, None] - (n_k - n_q)
    seen = np.ones((n_q, n_k), bool)
    seen &= (ahead >= -left) | (left < 0)
    seen &= (ahead <= right) | (right < 0)
    seen &= (ahead <= 0) | (not causal)
    arrays = (array.swapaxes(1, 2) for array in (q, k, v))
    output, lse = layer(
        *arrays, mask=seen, scale=softmax_scale, softcap=softcap or None, dropout=dropout_p, return_lse=True
    )
    output = output.swapaxes(1, 2)
    return (output, lse, None) if return_attn_probs else output


def hides_where_true(query: Array, key: Array, value: Array, *, mask: Array = None) -> Array:
    """Answer NaN where nothing is seen."""
    seen = np.ones((query.shape[-2], key.shape[-2]), bool) if mask is None else ~mask
    output = layer(query, key, value, mask=seen)
    output[~np.broadcast_to(seen, (*query.shape[:-1], key.shape[-2])).any(-1)] = np.nan
    return output


def bottom_right(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    return layer(query, key, value, causal=causal, alignment=Alignment.BOTTOM_RIGHT)


def length_first(query: Array, key: Array, value: Array) -> Array:
    return layer(*(array.swapaxes(1, 2) for array in (query, key, value))).swapaxes(1, 2)


def one_head(query: Array, key: Array, value: Array) -> Array:
    if query.ndim != 2:
        raise ValueError("one head, please")
    return layer(query[None, None], key[None, None], value[None, None])[0, 0]


def heads_first(query: Array, key: Array, value: Array, mask: Array = None, causal: bool = False) -> Array:
    """Take batches and heads along one axis, as matrix products in PyTorch do."""
    if query.ndim != 3:
        raise ValueError("three axes, please")
    return layer(query[None], key[None], value[None], mask=mask, causal=causal)[0]


def tokens_first(query: Array, key: Array, value: Array, causal: bool = False) -> Array:
    query, key, value = (array.swapaxes(0, 1) for array in (query, key, value))
    return heads_first(query, key, value, causal=causal).swapaxes(0, 1)


def masks_are_conditions(query: Array, key: Array, value: Array, attn_mask: Array = None) -> Array:
    """Take any number but 0 for true."""
    return layer(query, key, value, mask=None if attn_mask is None else attn_mask.astype(bool))


def masks_are_added(query: Array, key: Array, value: Array, attention_mask: Array = None) -> Array:
    """Take True for 1."""
    return layer(query, key, value, bias=None if attention_mask is None else attention_mask.astype(query.dtype))


def single_inside(query: Array, key: Array, value: Array) -> Array:
    return layer(*(array.astype(np.float32) for array in (query, key, value))).astype(query.dtype)


def of_no_keys_zeros(query: Array, key: Array, value: Array, mask: Array = None) -> Array:
    """Answer NaN where all keys are hidden, and zeros where there are none, as a softmax of products does."""
    output = layer(query, key, value, mask=mask)
    if mask is not None and key.shape[-2]:
        output[~np.broadcast_to(mask, (*query.shape[:-1], key.shape[-2])).any(-1)] = np.nan
    return output


RIGHT: dict[str, Kernel] = {
    kernel.__name__: kernel
    for kernel in (
        plain,
        torch_like,
        flash_like,
        hides_where_true,
        bottom_right,
        length_first,
        one_head,
        heads_first,
        tokens_first,
        masks_are_conditions,
        masks_are_added,
        single_inside,
        of_no_keys_zeros,
    )
}


def keys_and_values_tiled(query: Array, key: Array, value: Array) -> Array:
    group = query.shape[1] // max(1, key.shape[1])
    return layer(query, np.tile(key, (1, group, 1, 1)), np.tile(value, (1, group, 1, 1)))


def keys_tiled(query: Array, key: Array, value: Array) -> Array:
    group = query.shape[1] // max(1, key.shape[1])
    return layer(query, np.tile(key, (1, group, 1, 1)), np.repeat(value, group, axis=1))


def mask_dropped_if_causal(
    query: Array, key: Array, value: Array, *, mask: Array = None, causal: bool = False
) -> Array:
    return layer(query, key, value, mask=None if causal else mask, causal=causal)


def causality_dropped_if_masked(
    query: Array, key: Array, value: Array, *, mask: Array = None, causal: bool = False
) -> Array:
    return layer(query, key, value, mask=mask, causal=causal and mask is None)


def a_single_causal_query_sees_all(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    return layer(query, key, value, causal=causal and query.shape[-2] > 1)


def no_dialect(query: Array, key: Array, value: Array, *, mask: Array = None) -> Array:
    """Hide the keys after those that the mask hides, which no dialect does."""
    return layer(query, key, value, mask=None if mask is None else np.roll(mask, 1, axis=-1))


def masks_are_halved(query: Array, key: Array, value: Array, mask: Array = None) -> Array:
    """Take True for 1/2, which no convention does."""
    return layer(query, key, value, bias=None if mask is None else mask / (2 if mask.dtype == bool else 1))


def heads_first_with_the_keys_of_another_head(query: Array, key: Array, value: Array) -> Array:
    return heads_first(query, np.roll(key, 1, axis=0), value)


WRONG: dict[str, tuple[Kernel, str]] = {
    kernel.__name__: (kernel, law)
    for kernel, law in (
        (keys_and_values_tiled, "test_query_heads_of_a_group_share_a_key_head"),
        (keys_tiled, "test_query_heads_of_a_group_share_a_key_head"),
        (mask_dropped_if_causal, "test_a_mask_is_applied_with_causality_or_a_window"),
        (causality_dropped_if_masked, "test_a_mask_is_applied_with_causality_or_a_window"),
        (a_single_causal_query_sees_all, "test_causality_is_aligned_as_the_dialect_declares"),
        (masks_are_halved, "test_a_mask_of_any_broadcastable_shape_is_applied"),
        (no_dialect, "test_a_mask_of_any_broadcastable_shape_is_applied"),
        (heads_first_with_the_keys_of_another_head, "test_the_output_is_right_in_all_circumstances"),
    )
}
"""Wrong kernels, and a law that each breaks."""

DOMAINS: dict[str, Domain] = {
    "widths of 64 and 128": Domain(widths=frozenset({64, 128})),
    "keys a multiple of 16": Domain(key_multiple=16),
    "one head": Domain(heads=frozenset({1})),
    "one batch": Domain(batches=frozenset({1})),
    "groups of 1 and 8": Domain(groups=frozenset({1, 8})),
    "groups of 4, width 128": Domain(groups=frozenset({4}), widths=frozenset({128})),
    "8 heads": Domain(heads=frozenset({8})),
    "no more queries than keys": Domain(more_queries=False),
    "up to 64": Domain(longest=64),
}


def within(domain: Domain, kernel: Kernel) -> Kernel:
    """Return the kernel, which raises outside of a domain."""

    def limited(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
        sizes = Sizes.of(Layout.BATCH_HEAD_LENGTH_WIDTH, query.shape, key.shape, value.shape)
        if not all(sizes) or not domain.holds(sizes):
            raise ValueError(f"not for {sizes}")
        return kernel(query, key, value, causal=causal)

    return limited


def same_lengths(kernel: Kernel) -> Kernel:
    def limited(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
        if query.shape[-2] != key.shape[-2]:
            raise ValueError("as many queries as keys, please")
        return kernel(query, key, value, causal=causal)

    return limited


def last_key_twice(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    """Count the last key twice where there are 16 or more."""
    if key.shape[-2] < 16 or causal:
        return layer(query, key, value, causal=causal)
    key, value = (np.concatenate([array, array[..., -1:, :]], axis=-2) for array in (key, value))
    return layer(query, key, value)
