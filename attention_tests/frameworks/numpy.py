"""NumPy, which differentiates nothing and has no bfloat16."""

from __future__ import annotations

import numpy as np

from attention_tests.declare.implementation import numpy_array
from attention_tests.frameworks.framework import Framework


def framework(device: str) -> Framework:
    """Return NumPy. Raises ValueError for another device than the CPU."""
    if device != "cpu":
        raise ValueError(f"NumPy's arrays are on the CPU, not on {device}")
    return Framework(name="numpy", to_native=numpy_array, to_numpy=np.asarray, dtypes=("float64", "float32", "float16"))
