"""Kernels for exactly two options: right for either alone, right with a third, and wrong where they are chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from attention_tests import Feature
from tests.defects.chosen import Kernel, chosen_where
from tests.defects.correct import Array, scaled_scores
from tests.defects.correct_layer import capped, layer, softmax
from tests.defects.defect import defect

MASK = "test_a_mask_is_applied_with_causality_or_a_window"
BIAS = "test_a_bias_is_added_where_nothing_is_hidden"
SOFT_CAP = "test_a_soft_cap_is_applied_after_the_scale_and_before_all_else"
SCALE_OR_GROUPS = "test_a_scale_or_grouped_heads_work_with_one_other_option"
ALL = (Feature.COMBINED_MASKS, Feature.GROUPED_HEADS)


def chosen_for(*names: str) -> Callable[[Kernel], Kernel]:
    """Make an attention of a kernel: `layer`, but where exactly the options of these names are asked for the kernel."""

    def asks(query: Array, key: Array, _value: Array, given: dict[str, Any]) -> bool:
        shared = {"groups"} if query.shape[1] != key.shape[1] else set()
        return {*given} | shared == {*names}

    return chosen_where(asks, without=("return_lse",))


@defect("every-word", "a mask that hides nothing is left out, and causality with it", features=ALL, killed_by=MASK)
@chosen_for("mask", "causal")
def full_mask_takes_causality_with_it(query: Array, key: Array, value: Array, *, mask: Array, causal: bool) -> Array:
    return layer(query, key, value, mask=mask, causal=causal and not mask.all())


@defect("every-word", "Megatron-LM#7039: a window takes the place of a mask", features=ALL, killed_by=MASK)
@chosen_for("mask", "window")
def mask_dropped_by_a_kernel_for_windows(
    query: Array,
    key: Array,
    value: Array,
    *,
    mask: Array,  # noqa: ARG001 - what is wrong with it
    window: int,
) -> Array:
    return layer(query, key, value, window=window)


@defect("every-word", "xformers: causality with a bias as one kind of mask, scaled", features=ALL, killed_by=BIAS)
@chosen_for("bias", "causal")
def bias_scaled_by_a_causal_kernel(query: Array, key: Array, value: Array, *, bias: Array, causal: bool) -> Array:
    factor = query.dtype.type(1 / np.sqrt(query.shape[-1]))
    return layer(query, key, value, bias=bias * factor, causal=causal)


@defect("every-word", "a mask and a bias as one array, a word shown by either", features=ALL, killed_by=BIAS)
@chosen_for("mask", "bias")
def bias_of_hidden_keys_replaces_the_mask(query: Array, key: Array, value: Array, *, mask: Array, bias: Array) -> Array:
    seen = mask | (bias > 0)
    return layer(query, key, value, mask=seen, bias=bias)


@defect("scale", "Gemma 2 by a kernel that has windows and no cap", features=ALL, killed_by=SOFT_CAP)
@chosen_for("softcap", "window")
def cap_dropped_by_a_kernel_for_windows(
    query: Array,
    key: Array,
    value: Array,
    *,
    softcap: float,  # noqa: ARG001 - what is wrong with it
    window: int,
) -> Array:
    return layer(query, key, value, window=window)


@defect("scale", "a scale folded into the cap", features=ALL, killed_by=SOFT_CAP)
@chosen_for("softcap", "scale")
def cap_multiplied_by_the_scale(query: Array, key: Array, value: Array, *, softcap: float, scale: float) -> Array:
    return softmax(capped(scaled_scores(query, key, 1.0), softcap) * query.dtype.type(scale)) @ value


@defect(
    "every-word",
    "flash-attention: heads folded into queries, and counted as such",
    features=ALL,
    killed_by=SCALE_OR_GROUPS,
)
@chosen_for("groups", "causal")
def folded_heads_counted_as_queries(query: Array, key: Array, value: Array, *, causal: bool) -> Array:
    batch, heads, n_q, d_k = query.shape
    group = heads // key.shape[1]
    folded = query.reshape(batch, key.shape[1], group, n_q, d_k).swapaxes(2, 3).reshape(batch, key.shape[1], -1, d_k)
    output = layer(folded, key, value, causal=causal)
    return output.reshape(batch, key.shape[1], n_q, group, -1).swapaxes(2, 3).reshape(batch, heads, n_q, -1)


@defect("scale", "the default scale compiled into a kernel for masks", features=ALL, killed_by=SCALE_OR_GROUPS)
@chosen_for("scale", "mask")
def scale_dropped_by_a_kernel_for_masks(
    query: Array,
    key: Array,
    value: Array,
    *,
    scale: float,  # noqa: ARG001 - what is wrong with it
    mask: Array,
) -> Array:
    return layer(query, key, value, mask=mask)
