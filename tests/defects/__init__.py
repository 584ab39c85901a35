"""Planted defects: implementations of attention with one thing wrong each, which the laws must find."""

from __future__ import annotations

from tests.defects import (
    biases,
    caches,
    caps,
    causality,
    cheats,
    circumstances,
    controls,
    empty,
    fully_masked,
    gradient_circumstances,
    gradient_masks,
    gradient_memory,
    gradient_options,
    gradient_real_sizes,
    gradient_side_effects,
    gradient_sizes,
    gradients,
    heads,
    hiding,
    kept_calls,
    layout,
    many_queries,
    masks,
    memory,
    merges,
    non_finite,
    online,
    options,
    precision,
    projections,
    real_sizes,
    scale,
    scores,
    side_effects,
    sizes,
    softmax,
    sums,
    threads,
    two_options,
    values,
    visibility,
    windows,
)
from tests.defects.defect import Defect

_OF_THE_DOCUMENT = (
    projections,
    scores,
    scale,
    softmax,
    values,
    visibility,
    online,
    merges,
    sizes,
    layout,
    memory,
    side_effects,
    threads,
    precision,
    controls,
)
_OF_LAYERS = (
    masks,
    hiding,
    fully_masked,
    biases,
    causality,
    windows,
    heads,
    non_finite,
    empty,
    caps,
    sums,
    options,
    two_options,
    circumstances,
    real_sizes,
    many_queries,
    kept_calls,
    caches,
)
_OF_CHECKERS = (cheats,)
_OF_GRADIENTS = (
    gradients,
    gradient_circumstances,
    gradient_masks,
    gradient_options,
    gradient_sizes,
    gradient_real_sizes,
    gradient_memory,
    gradient_side_effects,
)

DEFECTS: tuple[Defect, ...] = tuple(
    member
    for module in _OF_THE_DOCUMENT + _OF_LAYERS + _OF_GRADIENTS + _OF_CHECKERS
    for member in vars(module).values()
    if isinstance(member, Defect)
)

__all__ = ["DEFECTS", "Defect"]
