"""The entries of an expectations file (docs/how-to/expectations.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

from attention_tests.declare.features import Feature, Step
from attention_tests.declare.implementation import Implementation
from attention_tests.engine.plan_text import read
from attention_tests.engine.verdict import Verdict
from attention_tests.environment import processor
from attention_tests.text.wording import unknown
from reference.bounds.formats import FORMATS

TO_BE_WRITTEN = "TODO: say why"
"""Stands for a reason until someone writes one."""
BROKEN = (Verdict.FAIL, Verdict.ERROR, Verdict.CRASH, Verdict.TIMEOUT)
"""The verdicts that a known failure can have."""


class BadExpectations(Exception):  # noqa: N818 - the word in the message
    """Sentences: which entries of an expectations file cannot be, and what to do."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file."""


class Finding(Entry, frozen=True, kw_only=True):
    """One reason for which laws are broken."""

    reason: str
    issue: str = ""
    """A link."""
    versions: str = ""
    """For which versions of a library it holds, as in `torch>=2.5,<2.14`."""
    processor: str = ""
    """An ability that a processor must have for it to hold, as in `amx_bf16`, in the words of /proc/cpuinfo."""
    verdict: str = Verdict.FAIL.value

    def __post_init__(self) -> None:
        assert_known("verdict", [self.verdict], BROKEN)
        with suppress(InvalidRequirement):
            if not self.versions or Requirement(self.versions).specifier:
                return
        raise ValueError(f'{self.versions!r} are no versions of a library: versions = "torch>=2.5,<2.14"')

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


class PinnedProblem(Entry, frozen=True, kw_only=True):
    """A problem that a law is tried on before any other, in every profile."""

    law: str
    plan: str
    note: str = ""


class Declaration(Entry, frozen=True, kw_only=True):
    """The declaration of an implementation when the file was written: it decides which laws must have a verdict."""

    dtypes: tuple[str, ...]
    steps: tuple[str, ...]
    features: tuple[str, ...]

    def __post_init__(self) -> None:
        assert_known("dtype", self.dtypes, FORMATS)
        assert_known("step", self.steps, Step)
        assert_known("feature", self.features, Feature)

    @classmethod
    def of(cls, implementation: Implementation) -> Self:
        """Write down what an implementation declares now."""
        return cls(
            dtypes=tuple(dtype for dtype in FORMATS if dtype in implementation.dtypes),
            steps=tuple(step.value for step in implementation.steps),
            features=tuple(feature.value for feature in Feature if feature in implementation.features),
        )


@dataclass(frozen=True, kw_only=True)
class KnownFailure:
    """One law that one implementation is known to break at one dtype, and the problem on which it does.

    Without a counterexample any problem of the run will do: for what does not fail each time that it is called.
    """

    finding: Finding
    law: str
    implementation: str
    dtype: str
    counterexample: str = ""
    """The text of a plan."""

    @property
    def key(self) -> tuple[str, str, str]:
        """The row that it is about, as `Row.key`: law, implementation and dtype."""
        return self.law, self.implementation, self.dtype


@dataclass(frozen=True)
class Expectations:
    """All entries of one file, or of several."""

    known_failures: tuple[KnownFailure, ...] = ()
    problems: tuple[PinnedProblem, ...] = ()
    declared: Mapping[str, Declaration] = field(default_factory=dict)
    """By the name of the implementation."""

    def __add__(self, other: Expectations) -> Expectations:
        return Expectations(
            self.known_failures + other.known_failures,
            self.problems + other.problems,
            {**self.declared, **other.declared},
        )

    def known(self, implementation: str, dtype: str, law: str) -> KnownFailure | None:
        """Return the entry about a law on an implementation at a dtype, if there is one that applies."""
        about = (
            one
            for one in self.known_failures
            if one.law == law and (one.implementation, one.dtype) == (implementation, dtype) and one.finding.applies
        )
        return next(about, None)

    def about(self, names: Collection[str]) -> Expectations:
        """Return what is about implementations of some names."""
        return Expectations(
            tuple(one for one in self.known_failures if one.implementation in names),
            declared={name: one for name, one in self.declared.items() if name in names},
        )

    def pinned(self, law: str) -> tuple[Any, ...]:
        """Return the plans that a law is tried on before any other."""
        return tuple(read(one.plan) for one in self.problems if one.law == law)


def assert_known(kind: str, words: Iterable[str], known: Iterable[str]) -> None:
    """Raise ValueError with one sentence for the first of some words that is not known."""
    known = list(known)
    for word in words:
        if word not in known:
            raise ValueError(f"the {kind} {unknown(word, known)}")
