"""Attention compiled by `torch.compile` for the CPU: plain operators, and the two fused functions.

https://docs.pytorch.org/docs/2.13/generated/torch.compile.html. It takes seconds for every new combination of options
and of axes of length one, and needs a C++ compiler. So only the forward pass is declared, with the most used options
and dtypes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch._dynamo import config
from torch.nn.attention.flex_attention import flex_attention
from torch.nn.functional import scaled_dot_product_attention

from attention_tests.declare.features import Feature
from implementations.torch import flex
from implementations.torch.operators import EAGER, SDPA_FLASH, SDPA_MATH, attention

_KINDS_OF_SHAPES = 1024
"""The number of compilations after which PyTorch gives up and runs uncompiled. Its defaults are 8 and 256."""
_DTYPES = ("float32", "bfloat16")


def compiled_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any) -> torch.Tensor:
    """Return the output (batch, heads, n_q, d_v) of the code generated for the operators."""
    output: torch.Tensor = compiled(attention)(query, key, value, **options)
    return output


def compiled_fused_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any
) -> torch.Tensor:
    """Return the same of `scaled_dot_product_attention`, compiled."""
    mask, bias = options.pop("mask", None), options.pop("bias", None)
    grouped = query.shape[1] != key.shape[1]
    output: torch.Tensor = compiled(scaled_dot_product_attention)(
        query,
        key,
        value,
        attn_mask=bias if mask is None else mask,
        is_causal=options.pop("causal", False),
        enable_gqa=grouped,
        **options,
    )
    return output


def compiled_flex_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any
) -> torch.Tensor:
    """Return the same of `flex_attention`, compiled."""
    output: torch.Tensor = flex.attention(query, key, value, function=compiled(flex_attention), **options)
    return output


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is compiled anew for each kind of call."""
    # A fallback to uncompiled code would verify nothing: fullgraph refuses it.
    config.recompile_limit = config.accumulated_recompile_limit = _KINDS_OF_SHAPES
    return torch.compile(function, dynamic=True, fullgraph=True)


OPERATORS = replace(
    EAGER,
    name="torch-compiled",
    attention=compiled_attention,
    gradient=None,
    cache=None,
    compiled=True,
    supports=EAGER.supports - {Feature.COMBINED_MASKS, Feature.WINDOW, Feature.SOFTCAP, Feature.THREADS},
    dtypes={dtype: EAGER.dtypes[dtype] for dtype in _DTYPES},
)
FUSED = replace(
    SDPA_MATH,
    name="torch-sdpa-compiled",
    attention=compiled_fused_attention,
    gradient=None,
    cache=None,
    compiled=True,
    supports=SDPA_MATH.supports - {Feature.DROPOUT, Feature.EMPTY, Feature.THREADS},
    # The kernel is chosen at compilation: the flash kernel wherever possible.
    dtypes={dtype: SDPA_FLASH.dtypes[dtype] for dtype in _DTYPES},
)
FLEX = replace(
    flex.FLEX,
    name="torch-flex-compiled",
    attention=compiled_flex_attention,
    # Each number of heads and each width has its own kernel, which takes seconds to compile. Masks and biases are
    # left out, which compile for some sizes only (docs/findings/torch-flex-compiled-names.md).
    supports=frozenset({Feature.LENGTHS, Feature.HEADS, Feature.CAUSAL, Feature.SOFTCAP}),
    dtypes={"float32": EAGER.dtypes["float32"]},
)
