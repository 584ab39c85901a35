"""Attention in four functions of the Array API standard, which any library that follows it can run.

The functions are `matmul`, `exp`, `max` and `sum`: https://data-apis.org/array-api/2024.12/. The code is written once,
and run on array-api-strict, which has nothing outside of the standard, and on NumPy and PyTorch by array-api-compat.

Arithmetic is in the dtype of the inputs. The standard has float32 and float64, and no format of 16 bits.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import array_api_strict
import numpy as np
from array_api_compat import array_namespace
from array_api_compat import numpy as compat_numpy

from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Array, Implementation
from attention_tests.declare.precision import Precision


def attention(query: Any, key: Any, value: Any, *, scale: float | None = None) -> Any:
    """Return softmax(scale · Q Kᵀ) V, of shape (…, n_q, d_v)."""
    xp = array_namespace(query, key, value)
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = xp.matmul(query * factor, key.mT)
    weights = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    return xp.matmul(weights, value) / xp.sum(weights, axis=-1, keepdims=True)


def on(namespace: ModuleType, name: str) -> Implementation:
    """Return the implementation on the arrays of a namespace that follows the standard."""

    def to_native(array: Array, dtype: str) -> Any:
        return namespace.asarray(array, dtype=getattr(namespace, dtype), copy=True)

    return Implementation(
        name=name,
        attention=attention,
        supports=frozenset({Feature.SCALE, Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS, Feature.THREADS}),
        dtypes={"float64": Precision.float64(), "float32": Precision.float32()},
        to_native=to_native,
        to_numpy=to_numpy,
    )


def to_numpy(array: Any) -> Array:
    """Return a float64 array by DLPack, which the standard requires."""
    return np.from_dlpack(array).astype(np.float64)


STRICT = on(array_api_strict, "array-api-strict")
NUMPY = on(compat_numpy, "array-api-numpy")
