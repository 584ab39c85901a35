"""A wrong implementation, and how the suite must find it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from attention_tests import Dialect, Feature, Implementation, Precision, Step
from attention_tests.declare.signature import OPTIONS
from tests.defects import correct
from tests.defects.correct_layer import layer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

STRICT = {"float64": Precision.float64(), "float32": Precision.float32()}
ALWAYS = {Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS}
PLAIN = Dialect()

_OTHERS: dict[Step, dict[Step, Callable[..., Any]]] = {
    Step.ATTENTION: {},
    Step.SELF_ATTENTION: {},
    Step.GRADIENT: {Step.ATTENTION: layer},
}
"""What stands beside a step, unless it is the steps of the document."""


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
    features: Iterable[Feature] = (),
    dialect: Dialect = PLAIN,
    without: Iterable[str] = (),
) -> Callable[[Callable[..., Any]], Defect]:
    """Make a defect of a function that does one step wrongly: the whole attention unless `step` says otherwise.

    It declares the features that are its parameters, and those of `features`, which no parameter shows.
    """

    def decorate(function: Callable[..., Any]) -> Defect:
        implementation = implementation_of(
            function, step, dtypes=dtypes, features=features, dialect=dialect, without=without
        )
        return Defect(implementation.name, implementation, clause, stands_for, killed_by)

    return decorate


def implementation_of(
    function: Callable[..., Any],
    step: Step = Step.ATTENTION,
    *,
    dtypes: Mapping[str, Precision] = STRICT,
    features: Iterable[Feature] = (),
    dialect: Dialect = PLAIN,
    without: Iterable[str] = (),
) -> Implementation:
    """Expose a function as `step`; a gradient, or a single step of the document, stands among others that are right."""
    parameters = inspect.signature(function).parameters.keys()
    supports = frozenset({*ALWAYS, *features, *(OPTIONS[name] for name in parameters & OPTIONS.keys())})
    others = _OTHERS.get(step, correct.STEPS)
    # A kernel in another language would overflow in silence, and so must these.
    exposed: dict[str, Any] = {one: np.errstate(all="ignore")(of) for one, of in (others | {step: function}).items()}
    return Implementation(
        name=function.__name__,
        supports=supports,
        dtypes=dtypes,
        dialect=dialect,
        without=frozenset(without),
        **exposed,
    )
