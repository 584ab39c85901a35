"""MLX, which computes an array when it is asked for."""

from __future__ import annotations

from functools import wraps
from typing import Any

import mlx.core as mx
import numpy as np

from attention_tests.frameworks.framework import DTYPES, Array, Framework, Function

DEVICES = {"cpu": mx.cpu, "gpu": mx.gpu, "cuda": mx.gpu}


def framework(device: str) -> Framework:
    """Return MLX, whose float64 is there on the CPU only. Raises ValueError for a device that it does not have."""
    if device not in DEVICES:
        raise ValueError(f"MLX has the devices {', '.join(DEVICES)}, and not {device}")
    try:
        mx.set_default_device(mx.Device(DEVICES[device]))
    except ValueError as error:
        raise ValueError(f"MLX has no device {device} here: {error}") from None
    dtypes = tuple(dtype for dtype in DTYPES if dtype != "float64" or device == "cpu")
    return Framework(
        name="mlx",
        to_native=to_native,
        to_numpy=to_numpy,
        dtypes=dtypes,
        immutable=True,
        called=evaluated,
        gradient_of=gradient_of,
    )


def to_native(array: Array, dtype: str) -> mx.array:
    """Return a copy as an MLX array in the dtype."""
    return mx.array(array, dtype=mx.bool_ if dtype == "bool" else getattr(mx, dtype))


def to_numpy(array: mx.array) -> Array:
    """Return a float64 array. A dtype that NumPy lacks becomes float32 first, which changes no number."""
    return np.array(array.astype(mx.float32) if array.dtype == mx.bfloat16 else array).astype(np.float64)


def evaluated(function: Function) -> Function:
    """Return `function`, whose answer is computed when it returns."""

    @wraps(function)
    def called(*arguments: Any, **options: Any) -> Any:
        answer = function(*arguments, **options)
        mx.eval(answer)
        return answer

    return called


def gradient_of(forward: Function) -> Function:
    """Return the gradient of `forward` by MLX: a function of query, key, value and an upstream gradient."""

    def gradient(query: mx.array, key: mx.array, value: mx.array, upstream: mx.array, **options: Any) -> Any:
        inputs = [query, key, value]
        _, gradients = mx.vjp(lambda *arrays: forward(*arrays, **options), inputs, [upstream])
        mx.eval(gradients)
        return gradients

    return gradient
