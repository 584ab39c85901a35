"""Attention in x-transformers 2.31: `x_transformers.attend.Attend`, by plain operators and by PyTorch's fused kernels.

https://github.com/lucidrains/x-transformers documents layers, and `Attend` by its source. There a causal mask is
`triu(j - i + 1)`, which aligns the last query with the last token, and a fully masked row is zeros ("should zero out
the output of that row token"). Where keys have fewer heads, query head h reads key head h % heads,
which is not `GROUPED_HEADS`, and scores are capped after a bias is added, which is not `SOFTCAP`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from x_transformers.attend import Attend

from attention_tests.declare.dialect import Alignment, Dialect, FullyMasked
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from attention_tests.frameworks.torch import gradient_of
from implementations.hiding import of_four_axes
from implementations.torch.cache import cache_of
from implementations.torch.operators import EAGER, SDPA_FLASH


def attention(  # noqa: PLR0913 - the options of the module
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    scale: float | None = None,
    mask: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    causal: bool = False,
    flash: bool,
) -> torch.Tensor:
    """Return the output (batch, heads, n_q, d_v)."""
    attend = Attend(causal=causal, scale=scale, flash=flash)
    output: torch.Tensor = attend(query, key, value, mask=of_four_axes(mask), attn_bias=of_four_axes(bias))[0]
    return output


def _attend(name: str, *, flash: bool) -> Implementation:
    attend = partial(attention, flash=flash)
    features = {Feature.SCALE, Feature.LENGTHS, Feature.HEADS, Feature.MASK, Feature.BIAS, Feature.CAUSAL}
    return replace(
        EAGER,
        name=name,
        attention=attend,
        gradient=gradient_of(attend),
        cache=cache_of(attend),
        supports=frozenset(features | {Feature.COMBINED_MASKS, Feature.THREADS}),
        dialect=Dialect(alignment=Alignment.BOTTOM_RIGHT, fully_masked=FullyMasked.ZEROS),
    )


WRITTEN_OUT = replace(
    _attend("x-transformers", flash=False),
    supports=_attend("", flash=False).supports | {Feature.VALUE_WIDTH},
    # No float64: its softmax is computed in float32 (docs/findings/x-transformers-float64.md).
    dtypes={
        "float32": Precision.float32(),
        **{dtype: Precision.eager(dtype) for dtype in ("bfloat16", "float16")},
    },
)
FLASH = replace(
    _attend("x-transformers-flash", flash=True),
    # An explicit scale is multiplied into the query, which is rounded.
    dtypes={
        dtype: replace(precision, prescale=dtype) if dtype.endswith("16") else precision
        for dtype, precision in SDPA_FLASH.dtypes.items()
    },
)
