"""The state of one run: what is verified in it, how, and what could not be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from attention_tests.claims.finding import Claims, found_out
from attention_tests.claims.undeclared import undeclared
from attention_tests.claims.words import said
from attention_tests.declare.implementation import Implementation
from attention_tests.engine.explore import Exploration
from attention_tests.engine.profiles import Profile
from attention_tests.engine.row import Row
from attention_tests.execution.executor import Executor
from attention_tests.execution.isolation import Isolation
from attention_tests.execution.subject import Subject
from attention_tests.execution.subjects import at_its_dtypes, subjects_of, trial
from attention_tests.expectations.book import shipped
from attention_tests.expectations.entries import Expectations
from attention_tests.targets.field import FIELD, known, look_for
from attention_tests.targets.registry import REGISTRY
from attention_tests.text.wording import BadTarget


@dataclass
class Run:
    """The subjects of this run, and everything that decides about their verdicts."""

    profile: Profile
    subjects: list[Subject] = field(default_factory=list)
    unverifiable: dict[str, str] = field(default_factory=dict)
    """A sentence for each subject that gives no answer at all."""
    claims: dict[str, Claims] = field(default_factory=dict)
    """The claims of each bare callable, by its name."""
    undeclared: list[str] = field(default_factory=list)
    """A sentence for each feature that an implementation of a user's does not declare, and yet answers wrongly."""
    missing: list[str] = field(default_factory=list)
    """A sentence for each known implementation that cannot be imported."""
    decided: dict[tuple[str, str, str], Row] = field(default_factory=dict)
    """Rows of an earlier run that this one goes on with, by `Row.key`."""
    exploration: Exploration | None = None
    """The random search for problems; None: those of the profile are tried."""
    expectations: Expectations = field(default_factory=shipped)
    """Known failures, pinned problems, and the declarations that the coverage floor follows from."""
    deadline: float | None = None
    """The end of the budget, by the clock of `time.monotonic`; None: there is none."""

    shrinking: bool = True
    """Whether each failure is shrunk, and not only the one that is shown of each implementation."""
    device: str = "cpu"
    """The device of the implementations that are meant where none is named: with "cuda", those for a GPU."""
    isolation: Isolation = field(default_factory=Isolation)
    """The choice of implementations that run in a process of their own."""

    @property
    def implementations(self) -> dict[str, Implementation]:
        """The implementations that are verified, by name."""
        return {subject.implementation.name: subject.implementation for subject in self.subjects}

    @property
    def found_out(self) -> dict[str, list[str]]:
        """The claims of each bare callable, in words."""
        return {name: said(claims) for name, claims in self.claims.items()}

    def load_targets(self, targets: Iterable[str], dtypes: Iterable[str]) -> None:
        """Import what is to be verified: those of the gate that are installed, where no target is named.

        Raises pytest.UsageError where that makes no sense, or nothing of it answers.
        """
        executors: dict[str, Executor] = {}
        found: list[Implementation] = []
        only = tuple(dtypes)
        try:
            for one in (one for target in targets or [""] for one in self._found(target, executors)):
                if found:
                    executors[found[-1].name].rest()
                found.append(self._claimed(one, executors[one.name]))
                self._try(at_its_dtypes(found[-1], only, executors[one.name]))
            self.subjects = subjects_of(found, only, executors)
        except BadTarget as error:
            raise pytest.UsageError(str(error)) from None
        if len(self.unverifiable) == len(self.subjects):
            why = next(iter([*self.unverifiable.values(), *self.missing]))
            raise pytest.UsageError(f"nothing could be verified: {why}")

    def _claimed(self, given: Implementation, executor: Executor) -> Implementation:
        """Return what a bare callable claims by answering; what is declared stays as it is, and is said if it lacks."""
        if not given.layouts:
            if ":" in given.target:
                self.undeclared += undeclared(given, executor)
            return given
        claims = found_out(given, executor)
        if claims is None:
            return given
        self.claims[given.name] = claims
        return claims.implementation

    def _try(self, subjects: Iterable[Subject]) -> None:
        """Keep why a subject gives no answer at all; what a bare callable answers was found out."""
        untried = [subject for subject in subjects if subject.implementation.name not in self.claims]
        self.unverifiable |= {repr(subject): sentence for subject in untried if (sentence := trial(subject))}

    def _found(self, target: str, executors: dict[str, Executor]) -> Iterator[Implementation]:
        if self.device == "cuda" and target in ("", FIELD):
            return self._installed(REGISTRY.implementations.on_a_gpu(), self.isolation.of_all(), executors)
        if target == FIELD:
            return self._installed(known(), self.isolation.of_all(), executors)
        if not target:
            return self._installed(REGISTRY.implementations.gate(), self.isolation, executors)
        return iter([_bring(target, self.isolation, executors)])

    def _installed(
        self, names: Iterable[str], isolation: Isolation, executors: dict[str, Executor]
    ) -> Iterator[Implementation]:
        for name in names:
            try:
                look_for(name)
                yield _bring(name, isolation, executors)
            except BadTarget as error:
                self.missing.append(str(error))


def _bring(target: str, isolation: Isolation, executors: dict[str, Executor]) -> Implementation:
    implementation, executor = isolation.bring(target)
    executors[implementation.name] = executor
    return implementation


RUN = pytest.StashKey[Run]()
"""The place of the run in the configuration of pytest."""
