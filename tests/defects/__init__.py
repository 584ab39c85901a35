"""Planted defects: implementations of attention with one thing wrong each, which the laws must find."""

from __future__ import annotations

from tests.defects import (
    biases,
    blind,
    caches,
    caps,
    causality,
    cheats,
    controls,
    empty,
    gradient_manners,
    gradient_sight,
    gradients,
    heads,
    hiding,
    layout,
    manners,
    masks,
    online,
    options,
    precision,
    projections,
    scale,
    scores,
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
    sizes,
    layout,
    manners,
    threads,
    precision,
    controls,
)
_OF_LAYERS = (masks, hiding, blind, biases, causality, windows, heads, empty, caps, sums, options, two_options, caches)
_OF_CHECKERS = (cheats,)
_OF_GRADIENTS = (gradients, gradient_sight, gradient_manners)

DEFECTS: tuple[Defect, ...] = tuple(
    member
    for module in _OF_THE_DOCUMENT + _OF_LAYERS + _OF_GRADIENTS + _OF_CHECKERS
    for member in vars(module).values()
    if isinstance(member, Defect)
)

__all__ = ["DEFECTS", "Defect"]
