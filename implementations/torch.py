"""Attention in PyTorch: its operators one after another, and two kernels of `scaled_dot_product_attention`."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from attention_tests.implementation import Array, Feature, Implementation, Precision


def attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, scale: float | None = None
) -> torch.Tensor:
    """Return softmax(scale · Q Kᵀ) V, of shape (…, n_q, d_v).

    The query is scaled, not the scores: in float16 a score beyond 65504 would be infinite before it is scaled.
    """
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = (query * factor) @ key.mT
    return torch.softmax(scores, dim=-1) @ value


def math_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, scale: float | None = None
) -> torch.Tensor:
    """Return the same from PyTorch's reference kernel."""
    with sdpa_kernel(SDPBackend.MATH):
        return scaled_dot_product_attention(query, key, value, scale=scale)


def flash_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, scale: float | None = None
) -> torch.Tensor:
    """Return the same from PyTorch's flash kernel for the CPU."""
    query, key, value = (_with_adjacent_columns(array) for array in (query, key, value))
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return scaled_dot_product_attention(query, key, value, scale=scale)


def _with_adjacent_columns(array: torch.Tensor) -> torch.Tensor:
    # The one layout that the flash kernel refuses; every other stride is left for it to handle.
    return array if array.stride(-1) == 1 else array.clone(memory_format=torch.contiguous_format)


def to_native(array: Array, dtype: str) -> torch.Tensor:
    """Return a tensor of its own memory."""
    return torch.tensor(array, dtype=getattr(torch, dtype))


def to_numpy(tensor: torch.Tensor) -> Array:
    """Return a float64 array."""
    array: Array = tensor.detach().double().numpy()
    return array


def _dtypes(of_16_bit: dict[str, Precision]) -> dict[str, Precision]:
    return {"float64": Precision.float64(), "float32": Precision.float32(), **of_16_bit}


EAGER = Implementation(
    name="torch",
    attention=attention,
    supports=frozenset({Feature.SCALE, Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS}),
    # Every operator rounds its result to 16 bit, the scaled query included, and sums in float32.
    dtypes=_dtypes({dtype: replace(Precision.eager(dtype), prescale=dtype) for dtype in ("bfloat16", "float16")}),
    to_native=to_native,
    to_numpy=to_numpy,
)
SDPA_MATH = replace(
    EAGER,
    name="torch-sdpa-math",
    attention=math_attention,
    # Computes in float32 unless `torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp` is set.
    dtypes=_dtypes({dtype: Precision.upcast() for dtype in ("bfloat16", "float16")}),
)
SDPA_FLASH = replace(
    EAGER,
    name="torch-sdpa-flash",
    attention=flash_attention,
    supports=frozenset({Feature.SCALE, Feature.LENGTHS, Feature.HEADS}),
    dtypes=_dtypes({dtype: Precision.flash(dtype) for dtype in ("bfloat16", "float16")}),
)
