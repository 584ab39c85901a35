"""Defects in reading a mask: everything computed from it is right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.defects.correct import Array, scaled_scores
from tests.defects.correct_layer import ahead, layer, layer_of_a_cache
from tests.defects.defect import Defect, defect

ANY_SHAPE = "test_a_mask_of_any_broadcastable_shape_is_applied"
LEFT_OUT = "test_masking_a_key_equals_leaving_it_out"
HIDES_NOTHING = "test_a_mask_that_hides_nothing_changes_nothing"
IN_MEMORY = "test_the_memory_layout_of_a_mask_does_not_matter"
NOT_WRITTEN = "test_masks_and_biases_are_not_written"
TRIANGLE = "test_causality_equals_a_triangular_mask"


def misreading(stands_for: str, *, killed_by: str) -> Callable[[Callable[[Array], Array]], Defect]:
    """Return a decorator that makes a defect of a function from the mask to the one used: (batch, heads, n_q, n_k)."""

    def decorate(misread: Callable[[Array], Array]) -> Defect:
        def attention(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
            if mask is None:
                return layer(query, key, value)
            whole = np.broadcast_to(mask, scaled_scores(query, key).shape)
            return layer(query, key, value, mask=misread(whole))

        attention.__name__ = misread.__name__
        return defect("every-word", stands_for, killed_by=killed_by)(attention)

    return decorate


@misreading("TransformerEngine#614: the mask inverted", killed_by=ANY_SHAPE)
def mask_inverted(mask: Array) -> Array:
    return ~mask


@misreading("jax#32300: a mask that is ignored", killed_by=LEFT_OUT)
def mask_ignored(mask: Array) -> Array:
    return np.ones_like(mask)


@misreading("onnxruntime#24017: the mask of batch 0 for all", killed_by=ANY_SHAPE)
def mask_of_the_first_batch(mask: Array) -> Array:
    return mask[:1]


@misreading("the mask of head 0 for all", killed_by=ANY_SHAPE)
def mask_of_the_first_head(mask: Array) -> Array:
    return mask[:, :1]


@misreading(
    "pytorch#184180: masks stored head by head, read batch by batch",
    killed_by="test_a_query_gets_the_value_that_it_asks_for_at_real_sizes",
)
def mask_of_another_batch_and_head(mask: Array) -> Array:
    return mask.swapaxes(0, 1).reshape(mask.shape)


@misreading("pytorch#163426: the axis of the queries lost, the first row for all", killed_by=ANY_SHAPE)
def mask_of_the_first_query(mask: Array) -> Array:
    return mask[..., :1, :]


@misreading("keys visible to some query are visible to all", killed_by=ANY_SHAPE)
def mask_taken_for_a_key_padding_mask(mask: Array) -> Array:
    return mask.any(axis=-2, keepdims=True)


@misreading("queries and keys exchanged, where the shapes allow it", killed_by=ANY_SHAPE)
def mask_transposed(mask: Array) -> Array:
    return mask.mT if mask.shape[-2] == mask.shape[-1] else mask


@misreading("eight keys per byte, the bits from the wrong end", killed_by=ANY_SHAPE)
def mask_packed_from_the_wrong_end(mask: Array) -> Array:
    packed = np.packbits(mask, axis=-1)
    return np.unpackbits(packed, axis=-1, count=mask.shape[-1], bitorder="little") > 0


@misreading("pytorch#162588: wrong beyond the sixteenth key", killed_by=LEFT_OUT)
def mask_repeats_after_16_keys(mask: Array) -> Array:
    return mask[..., np.arange(mask.shape[-1]) % 16]


@misreading("pytorch#191937: a last block of one key is visible to all", killed_by=LEFT_OUT)
def mask_skips_a_last_block_of_one_key(mask: Array) -> Array:
    n_k = mask.shape[-1]
    return mask | (np.arange(n_k) == n_k - 1) if n_k % 8 == 1 else mask


@misreading("a padding mask with a hole in it taken for a length", killed_by=LEFT_OUT)
def mask_taken_for_a_length(mask: Array) -> Array:
    return np.arange(mask.shape[-1]) < mask.sum(axis=-1, keepdims=True)


@misreading("a mask taken for a length up to the last visible key", killed_by=LEFT_OUT)
def holes_in_a_mask_filled(mask: Array) -> Array:
    return np.logical_or.accumulate(mask[..., ::-1], axis=-1)[..., ::-1]


@misreading("a mask that hides nothing is dropped and causality assumed", killed_by=HIDES_NOTHING)
def all_true_mask_taken_for_causality(mask: Array) -> Array:
    return np.tril(mask) if mask.all() else mask


@defect("every-word", "a mask that hides nothing takes a path without the scale", killed_by=HIDES_NOTHING)
def all_true_mask_takes_another_path(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    full = mask is not None and mask.all()
    return layer(query, key, value, mask=mask, scale=1.0 if full else None)


@defect("every-word", "a triangular mask handed to a kernel of the other alignment", killed_by=TRIANGLE)
def triangle_handed_to_another_kernel(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, causal: bool = False
) -> Array:
    if mask is not None and (mask == (ahead(query, key) <= 0)).all():
        return layer_of_a_cache(query, key, value, causal=True)
    return layer(query, key, value, mask=mask, causal=causal)


@defect("every-word", "a block on the diagonal taken as wholly visible", killed_by=TRIANGLE)
def mask_rounded_up_to_whole_blocks(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, causal: bool = False
) -> Array:
    if mask is not None and mask.ndim == 4:
        (n_q, n_k), first = mask.shape[-2:], mask[..., ::8, ::8]
        mask = first.repeat(8, axis=-2).repeat(8, axis=-1)[..., :n_q, :n_k]
    return layer(query, key, value, mask=mask, causal=causal)


def _as_if_contiguous(array: Array) -> Array:
    return array if array.flags.c_contiguous or array.base is None else np.resize(array.base, array.shape)


@defect("every-word", "pytorch#112577: the strides of the mask ignored", killed_by=IN_MEMORY)
def mask_strides_ignored(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    return layer(query, key, value, mask=None if mask is None else _as_if_contiguous(mask))


@defect("every-word", "a mask repeated without being copied, read as its first row", killed_by=IN_MEMORY)
def repeated_mask_read_once(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    if mask is not None and 0 in mask.strides:
        mask = mask[..., :1, :]
    return layer(query, key, value, mask=mask)


@defect("every-word", "the mask inverted in place", killed_by=NOT_WRITTEN)
def mask_inverted_in_place(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    if mask is None:
        return layer(query, key, value)
    np.logical_not(mask, out=mask)
    return layer(query, key, value, mask=~mask)


@defect("every-word", "fully masked rows are unmasked in place", killed_by=NOT_WRITTEN)
def fully_masked_rows_unmasked_in_place(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    if mask is None:
        return layer(query, key, value)
    fully_masked = ~mask.any(axis=-1, keepdims=True)
    mask |= fully_masked
    return np.where(fully_masked, 0, layer(query, key, value, mask=mask))
