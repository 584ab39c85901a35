"""Calls that an implementation does not declare, and answers all the same, and wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product
from typing import Any

from attention_tests.claims.asking import Asking
from attention_tests.claims.finding import SIZES
from attention_tests.claims.question import Question, explains, option
from attention_tests.declare.dialect import Alignment, Dialect, FullyMasked
from attention_tests.declare.domain import Sizes
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.signature import HIDING, OPTIONS
from attention_tests.execution.executor import Executor
from attention_tests.guards.warnings import unwarned

Asked = tuple[Feature, str, Question]
"""A feature, what is asked for in words, and the question."""


def undeclared(implementation: Implementation, executor: Executor | None = None) -> list[str]:
    """Return a sentence for each feature that is not declared, and that a call with it is answered wrongly.

    Nothing is asked of what is compiled for each shape, or has no `attention`.
    """
    if implementation.attention is None or implementation.compiled:
        return []
    told: dict[Feature, str] = {}
    with unwarned():
        asking = Asking(implementation, executor, implementation.dialect, next(iter(implementation.dtypes)))
        sizes = (one.fitted(implementation.features) for one in SIZES)
        base = next((one for one in sizes if not isinstance(asking.answer(Question(one)), str)), None)
        for feature, what, question in _questions(base, implementation) if base else ():
            got = asking.answer(question)
            if not isinstance(got, str) and not any(explains(question, got, one) for one in DIALECTS):
                told.setdefault(feature, what)
    return [
        f"{implementation.name} does not declare `{feature}`, and answers a call with {what}, wrongly: let it "
        f"raise, or declare Feature.{feature.name} to see how"
        for feature, what in told.items()
    ]


DIALECTS = [
    Dialect(true_hides=hides, alignment=alignment, fully_masked=nothing)
    for hides, alignment, nothing in product((False, True), Alignment, FullyMasked)
]


def _questions(base: Sizes, implementation: Implementation) -> Iterator[Asked]:
    lacks = {*Feature} - implementation.features
    for feature, what, sizes in _of_other_sizes(base):
        if feature in lacks and sizes != base and implementation.domain.holds(sizes):
            yield feature, what, Question(sizes)
    options = {name: option(name, base, replace(implementation.dialect, causal_windows=False)) for name in ASKED}
    for name, given in options.items():
        if OPTIONS[name] in lacks:
            yield OPTIONS[name], f"`{name}`", Question(base, given)
    if Feature.COMBINED_MASKS in lacks:
        hiding = [name for name in ASKED if name in HIDING and OPTIONS[name] not in lacks]
        for one, other in combinations(hiding, 2):
            both: dict[str, Any] = options[one] | options[other]
            yield Feature.COMBINED_MASKS, f"`{one}` and `{other}`", Question(base, both)


ASKED = ("scale", "mask", "bias", "causal", "window")
"""The options whose answers tell which key was read."""


def _of_other_sizes(base: Sizes) -> Iterator[tuple[Feature, str, Sizes]]:
    yield Feature.HEADS, "2 batches and 2 heads", base._replace(batch=2, heads=2)
    yield Feature.HEADS, "2 heads", base._replace(heads=2)
    yield Feature.GROUPED_HEADS, "2 query heads for each key head", base._replace(heads=max(2, base.heads), group=2)
    yield Feature.LENGTHS, "fewer queries than keys", base._replace(queries=max(1, base.queries // 2))
    yield Feature.LENGTHS, "fewer keys than queries", base._replace(keys=max(1, base.keys // 2))
    yield Feature.VALUE_WIDTH, "values narrower than keys", base._replace(d_v=max(1, base.d_v // 2))
