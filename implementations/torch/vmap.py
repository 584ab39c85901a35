"""`scaled_dot_product_attention` of one head, mapped over batches and heads by `torch.vmap`.

https://docs.pytorch.org/docs/2.13/generated/torch.vmap.html: a mapped function returns what a loop would.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch.nn.functional import scaled_dot_product_attention

from attention_tests.declare.features import Feature
from attention_tests.frameworks.torch import gradient_of
from implementations.torch.cache import cache_of
from implementations.torch.operators import SDPA_MATH


def attention(  # noqa: PLR0913 - the options of the function
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    scale: float | None = None,
    mask: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    causal: bool = False,
) -> torch.Tensor:
    """Return the output (batch, heads, n_q, d_v)."""
    option = bias if mask is None else mask
    if option is not None:
        option = option.expand(*query.shape[:-1], key.shape[-2])
    of_one_head = partial(scaled_dot_product_attention, is_causal=causal, scale=scale)
    axes = (0, 0, 0, None if option is None else 0)
    output: torch.Tensor = torch.vmap(torch.vmap(of_one_head, axes), axes)(query, key, value, option)
    return output


VMAP = replace(
    SDPA_MATH,
    name="torch-sdpa-vmap",
    attention=attention,
    gradient=gradient_of(attention),
    cache=cache_of(attention),
    supports=SDPA_MATH.supports - {Feature.GROUPED_HEADS, Feature.DROPOUT, Feature.EMPTY},
)
