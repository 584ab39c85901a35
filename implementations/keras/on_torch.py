"""Keras on PyTorch: `scaled_dot_product_attention`, with a mask turned into numbers to add.

"Only one of `bias` and `mask` can be provided", says an exception of Keras.
"""

from __future__ import annotations

from dataclasses import replace

from attention_tests.declare.features import Feature
from attention_tests.frameworks.torch import gradient_of, to_native, to_numpy
from implementations.keras.operation import IN_32_BIT, attention_on, implementation
from implementations.torch.operators import SDPA_FLASH

_attention = attention_on("torch")

_promised = implementation(
    "torch", _attention, {dtype: SDPA_FLASH.dtypes[dtype] for dtype in IN_32_BIT}, to_native, to_numpy
)
TORCH = replace(_promised, gradient=gradient_of(_attention), supports=_promised.supports - {Feature.COMBINED_MASKS})
