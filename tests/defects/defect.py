"""A wrong implementation, and how the suite must find it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from attention_tests import Feature, Implementation, Precision, Step
from tests.defects import correct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STRICT = {"float64": Precision.float64(), "float32": Precision.float32()}


@dataclass(frozen=True)
class Defect:
    name: str
    implementation: Implementation
    clause: str
    """The clause of the document that it breaks."""
    stands_for: str
    """A released bug, or the class of bugs."""
    killed_by: str
    """The law that must fail on it; others may fail too."""


def defect(
    clause: str,
    stands_for: str,
    *,
    killed_by: str,
    step: Step = Step.ATTENTION,
    dtypes: Mapping[str, Precision] = STRICT,
) -> Callable[[Callable[..., Any]], Defect]:
    """Make a defect of a function that does one step wrongly: the whole attention unless `step` says otherwise."""

    def decorate(function: Callable[..., Any]) -> Defect:
        implementation = implementation_of(function, step, dtypes)
        return Defect(implementation.name, implementation, clause, stands_for, killed_by)

    return decorate


def implementation_of(
    function: Callable[..., Any], step: Step = Step.ATTENTION, dtypes: Mapping[str, Precision] = STRICT
) -> Implementation:
    """Expose a function as `step`; a single step of the document stands among the others, which are right."""
    supports = {Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS}
    if "scale" in inspect.signature(function).parameters:
        supports.add(Feature.SCALE)
    others = {} if step in (Step.ATTENTION, Step.SELF_ATTENTION) else correct.STEPS
    # A kernel in another language would overflow in silence, and so must these.
    exposed: dict[str, Any] = {one: np.errstate(all="ignore")(of) for one, of in (others | {step: function}).items()}
    return Implementation(name=function.__name__, supports=frozenset(supports), dtypes=dtypes, **exposed)
