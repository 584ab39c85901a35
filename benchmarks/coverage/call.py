"""A call as it arrives at an implementation: sizes, places in memory, options, and kinds of scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Layout, Step
from benchmarks.coverage.memory import MEMORY, View, packed

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

MOST_SCORES = 2**15
"""The scores of a call, at most, where they are computed to tell their kind."""
LARGE = 88.0
"""e^88 is near the largest number of float32, and e^-88 near the smallest."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """Everything about a call that a kernel can decide by: classes of `factors` are predicates on it."""

    observed: str = "output"
    batch: int = 1
    key_heads: int = 1
    group: int = 1
    queries: int = 1
    keys: int = 1
    d_k: int = 1
    d_v: int = 1
    memory: Sequence[frozenset[str]] = (frozenset(),) * 3
    """The classes of the query, of the key and of the value."""
    options: Mapping[str, Any] = field(default_factory=dict)
    scores: frozenset[str] = frozenset()


def call_of(
    step: Step, arrays: Sequence[Any], options: Mapping[str, Any], layout: Layout, to_numpy: Callable[[Any], Array]
) -> Call:
    """Return what there is to know about a call of attention, or of its gradient, on native arrays."""
    views = [View.of(array, layout.lower()) for array in arrays[:3]]
    query, key, value = ({"b": 1, "h": 1, **dict(zip(view.axes, view.shape, strict=True))} for view in views)
    given = {name: option for name, option in options.items() if option is not None and option is not False}
    lse = given.pop("return_lse", False)
    return Call(
        observed="gradients" if step is Step.GRADIENT else "log-sum-exp" if lse else "output",
        batch=query["b"],
        key_heads=key["h"],
        group=query["h"] // max(1, key["h"]),
        queries=query["l"],
        keys=key["l"],
        d_k=key["d"],
        d_v=value["d"],
        memory=[
            frozenset({name for name, tells in MEMORY.items() if tells(view)} | ({"packed"} if shared else set()))
            for view, shared in zip(views, packed(views), strict=True)
        ],
        options=given,
        scores=_kinds(arrays, given.get("scale"), layout, to_numpy)
        if 0 < query["b"] * query["h"] * query["l"] * key["l"] <= MOST_SCORES and key["d"]
        else frozenset(),
    )


def _kinds(
    arrays: Sequence[Any], scale: float | None, layout: Layout, to_numpy: Callable[[Any], Array]
) -> frozenset[str]:
    query, key = (np.asarray(to_numpy(array), np.float64) for array in arrays[:2])
    query, key = layout.restored(query), layout.restored(key)
    key = key.repeat(query.shape[1] // key.shape[1], axis=1)
    with np.errstate(all="ignore"):
        scores = query @ key.swapaxes(-1, -2) * (query.shape[-1] ** -0.5 if scale is None else scale)
    return kinds_of(scores)


def kinds_of(scores: Array) -> frozenset[str]:
    """Return the kinds of scores (…, n_q, n_k), scaled, of which there is a row."""
    if not np.isfinite(scores).all():
        return frozenset({"not finite"})
    largest, smallest = scores.max(axis=-1), scores.min(axis=-1)
    kinds = {"far below"} if (largest < -LARGE).any() else set[str]()
    kinds |= {"far above"} if (largest > LARGE).any() else set()
    if scores.shape[-1] > 1:
        second = np.partition(scores, -2, axis=-1)[..., -2]
        kinds |= {"tied"} if (largest == smallest).any() else set()
        kinds |= {"one winner"} if (largest - second > LARGE).any() else set()
    return frozenset(kinds or {"ordinary"})
