"""Keras on NumPy. Its arithmetic is documented in the source alone: "Softmax and it is always carried out in fp32"."""

from __future__ import annotations

from dataclasses import replace

import ml_dtypes
import numpy as np

from attention_tests.declare.implementation import Array
from attention_tests.declare.precision import Precision
from implementations.keras.operation import attention_on, implementation


def to_native(array: Array, dtype: str) -> Array:
    """Return a copy in the dtype."""
    return array.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


def to_numpy(array: Array) -> Array:
    """Return a float64 array."""
    return array.astype(np.float64)


NUMPY = implementation(
    "numpy",
    attention_on("numpy"),
    {
        "float32": Precision.float32(),
        # NumPy's `einsum` sums float16 in float16.
        "float16": Precision.pure("float16"),
        "bfloat16": replace(Precision.eager("bfloat16"), scores=None, name="weights"),
    },
    to_native,
    to_numpy,
)
