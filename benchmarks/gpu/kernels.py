"""PyTorch's kernels, each by itself and without a fallback to another: what a kernel does not take, it refuses.

The four of `scaled_dot_product_attention` are bare callables, as anyone would name them. What FlexAttention is compiled
to is declared, because each new shape takes seconds to compile: a bare callable of PyTorch is asked for hundreds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from attention_tests.declare.implementation import Array, Implementation
from attention_tests.declare.precision import Precision
from implementations.torch.compiled import FLEX

Kernel = Callable[..., torch.Tensor]


def by(backend: SDPBackend) -> Kernel:
    """Return `scaled_dot_product_attention` by one kernel, which raises where that does not take what it is given."""

    def attention(  # noqa: PLR0913, PLR0917 - the parameters of PyTorch's function
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,  # noqa: FBT001, FBT002 - likewise
        scale: float | None = None,
        enable_gqa: bool = False,  # noqa: FBT001, FBT002 - likewise
    ) -> torch.Tensor:
        with sdpa_kernel(backend):
            return scaled_dot_product_attention(
                query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
            )

    return attention


math = by(SDPBackend.MATH)
flash = by(SDPBackend.FLASH_ATTENTION)
efficient = by(SDPBackend.EFFICIENT_ATTENTION)
cudnn = by(SDPBackend.CUDNN_ATTENTION)


def compiled_flex(device: str) -> Implementation:
    """Return what FlexAttention is compiled to for a device."""

    def to_native(array: Array, dtype: str) -> torch.Tensor:
        return torch.tensor(array, dtype=getattr(torch, dtype), device=device)

    def to_numpy(tensor: torch.Tensor) -> Array:
        array: Array = tensor.detach().double().cpu().numpy()
        return array

    return replace(
        FLEX,
        name=f"flex compiled for {device}",
        # The exponential of a GPU is that of base 2, of a product that is rounded before.
        dtypes={
            "float32": replace(Precision.float32(), exp_error=2.0**-17),
            **{dtype: Precision.flash(dtype) for dtype in ("float16", "bfloat16")},
        },
        to_native=to_native,
        to_numpy=to_numpy,
    )


flex = compiled_flex("cuda")
