"""The entries of an expectations file (docs/how-to/expectations.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from packaging.requirements import Requirement

from attention_tests.engine.plan_text import read
from attention_tests.engine.verdict import Verdict
from attention_tests.environment import processor

TO_BE_WRITTEN = "TODO: say why"
"""Stands for a reason until someone writes one."""


class BadExpectations(Exception):  # noqa: N818 - the word in the message
    """Sentences: which entries of an expectations file cannot be, and what to do."""


@dataclass(frozen=True, kw_only=True)
class KnownFailure:
    """One law that one implementation is known to break, and the problem on which it does.

    Without a counterexample any problem of the run will do: for what does not fail each time that it is called.
    """

    implementation: str
    dtypes: tuple[str, ...]
    law: str
    reason: str
    issue: str = ""
    """A link."""
    versions: str = ""
    """For which versions of a library it holds, as in `torch>=2.5,<2.14`."""
    processor: str = ""
    """What a processor must be able to do for it to hold, as in `amx_bf16`, in the words of /proc/cpuinfo."""
    verdict: Verdict = Verdict.FAIL
    counterexample: str = ""
    """The text of a plan."""

    @property
    def applies(self) -> bool:
        """Whether the installed version of the library, and the processor, are such as it is about."""
        if self.processor and self.processor not in processor.abilities():
            return False
        if not self.versions:
            return True
        library = Requirement(self.versions)
        try:
            return library.specifier.contains(version(library.name), prereleases=True)
        except PackageNotFoundError:
            return False

    @property
    def explanation(self) -> str:
        """The reason, with the link."""
        return f"{self.reason} ({self.issue})" if self.issue else self.reason


@dataclass(frozen=True, kw_only=True)
class PinnedProblem:
    """A problem that a law is tried on before any other, in every profile."""

    law: str
    plan: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """How many properties of each clause a run decides on one implementation, at each of some dtypes."""

    implementation: str
    dtypes: tuple[str, ...]
    properties: Mapping[str, int]


@dataclass(frozen=True)
class Expectations:
    """All entries of one file, or of several."""

    known_failures: tuple[KnownFailure, ...] = ()
    problems: tuple[PinnedProblem, ...] = ()
    decided: tuple[Decided, ...] = ()

    def __add__(self, other: Expectations) -> Expectations:
        return Expectations(
            self.known_failures + other.known_failures, self.problems + other.problems, self.decided + other.decided
        )

    def known(self, implementation: str, dtype: str, law: str) -> KnownFailure | None:
        """Return the entry about a law on an implementation at a dtype, if there is one that applies."""
        about = (
            one
            for one in self.known_failures
            if (one.implementation, one.law) == (implementation, law) and dtype in one.dtypes and one.applies
        )
        return next(about, None)

    def pinned(self, law: str) -> tuple[Any, ...]:
        """Return the plans that a law is tried on before any other."""
        return tuple(read(one.plan) for one in self.problems if one.law == law)
