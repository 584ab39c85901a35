"""tinygrad, which compiles and computes a tensor when it is asked for. Its bfloat16 depends on the compiler."""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

import numpy as np
from tinygrad import Tensor, dtypes

from attention_tests.frameworks.framework import Array, Framework, Function


def framework(device: str) -> Framework:
    """Return tinygrad on a device, by a name of its own or of PyTorch. Raises ValueError where it is not there."""
    try:
        to_numpy(to_native(np.ones(1), "float32", device.upper()))
    except (ImportError, AttributeError, RuntimeError, OSError) as error:
        raise ValueError(f"tinygrad has no device {device} here: {str(error).splitlines()[0]}") from None
    return Framework(
        name="tinygrad",
        to_native=partial(to_native, device=device.upper()),
        to_numpy=to_numpy,
        dtypes=("float64", "float32", "float16"),
        immutable=True,
        compiled=True,
        called=realized,
        gradient_of=gradient_of,
    )


def to_native(array: Array, dtype: str, device: str = "CPU") -> Tensor:
    """Return a copy as a tensor in the dtype."""
    return Tensor(array.astype(dtype), dtype=getattr(dtypes, dtype), device=device).realize()


def to_numpy(tensor: Tensor) -> Array:
    """Return a float64 array."""
    array: Array = tensor.numpy().astype(np.float64)
    return array


def realized(function: Function) -> Function:
    """Return `function`, whose answer is computed when it returns."""

    @wraps(function)
    def called(*arguments: Any, **options: Any) -> Any:
        answer = function(*arguments, **options)
        for one in answer if isinstance(answer, tuple | list) else [answer]:
            one.realize()
        return answer

    return called


def gradient_of(forward: Function) -> Function:
    """Return the gradient of `forward` by tinygrad: a function of query, key, value and an upstream gradient."""

    def gradient(query: Tensor, key: Tensor, value: Tensor, upstream: Tensor, **options: Any) -> list[Tensor]:
        inputs = [tensor.detach() for tensor in (query, key, value)]
        gradients: list[Tensor] = forward(*inputs, **options).gradient(*inputs, gradient=upstream)
        return [one.realize() for one in gradients]

    return gradient
