"""A diagnosis: what an implementation computes in place of attention, in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Protocol

from attention_tests.engine.law import Law
from attention_tests.engine.profiles import Profile
from attention_tests.execution.subject import Subject
from attention_tests.targets.registry import REGISTRY

Matrix = tuple[tuple[float | None, ...], ...]
"""Weights, (n_q, n_k); None where one is no number."""


@dataclass(frozen=True)
class Weights:
    """The weights of one head for one problem, as they were expected and as they came back."""

    expected: Matrix
    got: Matrix


@dataclass(frozen=True)
class Diagnosis:
    """The cause of the failures of one implementation at some dtypes, as far as it is known."""

    implementation: str
    dtypes: tuple[str, ...]
    sentence: str
    names: tuple[str, ...] = ()
    """The names of the explanations that fit every answer; none where the sentence says only where it is wrong."""
    wrong: int = 0
    """The number of wrong answers that it explains: all that were looked at."""
    right: int = 0
    """The number of right answers that it does not contradict."""
    weights: Weights | None = None
    """An example, where the values do not matter and the weights can be seen."""

    def __str__(self) -> str:
        """Say what is computed instead, and on what grounds."""
        explains = f"explains all {self.wrong:,} wrong answers that were looked at"
        grounds = f"That {explains}, and contradicts none of {self.right:,} right ones."
        return f"{self.implementation} ({', '.join(self.dtypes)}): it {self.sentence}.\n{grounds}"


class Diagnose(Protocol):
    """Finds out what a subject computes in place of attention."""

    def __call__(self, subject: Subject, broken: Iterable[Broken], profile: Profile, /) -> Diagnosis | None:
        """Return what explains all answers, given what a subject breaks; None if nothing does."""


Broken = tuple[Law, Any]
"""A law that is broken, and a plan of a problem that breaks it."""


def diagnosed(subject: Subject, broken: Iterable[Broken], profile: Profile) -> Diagnosis | None:
    """Return what a subject computes in place of attention, as far as its answers tell."""
    diagnose: Diagnose = import_module(REGISTRY.explanations).diagnose
    return diagnose(subject, broken, profile)


def together(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Return the diagnoses of one implementation, those that say the same at several dtypes as one."""
    merged: dict[tuple[str, tuple[str, ...], str], Diagnosis] = {}
    for one in diagnoses:
        key = one.implementation, one.names, "" if one.names else one.sentence
        before = merged.get(key)
        merged[key] = one if before is None else _with_dtypes(before, one)
    return list(merged.values())


def _with_dtypes(first: Diagnosis, second: Diagnosis) -> Diagnosis:
    return replace(
        first,
        dtypes=(*first.dtypes, *second.dtypes),
        wrong=first.wrong + second.wrong,
        right=first.right + second.right,
    )
