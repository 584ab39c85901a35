"""Heads side by side in tokens, as layers with projections take them, or moved to the batch axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

_WIDEST = 1024
"""The widest query for which a layer is made: its matrices have the square of four times that many elements."""


def side_by_side(array: torch.Tensor) -> torch.Tensor:
    """Reshape (batch, heads, length, width) → (batch, length, heads · width)."""
    return array.transpose(1, 2).flatten(2)


def length_first(words: torch.Tensor) -> torch.Tensor:
    """Reshape (batch, length, width) → (length, batch, width), which is how layers take tokens by default.

    In this order in memory: 16-bit products of tokens that are only transposed take a thousand times as long.
    """
    return words.transpose(0, 1).clone(memory_format=torch.contiguous_format)


def apart(words: torch.Tensor, heads: int) -> torch.Tensor:
    """Reshape (batch, length, heads · width) → (batch, heads, length, width)."""
    return words.reshape(*words.shape[:2], heads, -1).transpose(1, 2)


def one_by_one(forward: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Return `forward` with the heads moved to the batch axis."""

    def attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any) -> torch.Tensor:
        batch, heads = query.shape[:2]
        arrays = (_as_batch(array, batch, heads) for array in (query, key, value))
        output = forward(*arrays, **_options_as_batch(options, batch, heads))
        return output.reshape(batch, heads, *output.shape[-2:])

    return attention


def one_by_one_where_mixed(
    forward: Callable[..., torch.Tensor], mixed: Callable[..., bool]
) -> Callable[..., torch.Tensor]:
    """Return `forward` with the heads moved to the batch axis where projections would mix them.

    Projections add up heads with factors of 1 and 0, and so NaN in one head makes all heads NaN. That happens with
    non-finite inputs, and where `mixed(query, **options)` is true.
    """
    apart_from_each_other = one_by_one(forward)

    def attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any) -> torch.Tensor:
        finite = all(bool(array.isfinite().all()) for array in (query, key, value))
        narrow = query.shape[1] * query.shape[-1] <= _WIDEST
        fit = finite and narrow and not mixed(query, **options)
        return (forward if fit else apart_from_each_other)(query, key, value, **options)

    return attention


def _options_as_batch(options: dict[str, Any], batch: int, heads: int) -> dict[str, Any]:
    return {
        name: _as_batch(option, batch, heads) if isinstance(option, torch.Tensor) else option
        for name, option in options.items()
    }


def _as_batch(array: torch.Tensor, batch: int, heads: int) -> torch.Tensor:
    """Reshape (batch, heads, …) → (batch · heads, 1, …)."""
    return array.expand(batch, heads, *array.shape[-2:]).flatten(0, 1)[:, None]
