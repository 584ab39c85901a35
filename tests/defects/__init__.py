"""Wrong implementations of attention, each with one thing wrong: what the suite's own laws are measured against."""

from __future__ import annotations

from tests.defects import (
    controls,
    layout,
    manners,
    online,
    precision,
    projections,
    scale,
    scores,
    softmax,
    values,
    visibility,
)
from tests.defects.defect import Defect

_MODULES = (projections, scores, scale, softmax, values, visibility, online, layout, manners, precision, controls)

DEFECTS: tuple[Defect, ...] = tuple(
    member for module in _MODULES for member in vars(module).values() if isinstance(member, Defect)
)

__all__ = ["DEFECTS", "Defect"]
