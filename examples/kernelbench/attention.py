"""Grouped attention in the form of KernelBench: `Model` is right, and `ModelNew`, which should be faster, is wrong."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

WIDTH, LONGEST = 16, 64


class Model(nn.Module):
    """Attention whose key heads are each shared by the query heads of a group, for one width, up to a length."""

    def __init__(self, width: int, longest: int) -> None:
        super().__init__()
        self.width, self.longest = width, longest

    def forward(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """Return the output (batch, query heads, queries, width). Raises ValueError for sizes of another model."""
        check((query, key, value), self.width, self.longest)
        group = query.shape[1] // key.shape[1]
        key, value = (array.repeat_interleave(group, dim=1) for array in (key, value))
        weights = (query @ key.mT / self.width**0.5).softmax(dim=-1)
        output: torch.Tensor = weights @ value
        return output


class ModelNew(nn.Module):
    """The same by PyTorch's fused function."""

    def __init__(self, width: int, longest: int) -> None:
        super().__init__()
        self.width, self.longest = width, longest

    def forward(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """Return the output (batch, query heads, queries, width). Raises ValueError for sizes of another model."""
        check((query, key, value), self.width, self.longest)
        group = query.shape[1] // key.shape[1]
        key, value = (array.repeat(1, group, 1, 1) for array in (key, value))
        return scaled_dot_product_attention(query, key, value)


def check(arrays: tuple[torch.Tensor, ...], width: int, longest: int) -> None:
    """Raise ValueError for sizes that a model is not made for."""
    for array in arrays:
        if array.shape[-1] != width or array.shape[-2] > longest or not array.numel():
            raise ValueError(f"{tuple(array.shape)} is not of width {width} and of 1 to {longest} tokens")


def get_inputs() -> list[torch.Tensor]:
    """Return what the benchmark calls a model with: numbers that are normal, as many query heads as key heads."""
    return [torch.randn(2, 8, LONGEST, WIDTH) for _ in range(3)]


def get_init_inputs() -> list[int]:
    """Return what a model is made of."""
    return [WIDTH, LONGEST]
