"""An explanation: a wrong attention, as a sentence and as what a kernel that computes it would answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from attention_tests import Precision
from explanations.aspect import GRADIENTS, LOG_SUM_EXP, OUTPUT, Aspect
from properties.drawing.gradients import Gradients
from properties.drawing.problem import Problem
from reference.bounds.interval import Interval

Change = Callable[[Any], Any]
"""Returns the problem that is computed in place of the one that was given; the given one where nothing is wrong."""
Computed = Callable[[Any, Precision], Sequence[Interval]]
"""Returns what is computed of a problem, with its bound."""

ALL = (OUTPUT, LOG_SUM_EXP, GRADIENTS)
"""The answers of attention over a query, a key and a value."""


class Explanation(Protocol):
    """A wrong attention."""

    @property
    def name(self) -> str:
        """A short name, such as `scale-of-the-value-width`."""

    @property
    def says(self) -> str:
        """The end of a sentence that begins with "it", such as "scales by 1/√d_v in place of 1/√d_k"."""

    def predicts(self, aspect: Aspect, problem: Any, precision: Precision) -> Sequence[Interval]:
        """Return what a kernel would answer that computes this."""

    def leaves(self, aspect: Aspect, problem: Any) -> bool:
        """Tell whether an answer is seen to be right, without computing it."""


@dataclass(frozen=True, eq=False)
class Changed:
    """The right attention of another problem: most mistakes are this."""

    name: str
    says: str
    change: Change
    aspects: tuple[Aspect, ...] = ALL
    """The answers in which the mistake is made; all others are right."""
    gradients: tuple[str, ...] = Gradients._fields
    """The inputs whose gradients are wrong, where it is made in the gradients."""

    def predicts(self, aspect: Aspect, problem: Any, precision: Precision) -> Sequence[Interval]:
        """Return the right answer to the changed problem."""
        if aspect not in self.aspects:
            return aspect.right(problem, precision)
        predicted = aspect.right(self.change(problem), precision)
        if aspect is not GRADIENTS or self.gradients == Gradients._fields:
            return predicted
        names = zip(Gradients._fields, predicted, aspect.right(problem, precision), strict=True)
        return [wrong if name in self.gradients else right for name, wrong, right in names]

    def leaves(self, aspect: Aspect, problem: Any) -> bool:
        """Tell whether the mistake changes nothing about a problem, or is not made in such answers."""
        return aspect not in self.aspects or self.change(problem) == problem

    def only(self, aspect: Aspect, *gradients: str) -> Changed:
        """Return the same mistake, made in one kind of answer alone, or in the gradients of some inputs."""
        of = " and the ".join(gradients)
        where = f"the gradient of the {of}" if gradients else aspect.name
        return replace(
            self,
            name="-of-".join([self.name, where.removeprefix("the ").replace(" ", "-")]),
            says=f"{self.says}, in {where} alone",
            aspects=(aspect,),
            gradients=gradients or Gradients._fields,
        )

    @property
    def is_everywhere(self) -> bool:
        """Whether the mistake is made in all answers."""
        return self.aspects == ALL

    @property
    def anywhere(self) -> Iterator[Changed]:
        """The same mistake in all answers, and in each kind of them alone."""
        yield self
        yield from (self.only(one) for one in self.aspects)
        if GRADIENTS in self.aspects:
            yield from (self.only(GRADIENTS, name) for name in Gradients._fields)


@dataclass(frozen=True, eq=False)
class Miscomputed:
    """A wrong formula for some of the answers; all others are right."""

    name: str
    says: str
    computes: Mapping[Aspect, Computed] = field(default_factory=dict)

    def predicts(self, aspect: Aspect, problem: Any, precision: Precision) -> Sequence[Interval]:
        """Return what the formula makes of the problem."""
        return self.computes.get(aspect, aspect.right)(problem, precision)

    def leaves(self, aspect: Aspect, problem: Any) -> bool:  # noqa: ARG002 - any problem may be computed otherwise
        """Tell whether the mistake is not made in such answers."""
        return aspect not in self.computes


def everywhere(change: Change) -> Change:
    """Leave alone what is no attention over a query, a key and a value."""
    return lambda problem: change(problem) if isinstance(problem, Problem) else problem
