"""CuPy, NumPy's arrays on a GPU; it differentiates nothing and has no bfloat16."""

from __future__ import annotations

import cupy

from attention_tests.frameworks.framework import Array, Framework


def framework(device: str) -> Framework:
    """Return CuPy. Raises ValueError for another device than a GPU of CUDA, or where there is none."""
    try:
        there = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError:
        there = 0
    if not there or not device.startswith("cuda"):
        raise ValueError("CuPy's arrays are on a GPU: ask for --device cuda, on a machine that has one")
    return Framework(name="cupy", to_native=to_native, to_numpy=cupy.asnumpy, dtypes=("float64", "float32", "float16"))


def to_native(array: Array, dtype: str) -> cupy.ndarray:
    """Return a copy in the dtype."""
    return cupy.asarray(array.astype(dtype))
