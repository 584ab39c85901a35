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
    """Make a defect of a function that does one step wrongly.

    The function is the whole attention unless `step` says otherwise; a wrong step stands among right ones.
    """
    whole = step in (Step.ATTENTION, Step.SELF_ATTENTION)

    def decorate(function: Callable[..., Any]) -> Defect:
        takes_scale = step is Step.ATTENTION and "scale" in inspect.signature(function).parameters
        supports = {Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS} | ({Feature.SCALE} if takes_scale else set())
        # A kernel in another language would overflow in silence, and so must these.
        steps: dict[Step, Any] = ({} if whole else correct.STEPS) | {step: np.errstate(all="ignore")(function)}
        implementation = Implementation(
            name=function.__name__,
            supports=frozenset(supports),
            dtypes=dtypes,
            **{exposed.value: callable_ for exposed, callable_ in steps.items()},
        )
        return Defect(function.__name__, implementation, clause, stands_for, killed_by)

    return decorate
