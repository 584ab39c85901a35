"""PyTorch, on the CPU or on a GPU."""

from __future__ import annotations

import os
from functools import partial, wraps
from typing import Any

import torch

from attention_tests.frameworks.framework import Array, Framework, Function, as_it_is


def keep_from_spreading_nan() -> None:
    """Have the products of oneDNN 3.12 not use AMX, with which they spread NaN in bfloat16, whoever calls them.

    A callable that is right would be told to be wrong on processors with AMX, and right on others.
    """
    os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16")


def framework(device: str) -> Framework:
    """Return PyTorch on a device. Raises ValueError where it is not there."""
    keep_from_spreading_nan()
    try:
        # What it has no numbers on, such as "meta", is no place for arrays.
        to_numpy(torch.ones(1, device=device))
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"PyTorch has no device {device} here: {str(error).splitlines()[0]}") from None
    return Framework(
        name="torch",
        to_native=partial(to_native, device=device),
        to_numpy=to_numpy,
        called=as_it_is if torch.device(device).type == "cpu" else synchronized,
        gradient_of=gradient_of,
    )


def to_native(array: Array, dtype: str, device: str = "cpu") -> torch.Tensor:
    """Return a copy as a tensor in the dtype."""
    return torch.tensor(array, dtype=getattr(torch, dtype), device=device)


def to_numpy(tensor: torch.Tensor) -> Array:
    """Return a float64 array."""
    array: Array = tensor.detach().double().cpu().numpy()
    return array


def synchronized(function: Function) -> Function:
    """Return `function`, whose answer is computed when it returns: what goes wrong on a device belongs to the call."""

    @wraps(function)
    def called(*arguments: Any, **options: Any) -> Any:
        answer = function(*arguments, **options)
        torch.accelerator.synchronize()
        return answer

    return called


def gradient_of(forward: Function) -> Function:
    """Return the gradient of `forward` by autograd: a function of query, key, value and an upstream gradient."""

    def gradient(
        query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, upstream: torch.Tensor, **options: Any
    ) -> tuple[torch.Tensor, ...]:
        inputs = [tensor.detach().requires_grad_() for tensor in (query, key, value)]
        return torch.autograd.grad(forward(*inputs, **options), inputs, upstream)

    return gradient
