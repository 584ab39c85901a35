"""`torch.nn.MultiheadAttention`, by each of its three code paths.

https://docs.pytorch.org/docs/2.13/generated/torch.nn.MultiheadAttention.html. Its projections are set to
identities, so that only attention is left: a token is the heads of a query, key or value side by side.

Fully masked rows differ between the three, and are documented for none: docs/findings/torch-mha-fully-masked.md.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import torch
from torch.nn import MultiheadAttention

from attention_tests.declare.dialect import Dialect, FullyMasked
from attention_tests.declare.features import Feature
from attention_tests.frameworks.torch import gradient_of
from implementations.hiding import of_four_axes
from implementations.torch.heads import apart, length_first, one_by_one, one_by_one_where_mixed, side_by_side
from implementations.torch.layers import of_zeros
from implementations.torch.operators import EAGER, SDPA_FLASH


def attention(  # noqa: PLR0913 - the options of the layer
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    mask: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    causal: bool = False,
    need_weights: bool = False,
) -> torch.Tensor:
    """Return the output (batch, heads, n_q, d) of the layer. True in a mask hides a key."""
    heads, n_q, n_k = query.shape[1], query.shape[2], key.shape[2]
    words = [length_first(side_by_side(array)) for array in (query, key, value)]
    option = later_words(n_q, n_k) if causal else bias if mask is None else mask
    output, _ = _layer(words[0].shape[-1], heads, query.dtype)(
        *words, need_weights=need_weights, is_causal=causal, **masks(option, (len(query), heads, n_q, n_k))
    )
    return apart(output.transpose(0, 1), heads)


def attention_with_weights(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any) -> torch.Tensor:
    """Return the same of a call that requests the weights too."""
    return attention(query, key, value, need_weights=True, **options)


@torch.no_grad()
def fast_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the same from the inference fast path, which takes one array for query, key and value: here, packed."""
    heads, length = query.shape[1:3]
    words = [side_by_side(array) for array in (query, key, value)]
    packed = torch.cat([*words, torch.zeros_like(words[0])], dim=-1)
    if mask is not None and mask.dim() == 4 and mask.shape[1] > 1:
        mask = mask.expand(len(query), heads, length, length).repeat(1, 4, 1, 1)
    output, _ = _layer_of_packed_words(words[0].shape[-1], heads, query.dtype)(
        packed, packed, packed, need_weights=False, **masks(mask, (len(query), 4 * heads, length, length))
    )
    return apart(output, 4 * heads)[:, :heads]


@lru_cache(maxsize=8)
def _layer(width: int, heads: int, dtype: torch.dtype) -> MultiheadAttention:
    """Return the layer with identity projections."""
    layer = of_zeros(lambda: MultiheadAttention(width, heads, bias=False, dtype=dtype)).train()
    layer.in_proj_weight.copy_(torch.eye(width).repeat(3, 1))
    layer.out_proj.weight.copy_(torch.eye(width))
    return layer


@lru_cache(maxsize=8)
def _layer_of_packed_words(width: int, heads: int, dtype: torch.dtype) -> MultiheadAttention:
    """Return the layer that reads query, key and value from the first three quarters of a token.

    Four quarters, because the fast path needs an even number of heads.
    """
    layer = of_zeros(lambda: MultiheadAttention(4 * width, 4 * heads, batch_first=True, dtype=dtype))
    read_quarters(layer, width)
    layer.out_proj.weight.copy_(torch.eye(4 * width))
    return layer


def read_quarters(layer: MultiheadAttention, width: int) -> None:
    """Set the first heads of a layer to read query, key and value from the first three quarters of a token."""
    for quarter, projection in enumerate(layer.in_proj_weight.chunk(3)):
        projection[:width, quarter * width :][:, :width] = torch.eye(width)


def later_words(n_q: int, n_k: int) -> torch.Tensor:
    """Return the mask (n_q, n_k) that causality needs besides `is_causal`, which is a hint about a mask."""
    return torch.ones(n_q, n_k, dtype=torch.bool).triu(1)


def masks(option: torch.Tensor | None, shape: tuple[int, ...]) -> dict[str, torch.Tensor]:
    """Return a mask or a bias for scores of `shape` (batch, heads, n_q, n_k) in the argument for its shape."""
    batch, heads, n_q, n_k = shape
    if option is None:
        return {}
    option = of_four_axes(option)
    if option.shape[:2] == (1, 1):
        return {"attn_mask": option[0, 0].expand(n_q, n_k)}
    if option.shape[1:3] == (1, 1):
        return {"key_padding_mask": option[:, 0, 0].expand(batch, n_k)}
    return {"attn_mask": option.expand(batch, heads, n_q, n_k).flatten(0, 1)}


def _mixed(query: torch.Tensor, *, mask: torch.Tensor | None = None, **_options: Any) -> bool:
    """Return whether the projection of the output may mix NaN of one head into others.

    Scores overflow in float16, and a fully masked row in one head may be NaN there.
    """
    if query.dtype is torch.float16:
        return True
    if mask is None or mask.dim() < 3:
        return False
    fully_masked = mask.all(dim=-1)
    return not torch.equal(fully_masked.any(dim=-2), fully_masked.all(dim=-2))


unmixed = partial(one_by_one_where_mixed, mixed=_mixed)
"""Return the declaration with the heads moved to the batch axis wherever the output projection might mix them."""

TRAINING = replace(
    EAGER,
    name="torch-mha",
    attention=unmixed(attention),
    gradient=gradient_of(one_by_one(attention)),
    cache=None,
    # `kdim` and `vdim` are the widths of tokens, not of heads; a mask and a bias are not given in one call.
    supports=frozenset({Feature.LENGTHS, Feature.HEADS, Feature.MASK, Feature.BIAS, Feature.CAUSAL, Feature.THREADS}),
    # "Set need_weights=False to use the optimized scaled_dot_product_attention": by default, the flash kernel.
    dtypes=SDPA_FLASH.dtypes,
    dialect=Dialect(true_hides=True, fully_masked=FullyMasked.ZEROS, projected=True),
)
WITH_WEIGHTS = replace(
    TRAINING,
    name="torch-mha-weights",
    attention=unmixed(attention_with_weights),
    gradient=gradient_of(one_by_one(attention_with_weights)),
    dtypes=EAGER.dtypes,
    dialect=replace(TRAINING.dialect, fully_masked=FullyMasked.NAN),
)
FAST = replace(
    WITH_WEIGHTS,
    name="torch-mha-fast",
    attention=unmixed(fast_attention),
    gradient=None,
    # "query, key, and value are the same tensor", autograd is disabled, and float masks are not for the fast path.
    supports=frozenset({Feature.HEADS, Feature.MASK, Feature.THREADS}),
    # No bfloat16: NaN in some rows sometimes reaches others (docs/findings/torch-bfloat16-matmul-leaks-nan.md).
    dtypes={dtype: precision for dtype, precision in WITH_WEIGHTS.dtypes.items() if dtype != "bfloat16"},
)
