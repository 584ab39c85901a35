"""NumPy, which differentiates nothing and has no bfloat16."""

from __future__ import annotations

import numpy as np

from attention_tests.frameworks.framework import Array, Framework


def framework(device: str) -> Framework:
    """Return NumPy. Raises ValueError for another device than the CPU."""
    if device != "cpu":
        raise ValueError(f"NumPy's arrays are on the CPU, not on {device}")
    return Framework(name="numpy", to_native=to_native, to_numpy=np.asarray, dtypes=("float64", "float32", "float16"))


def to_native(array: Array, dtype: str) -> Array:
    """Return a copy in the dtype."""
    return array.astype(dtype)
