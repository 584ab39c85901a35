"""PyTorch's kernels for a CUDA GPU, each forced by itself, without a fallback to another.

https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.scaled_dot_product_attention.html, and the reasons that
`torch.nn.attention.sdpa_kernel` gives where a kernel refuses. Flash attention takes 16 bits, values as wide as the
keys, no mask, and as many queries as keys; cuDNN's takes masks too. The memory-efficient kernel takes float32
and any mask. Neither of these two takes grouped heads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Array, Implementation
from attention_tests.declare.precision import Precision
from attention_tests.frameworks.torch import gradient_of, to_numpy
from attention_tests.text.wording import BadTarget
from implementations.torch.flex import FLEX
from implementations.torch.operators import EAGER, scaled_dot_product

if not torch.cuda.is_available():
    raise BadTarget("PyTorch's kernels for a GPU are not run: PyTorch finds no CUDA device here")


def to_native(array: Array, dtype: str) -> torch.Tensor:
    """Return a tensor on the GPU."""
    return torch.tensor(array, dtype=getattr(torch, dtype), device="cuda")


def _attention_of(backend: SDPBackend) -> Callable[..., torch.Tensor]:
    def attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any) -> torch.Tensor:
        with sdpa_kernel(backend):
            return scaled_dot_product(query, key, value, **options)

    return attention


def _kernel(name: str, backend: SDPBackend, supports: set[Feature], dtypes: dict[str, Precision]) -> Implementation:
    attention = _attention_of(backend)
    return Implementation(
        name=name,
        attention=attention,
        gradient=gradient_of(attention),
        supports=frozenset({Feature.SCALE, Feature.HEADS, Feature.DROPOUT} | supports),
        dtypes=dtypes,
        to_native=to_native,
        to_numpy=to_numpy,
        dialect=EAGER.dialect,
    )


_OF_16_BIT = {dtype: Precision.flash(dtype) for dtype in ("bfloat16", "float16")}
_MASKS = {Feature.MASK, Feature.BIAS}

FLASH = _kernel(
    "torch-sdpa-flash-cuda", SDPBackend.FLASH_ATTENTION, {Feature.CAUSAL, Feature.GROUPED_HEADS}, _OF_16_BIT
)
EFFICIENT = _kernel(
    "torch-sdpa-efficient-cuda",
    SDPBackend.EFFICIENT_ATTENTION,
    _MASKS | {Feature.CAUSAL, Feature.LENGTHS, Feature.VALUE_WIDTH},
    # Products of float32 use tf32 only if `torch.backends.cuda.matmul.allow_tf32` is set.
    {"float32": Precision.float32(), **_OF_16_BIT},
)
CUDNN = _kernel("torch-sdpa-cudnn-cuda", SDPBackend.CUDNN_ATTENTION, _MASKS | {Feature.CAUSAL}, _OF_16_BIT)
FLEX_CUDA = replace(
    FLEX,
    name="torch-flex-cuda",
    dtypes={dtype: FLEX.dtypes[dtype] for dtype in ("float32", "bfloat16", "float16")},
    to_native=to_native,
    to_numpy=to_numpy,
)
