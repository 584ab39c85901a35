"""Diagnosing: asking what an implementation answers, and which explanation fits every answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from attention_tests.diagnosis.diagnosis import Diagnosis
from attention_tests.engine.law import Law
from attention_tests.engine.profiles import Profile
from attention_tests.execution.subject import Subject
from explanations.circumstances import in_common
from explanations.evidence import Evidence, evidence_of
from explanations.explanation import Explanation
from explanations.families import (
    addresses,
    arithmetic,
    axes,
    bands,
    biases,
    caps,
    conventions,
    denominators,
    extents,
    gradient_heads,
    gradient_parts,
    gradient_scale,
    gradient_terms,
    heads,
    hiding,
    online,
    positions,
    scale,
    sentences,
    softmax,
    sums,
    tails,
    unasked,
    visibility,
)
from explanations.fitting import allowing, fitting, fitting_sometimes, told_apart
from explanations.pairs import fitting_pairs
from explanations.picture import weights_of
from properties.drawing.by_size import PROBLEMS_BY_NUMBER_OF_KEYS, PROBLEMS_BY_NUMBER_OF_QUERIES, PROBLEMS_BY_WIDTH
from properties.drawing.covering_streams import (
    BACKWARD_ROWS,
    BACKWARD_ROWS_OF_SIGNED_SCALES,
    ROWS,
    ROWS_OF_SIGNED_SCALES,
)
from properties.drawing.streams import ANY_PROBLEM, ANY_SENTENCE

EXPLANATIONS: tuple[Explanation, ...] = (
    *scale.EXPLANATIONS,
    *visibility.EXPLANATIONS,
    *positions.EXPLANATIONS,
    *softmax.EXPLANATIONS,
    *denominators.EXPLANATIONS,
    *online.EXPLANATIONS,
    *biases.EXPLANATIONS,
    *caps.EXPLANATIONS,
    *hiding.EXPLANATIONS,
    *sums.EXPLANATIONS,
    *gradient_scale.EXPLANATIONS,
    *gradient_terms.EXPLANATIONS,
    *gradient_parts.EXPLANATIONS,
    *gradient_heads.EXPLANATIONS,
    *bands.EXPLANATIONS,
    *heads.EXPLANATIONS,
    *conventions.EXPLANATIONS,
    *sentences.EXPLANATIONS,
    *axes.EXPLANATIONS,
    *addresses.EXPLANATIONS,
    *unasked.EXPLANATIONS,
    *tails.EXPLANATIONS,
    *extents.EXPLANATIONS,
    *arithmetic.EXPLANATIONS,
)
PAIRED = (*scale.EXPLANATIONS, *visibility.EXPLANATIONS, *positions.EXPLANATIONS, *conventions.EXPLANATIONS)
"""The explanations that are tried in pairs: mistakes in the use of options, which are often made together."""
STREAMS = (
    ANY_PROBLEM,
    ROWS,
    ROWS_OF_SIGNED_SCALES,
    BACKWARD_ROWS,
    BACKWARD_ROWS_OF_SIGNED_SCALES,
    ANY_SENTENCE,
    PROBLEMS_BY_NUMBER_OF_KEYS,
    PROBLEMS_BY_NUMBER_OF_QUERIES,
    PROBLEMS_BY_WIDTH,
)
"""The streams whose problems are asked about: the last ones tell one size of a block from another."""
MOST_NAMED = 3
"""The number of explanations that are named where answers do not tell them apart: of more, none is."""


def diagnose(subject: Subject, broken: Iterable[tuple[Law, Any]], profile: Profile) -> Diagnosis | None:
    """Return what explains all answers of a subject, given the laws that it breaks and a plan for each."""
    evidence = evidence_of(subject, broken, STREAMS, profile)
    if not evidence.wrong:
        return None
    found = (
        fitting(EXPLANATIONS, evidence)
        or fitting_sometimes(EXPLANATIONS, evidence)
        or fitting_pairs(PAIRED, evidence)
        or _less_exact(evidence)
    )
    named = told_apart(found, evidence.wrong)
    if 0 < len(named) <= MOST_NAMED:
        return _diagnosis(subject, evidence, _said(named), [one.name for one in named])
    where = in_common(evidence)
    if where:
        return _diagnosis(subject, evidence, f"is wrong only with {where}", [])
    return None


def _less_exact(evidence: Evidence) -> list[Explanation]:
    """Return the strictest precision that explains every answer, of enough wrong ones."""
    return allowing(arithmetic.LESS_EXACT, evidence)[:1] if len(evidence.wrong) >= arithmetic.FEWEST else []


def _said(named: Sequence[Explanation]) -> str:
    if len(named) == 1:
        return named[0].says
    return f"does one of these, which no answer tells apart: {'; or it '.join(one.says for one in named)}"


def _diagnosis(subject: Subject, evidence: Evidence, sentence: str, names: Sequence[str]) -> Diagnosis:
    return Diagnosis(
        subject.implementation.name,
        (subject.dtype,),
        sentence,
        tuple(names),
        len(evidence.wrong),
        len(evidence.right),
        weights_of(subject, evidence.wrong),
    )
