"""`torch.nn.attention.flex_attention`, not compiled: every option is a small function of scores and positions.

https://docs.pytorch.org/docs/2.13/nn.attention.flex_attention.html. The docstring of 2.13 gives the default scale,
the shapes of grouped heads and of the log-sum-exp, and says that `score_mod` changes scaled scores. Hidden keys are
those of `mask_mod`, which "indicates which positions should be masked out".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch.nn.attention.flex_attention import AuxRequest, BlockMask, and_masks, create_block_mask, flex_attention

from attention_tests.declare.dialect import Dialect, FullyMasked
from attention_tests.declare.features import Feature
from attention_tests.declare.precision import Precision
from implementations.torch.operators import EAGER

Number = torch.Tensor
ScoreMod = Callable[[Number, Number, Number, Number, Number], Number]
MaskMod = Callable[[Number, Number, Number, Number], Number]


def attention(  # noqa: PLR0913 - the options of its functions
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    scale: float | None = None,
    mask: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    causal: bool = False,
    window: int | None = None,
    softcap: float | None = None,
    return_lse: bool = False,
    function: Callable[..., Any] = flex_attention,
) -> Any:
    """Return the output (batch, heads, n_q, d_v) and, if requested, the log-sum-exp (batch, heads, n_q)."""
    shape = (*query.shape[:3], key.shape[2])
    masks = list(_mask_mods(shape, mask, causal=causal, window=window))
    output, aux = function(
        query,
        key,
        value,
        score_mod=_score_mod(shape, bias, softcap),
        block_mask=_block_mask(masks, shape, query.device) if masks else None,
        scale=scale,
        enable_gqa=query.shape[1] != key.shape[1],
        return_aux=AuxRequest(lse=return_lse),
    )
    return (output, aux.lse) if return_lse else output


def _score_mod(shape: tuple[int, ...], bias: torch.Tensor | None, softcap: float | None) -> ScoreMod | None:
    whole = None if bias is None else bias.expand(shape)

    def score_mod(score: Number, batch: Number, head: Number, q_idx: Number, k_idx: Number) -> Number:
        if softcap is not None:
            score = softcap * torch.tanh(score / softcap)
        return score if whole is None else score + whole[batch, head, q_idx, k_idx]

    return None if whole is None and softcap is None else score_mod


def _mask_mods(
    shape: tuple[int, ...], mask: torch.Tensor | None, *, causal: bool, window: int | None
) -> Iterator[MaskMod]:
    if mask is not None:
        seen = mask.expand(shape)
        yield lambda batch, head, q_idx, k_idx: seen[batch, head, q_idx, k_idx]
    if causal:
        yield lambda _batch, _head, q_idx, k_idx: k_idx <= q_idx
    if window is not None:
        yield lambda _batch, _head, q_idx, k_idx: (k_idx - q_idx).abs() < window


def _block_mask(masks: list[MaskMod], shape: tuple[int, ...], device: torch.device) -> BlockMask:
    batch, heads, n_q, n_k = shape
    return create_block_mask(and_masks(*masks), batch, heads, n_q, n_k, device=str(device))


FLEX = replace(
    EAGER,
    name="torch-flex",
    attention=attention,
    gradient=None,  # "FlexAttention does not support backward on CPU"
    cache=None,
    # Without `torch.compile`, too, Dynamo traces what it is given, anew for each shape and option: 0.3 s, and not 3 ms.
    compiled=True,
    supports=frozenset(Feature) - {Feature.NON_FINITE, Feature.DROPOUT, Feature.EMPTY, Feature.THREADS},
    # "this will use an unfused implementation that materializes the full scores matrix", in float32 for 16 bits;
    # weights are rounded before they are multiplied with the values.
    dtypes={
        "float64": Precision.float64(),
        "float32": Precision.float32(),
        **{dtype: replace(Precision.upcast(), weights=dtype, normalised=True) for dtype in ("bfloat16", "float16")},
    },
    dialect=Dialect(fully_masked=FullyMasked.ZEROS),
)
