"""Options that are ignored, and masks that are read wrongly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.explanation import Change, Changed, everywhere

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


def of_mask(change: Callable[[Array], Array]) -> Change:
    """Return a change of the mask (batch, heads, n_q, n_k), where there is one."""
    return everywhere(
        lambda problem: problem if problem.mask is None else replace(problem, mask=change(_of_four_axes(problem.mask)))
    )


def _of_mask_and_bias(change: Callable[[Array], Array]) -> Change:
    """Return a change of the mask and of the bias (batch, heads, n_q, n_k), of each that is there."""

    def of(array: Array | None) -> Array | None:
        return None if array is None else change(_of_four_axes(array))

    return everywhere(lambda problem: replace(problem, mask=of(problem.mask), bias=of(problem.bias)))


def _of_four_axes(array: Array) -> Array:
    return array.reshape((1,) * (4 - array.ndim) + array.shape)


def _transposed(mask: Array) -> Array:
    return mask.swapaxes(-1, -2) if mask.shape[-1] == mask.shape[-2] else mask


_IGNORED = (
    Changed("mask-ignored", "ignores the mask", everywhere(lambda problem: replace(problem, mask=None))),
    Changed("bias-ignored", "ignores the bias", everywhere(lambda problem: replace(problem, bias=None))),
    Changed("causal-ignored", "ignores causality", everywhere(lambda problem: replace(problem, causal=False))),
    Changed("window-ignored", "ignores the window", everywhere(lambda problem: replace(problem, window=None))),
    Changed("softcap-ignored", "ignores the soft cap", everywhere(lambda problem: replace(problem, softcap=None))),
)
_MASKS = (
    Changed(
        "mask-inverted",
        "takes True in a mask for hidden: if that is meant, declare Dialect(true_hides=True)",
        of_mask(np.logical_not),
    ),
    Changed("mask-of-first-head", "uses the mask of the first head for all", of_mask(lambda mask: mask[:, :1])),
    Changed("mask-of-first-batch", "uses the mask of the first batch for all", of_mask(lambda mask: mask[:1])),
    Changed("mask-of-first-query", "uses the mask of the first query for all", of_mask(lambda mask: mask[..., :1, :])),
    Changed("mask-transposed", "transposes the mask where there are as many queries as keys", of_mask(_transposed)),
)

_BOTH = (
    Changed(
        "mask-and-bias-of-first-head",
        "uses the mask and the bias of the first head for all",
        _of_mask_and_bias(lambda array: array[:, :1]),
    ),
    Changed(
        "mask-and-bias-of-first-batch",
        "uses the mask and the bias of the first batch for all",
        _of_mask_and_bias(lambda array: array[:1]),
    ),
    Changed(
        "mask-and-bias-of-first-query",
        "uses the mask and the bias of the first query for all",
        _of_mask_and_bias(lambda array: array[..., :1, :]),
    ),
    Changed(
        "mask-and-bias-transposed",
        "transposes the mask and the bias where there are as many queries as keys",
        _of_mask_and_bias(_transposed),
    ),
    Changed(
        "mask-and-bias-ignored",
        "ignores the mask and the bias",
        everywhere(lambda problem: replace(problem, mask=None, bias=None)),
    ),
)

EXPLANATIONS = tuple(variant for one in (*_IGNORED, *_MASKS, *_BOTH) for variant in one.anywhere)
