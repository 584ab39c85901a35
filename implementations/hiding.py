"""A mask or a bias with all of its axes, for libraries that do not broadcast it as NumPy does."""

from __future__ import annotations

from typing import Any


def of_four_axes(hiding: Any) -> Any:
    """Return a mask or a bias, which broadcasts to (batch, heads, n_q, n_k), with all four axes; None for None."""
    return None if hiding is None else hiding[(None,) * (4 - len(hiding.shape))]
