"""Attention in PyTorch: its operators one after another, and two kernels of `scaled_dot_product_attention`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from attention_tests.declare.dialect import Dialect, FullyMasked
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from attention_tests.frameworks.torch import gradient_of, to_native, to_numpy
from implementations.torch.cache import cache_of


def attention(  # noqa: PLR0913 - the options of layers
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
) -> torch.Tensor:
    """Return softmax(scale · Q Kᵀ + bias) V, of shape (…, n_q, d_v).

    The query is scaled, not the scores: in float16 a score beyond 65504 would be infinite before it is scaled.
    """
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = (query * factor) @ key.mT
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    if bias is not None:
        # In float16 a hidden score may be infinite, and ∞ - ∞ is NaN.
        scores = (scores + bias).masked_fill(torch.isneginf(bias), -math.inf)
    for hidden in _hidden(scores, mask, causal=causal, window=window):
        scores = scores.masked_fill(hidden, -math.inf)
    # A fully masked row is zeros, not NaN, which would reach its neighbours (docs/findings/) and gradients.
    fully_masked = torch.isneginf(scores).all(dim=-1, keepdim=True)
    weights = torch.softmax(scores.masked_fill(fully_masked, 0), dim=-1).masked_fill(fully_masked, 0)
    return weights @ value


def _hidden(
    scores: torch.Tensor, mask: torch.Tensor | None, *, causal: bool, window: int | None
) -> Iterator[torch.Tensor]:
    ahead = torch.arange(scores.shape[-1]) - torch.arange(scores.shape[-2])[:, None]
    if mask is not None:
        yield ~mask
    if causal:
        yield ahead > 0
    if window is not None:
        yield ahead.abs() >= window


def math_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any) -> torch.Tensor:
    """Return the same from PyTorch's reference kernel."""
    with sdpa_kernel(SDPBackend.MATH):
        return scaled_dot_product(query, key, value, **options)


def flash_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any) -> torch.Tensor:
    """Return the same from PyTorch's flash kernel for the CPU."""
    query, key, value = (_with_adjacent_columns(array) for array in (query, key, value))
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return scaled_dot_product(query, key, value, **options)


def scaled_dot_product(  # noqa: PLR0913 - the options of the function
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    scale: float | None = None,
    mask: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    causal: bool = False,
    dropout: float = 0.0,
) -> torch.Tensor:
    """Return the same from the kernel that PyTorch chooses, or is told to choose."""
    # One argument serves for a mask, which is boolean, and for a bias, which is not.
    return scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=bias if mask is None else mask,
        dropout_p=dropout,
        is_causal=causal,
        scale=scale,
        enable_gqa=query.shape[1] != key.shape[1],
    )


def _with_adjacent_columns(array: torch.Tensor) -> torch.Tensor:
    # The one layout that the flash kernel refuses; every other stride is left for it to handle.
    return array if array.stride(-1) == 1 else array.clone(memory_format=torch.contiguous_format)


def _dtypes(of_16_bit: dict[str, Precision]) -> dict[str, Precision]:
    return {"float64": Precision.float64(), "float32": Precision.float32(), **of_16_bit}


_PLAIN = frozenset({Feature.SCALE, Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS})
_MASKS = frozenset({Feature.MASK, Feature.BIAS, Feature.CAUSAL})

EAGER = Implementation(
    name="torch",
    attention=attention,
    gradient=gradient_of(attention),
    cache=cache_of(attention),
    supports=_PLAIN | _MASKS | {Feature.COMBINED_MASKS, Feature.WINDOW, Feature.SOFTCAP, Feature.THREADS},
    # Every operator rounds its result to 16 bit, the scaled query included, and sums in float32.
    dtypes=_dtypes({dtype: replace(Precision.eager(dtype), prescale=dtype) for dtype in ("bfloat16", "float16")}),
    to_native=to_native,
    to_numpy=to_numpy,
    dialect=Dialect(fully_masked=FullyMasked.ZEROS),
)
SDPA_MATH = replace(
    EAGER,
    name="torch-sdpa-math",
    attention=math_attention,
    gradient=gradient_of(math_attention),
    cache=cache_of(math_attention),
    supports=_PLAIN | _MASKS | {Feature.GROUPED_HEADS, Feature.DROPOUT, Feature.EMPTY},
    # Computes in float32 unless `torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp` is set.
    dtypes=_dtypes({dtype: Precision.upcast() for dtype in ("bfloat16", "float16")}),
)
SDPA_FLASH = replace(
    SDPA_MATH,
    name="torch-sdpa-flash",
    attention=flash_attention,
    gradient=gradient_of(flash_attention),
    cache=cache_of(flash_attention),
    supports=SDPA_MATH.supports - {Feature.VALUE_WIDTH},
    dtypes=_dtypes({dtype: Precision.flash(dtype) for dtype in ("bfloat16", "float16")}),
)
