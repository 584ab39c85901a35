"""A law: a clause of the document, the problems it is tried on, what an implementation must declare, and the check."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from hypothesis.strategies import SearchStrategy

from attention_tests.declare.dialect import Dialect
from attention_tests.declare.features import Feature, Step
from attention_tests.execution.failures import FAILURES, Failure
from attention_tests.execution.subject import Subject
from reference.document import CLAUSES, Clause


class Declared(Protocol):
    """The facts that decide which laws apply: declared by an implementation now, or written down when it was."""

    @property
    def steps(self) -> Collection[str]:
        """The steps that it exposes."""

    @property
    def features(self) -> Collection[str]:
        """The features that it supports."""


class Drawn(Protocol):
    """An input that was built: it can print itself and name the axes that its arrays share."""

    @property
    def dtype(self) -> str:
        """The format of its numbers."""

    @property
    def axes(self) -> dict[str, str]:
        """A letter for every axis of every array, as in `{"query": "bhqd"}`; one letter is one length."""

    def with_arrays(self, **arrays: Any) -> Self:
        """Replace arrays, rounded to the dtype."""


class Plan(Protocol):
    """An input in waiting: small, printable, and the same input on every machine."""

    @property
    def depends_on(self) -> frozenset[Feature]:
        """The features that decide about what is built: implementations that agree on them share it."""

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect, /) -> Any:
        """Build the input in `dtype`, in shapes and a dialect that an implementation takes."""


class ListedPlan(Plan, Protocol):
    """A plan of a list: it says itself what else to try."""

    @property
    def seed(self) -> int:
        """The seed of all numbers."""

    def with_seed(self, seed: int) -> Self:
        """Return the plan with other numbers."""

    def simpler(self) -> Iterator[Self]:
        """Yield plans that are smaller, the smallest first."""


def _as_drawn(plan: Any) -> Any:
    return plan


@dataclass(frozen=True, eq=False)
class Stream:
    """A source of plans: Hypothesis draws from `strategy`, and `narrow` fits each to a law.

    Streams of one strategy share what is drawn, and so its cost.
    """

    strategy: SearchStrategy[Any]
    narrow: Callable[[Any], Any] = _as_drawn
    at_most: int | None = None
    """The number of plans to use, where each costs much more than a call; None: all of the profile."""
    at_least: int = 0
    """The number of plans to try even if the profile has fewer: those that there are, or enough for every choice."""
    listed: Callable[[frozenset[Feature]], Sequence[ListedPlan]] | None = None
    """The plans for an implementation with some features, where they are a list; only exploring draws then."""

    @property
    def narrows(self) -> bool:
        """Whether plans are drawn in any sizes and then narrowed, and not taken as they are written."""
        return self.narrow is not _as_drawn


@dataclass(frozen=True, eq=False)
class Law:
    """One law, its body being `body(subject, drawn)`, which raises `Disagreement` where the law is broken."""

    name: str
    clause: Clause
    says: str
    steps: tuple[Step, ...]
    features: tuple[Feature, ...]
    any_of: frozenset[Feature]
    given: Stream
    body: Callable[[Subject, Any], None]

    def missing(self, declared: Declared) -> str:
        """Tell in words what is not `declared` and this law needs; empty where all is."""
        steps = [f"exposes no `{step}`" for step in self.steps if step not in declared.steps]
        features = [f"does not declare `{feature}`" for feature in self.features if feature not in declared.features]
        none = self.any_of and not self.any_of.intersection(declared.features)
        options = [f"declares none of {', '.join(f'`{feature}`' for feature in sorted(self.any_of))}"] if none else []
        return " and ".join([*steps, *features, *options])

    def failure(self, subject: Subject, drawn: Any) -> Failure | None:
        """Return how `subject` breaks the law on an input that was built; None where it keeps it."""
        try:
            self.body(subject, drawn)
            subject.executor.settle()
        except FAILURES as failure:
            return failure
        finally:
            subject.abandon()
        return None


Test = Callable[[Subject], None]


def law(
    clause: str, *needs: Step | Feature | frozenset[Feature], given: Stream
) -> Callable[[Callable[[Subject, Any], None]], Test]:
    """Make a pytest function of a law.

    `clause` is the id of a clause of the document; `needs` are the steps and the features that an implementation must
    have for the law to apply (a law with a feature and no step is about `attention`; of a set of features, any one will
    do); `given` draws plans. The docstring is the law in one sentence. Raises KeyError for an unknown clause.
    """
    steps = tuple(need for need in needs if isinstance(need, Step)) or (Step.ATTENTION,)
    features = tuple(need for need in needs if isinstance(need, Feature))
    any_of = frozenset().union(*(need for need in needs if isinstance(need, frozenset)))

    def decorate(body: Callable[[Subject, Any], None]) -> Test:
        says = " ".join((body.__doc__ or "").split())
        the_law = Law(body.__name__, CLAUSES[clause], says, steps, features, any_of, given, body)

        def test(subject: Subject) -> None:
            raise RuntimeError(f"{subject} can be held against a law only by the pytest plugin of attention-tests")

        test.__name__, test.__doc__, test.__module__ = body.__name__, body.__doc__, body.__module__
        test.law = the_law  # type: ignore[attr-defined]
        return test

    return decorate
