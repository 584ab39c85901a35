"""Attention that `torch.compile` makes for the CPU: of the operators one after another, and of the fused function.

https://docs.pytorch.org/docs/2.13/generated/torch.compile.html. It takes seconds for every combination of options and
of axes of length one that it has not seen, and needs a C++ compiler. So only forward, and only what is asked for most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from attention_tests.implementation import Feature
from implementations.torch import EAGER, SDPA_MATH, attention

_KINDS_OF_SHAPES = 1024
"""How often to compile, before PyTorch would give up and run what is not compiled. Its default is 8."""


def compiled_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any) -> torch.Tensor:
    """Return the output (batch, heads, n_q, d_v) of the code that is generated for the operators."""
    return _of(attention)(query, key, value, **options)


def compiled_fused_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any
) -> torch.Tensor:
    """Return the same of `scaled_dot_product_attention`, compiled."""
    mask, bias = options.pop("mask", None), options.pop("bias", None)
    grouped = query.shape[1] != key.shape[1]
    return _of(scaled_dot_product_attention)(
        query,
        key,
        value,
        attn_mask=bias if mask is None else mask,
        is_causal=options.pop("causal", False),
        enable_gqa=grouped,
        **options,
    )


@cache
def _of(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    # A run that falls back to what is not compiled would say nothing about what is: fullgraph refuses it.
    torch.compiler.config.recompile_limit = _KINDS_OF_SHAPES
    return torch.compile(function, dynamic=True, fullgraph=True)


OPERATORS = replace(
    EAGER,
    name="torch-compiled",
    attention=compiled_attention,
    gradient=None,
    cache=None,
    supports=EAGER.supports - {Feature.TOGETHER, Feature.WINDOW, Feature.SOFTCAP, Feature.THREADS},
)
FUSED = replace(
    SDPA_MATH,
    name="torch-sdpa-compiled",
    attention=compiled_fused_attention,
    gradient=None,
    cache=None,
    supports=SDPA_MATH.supports - {Feature.DROPOUT, Feature.EMPTY, Feature.THREADS},
)
