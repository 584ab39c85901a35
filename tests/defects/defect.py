"""The record of a planted defect: a wrong implementation, and the law that must find it."""

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
"""The correct steps beside a wrong one, unless they are all steps of the document."""


@dataclass(frozen=True)
class Defect:
    name: str
    implementation: Implementation
    clause: str
    """The clause of the document that the defect breaks."""
    stands_for: str
    """The released bug, or the class of bugs, that it stands for."""
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
    """Return a decorator that makes a defect of a function with one wrong step: the whole attention by default.

    The defect declares the features of its parameters, and those of `features`, which have no parameter.
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
    """Return an implementation with a function as `step`; any other steps that it needs are right."""
    parameters = inspect.signature(function).parameters.keys()
    supports = frozenset({*ALWAYS, *features, *(OPTIONS[name] for name in parameters & OPTIONS.keys())})
    others = _OTHERS.get(step, correct.STEPS)
    # A kernel in another language would overflow silently, and so must these.
    exposed: dict[str, Any] = {one: np.errstate(all="ignore")(of) for one, of in (others | {step: function}).items()}
    return Implementation(
        name=function.__name__,
        supports=supports,
        dtypes=dtypes,
        dialect=dialect,
        without=frozenset(without),
        **exposed,
    )
