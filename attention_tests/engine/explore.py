"""Exploring: Hypothesis runs a law on random problems until its share of the budget is spent or a problem breaks it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from typing import Any

from hypothesis import Phase
from hypothesis.errors import Flaky

from attention_tests.engine.budget import Budget
from attention_tests.engine.database import Drawer, Lossy
from attention_tests.engine.drawing import drive
from attention_tests.engine.law import Law
from attention_tests.engine.measurements import measuring
from attention_tests.engine.profiles import Profile
from attention_tests.engine.search import failure_on, refuted
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.execution.failures import Failure
from attention_tests.execution.subject import Subject
from attention_tests.guards.warnings import unwarned

PROBLEMS = "problems"
"""The measurement that says how many were tried."""


@dataclass
class Exploration:
    """The settings of exploring: time, first seed, problems in a round, and the place where finds are kept."""

    budget: Budget
    profile: Profile
    database: Lossy


class TimeIsOver(KeyboardInterrupt):
    """The share of a property is over: of what a user interrupts, Hypothesis shrinks nothing and keeps nothing."""


class Broken(Exception):  # noqa: N818 - the word of the report
    """A problem breaks the law: Hypothesis keeps it, and shrinks it."""


@unwarned()
def explore(law: Law, subject: Subject, exploration: Exploration) -> Outcome:
    """Hold `subject` against `law` for its share of the budget, and explain the problem that breaks it, if any.

    What the database has is replayed first. A problem is tried even where no time is left, so that no property passes
    on none; a call of the implementation is not cut, so that a share is exact to one problem.
    """
    search = _Search(law, subject, exploration)
    with measuring() as measured:
        search.go()
    measured[PROBLEMS] = search.tried
    if search.broken_by is None:
        return Outcome(Verdict.PASS, measured=measured)
    return replace(refuted(law, subject, search.broken_by, search.deadline, search.failure), measured=measured)


class _Search:
    """One law on one subject: how many problems were tried, and the smallest plan that broke it, with how it did."""

    def __init__(self, law: Law, subject: Subject, exploration: Exploration) -> None:
        self.law, self.subject, self.profile = law, subject, exploration.profile
        self.name = f"{law.name} {subject.implementation.name} {subject.dtype}"
        self.drawer = Drawer(exploration.database, self.name)
        self.deadline = exploration.budget.share_until()
        self.tried = 0
        self.broken_by: Any = None
        self.failure: Failure | None = None
        self.kind: type[Exception] = Exception

    def go(self) -> None:
        """Let Hypothesis search in rounds: what it remembers of a round is forgotten, and what others found is seen."""
        phases = (Phase.reuse, Phase.generate, Phase.shrink)
        for number in count():
            # Each property has problems of its own, which are the same whichever worker draws them.
            seed = Random(f"{self.profile.seed} {number} {self.name}").getrandbits(64)  # noqa: S311 - no secret
            try:
                drive(self.law.given.strategy, replace(self.profile, seed=seed), phases, self.examine, self.drawer)
            except (TimeIsOver, Broken, Flaky):
                return

    def examine(self, drawn: Any) -> None:
        """Raise Broken where the law is broken in the way that it first was, and TimeIsOver when it is."""
        if self.tried and time.monotonic() >= self.deadline:
            raise TimeIsOver
        self.tried += 1
        plan = self.law.given.narrow(drawn)
        failure = failure_on(self.law, self.subject, plan)
        if isinstance(failure, self.kind):
            self.kind = self.kind if self.broken_by else type(failure)
            self.broken_by, self.failure = plan, failure
            raise Broken
