"""Heads side by side in words, as layers with projections take them, or one by one as a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

_WIDEST = 4096
"""The widest word for which a layer is made: its matrices are the square of that."""


def side_by_side(array: torch.Tensor) -> torch.Tensor:
    """(batch, heads, length, width) → (batch, length, heads · width)."""
    return array.transpose(1, 2).flatten(2)


def apart(words: torch.Tensor, heads: int) -> torch.Tensor:
    """(batch, length, heads · width) → (batch, heads, length, width)."""
    return words.reshape(*words.shape[:2], heads, -1).transpose(1, 2)


def one_by_one(forward: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Return `forward`, which is given the heads as a batch."""

    def attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: Any) -> torch.Tensor:
        batch, heads = query.shape[:2]
        arrays = (_as_batch(array, batch, heads) for array in (query, key, value))
        output = forward(*arrays, **_options_as_batch(options, batch, heads))
        return output.reshape(batch, heads, *output.shape[-2:])

    return attention


def one_by_one_where_mixed(
    forward: Callable[..., torch.Tensor], mixed: Callable[..., bool]
) -> Callable[..., torch.Tensor]:
    """Return `forward`, which is given the heads as a batch where projections would mix them.

    They add heads up with factors of 1 and 0, and so one that is no number makes all of them no numbers. That is so
    where such numbers are given, and where `mixed(query, **options)` says so.
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
    """(batch, heads, …) → (batch · heads, 1, …)."""
    return array.expand(batch, heads, *array.shape[-2:]).flatten(0, 1)[:, None]
