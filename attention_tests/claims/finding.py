"""Finding out what a bare callable answers: layout, dtypes, domain, features, combinations, and its dialect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations, product

import numpy as np

from attention_tests.claims.asking import LOSSES, Asking, Refusal
from attention_tests.claims.question import Question, explains, option, pattern
from attention_tests.claims.sizes import Learner
from attention_tests.declare.dialect import Alignment, Dialect, FullyMasked, Layout
from attention_tests.declare.domain import Sizes
from attention_tests.declare.features import Feature, Step
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.signature import HIDING, OPTIONS
from attention_tests.execution.executor import Executor
from attention_tests.guards.warnings import unwarned

HEADS, GROUPS, WIDTHS = (1, 2, 4, 8, 16), (1, 4, 8), (64, 128)
SIZES = (
    Sizes(2, 3, 1, 5, 5, 4, 4),
    Sizes(2, 2, 1, 16, 16, 16, 16),
    Sizes(1, 2, 1, 64, 64, 64, 64),
    Sizes(1, 1, 1, 64, 64, 64, 64),
    Sizes(1, 1, 1, 128, 128, 128, 128),
    *(Sizes(1, heads, group, 128, 128, width, width) for heads, group in product(HEADS, GROUPS) for width in WIDTHS),
)
"""Sizes of plain calls, the first of which that is answered is the base of all others: kernels take some sizes only."""


@dataclass
class Claims:
    """What a callable claims by answering, and what it refuses."""

    implementation: Implementation
    refused: dict[str, Refusal] = field(default_factory=dict)
    """What it refused, by its kind."""


def found_out(given: Implementation, executor: Executor | None = None) -> Claims | None:
    """Ask a bare callable for everything once, and return the declaration that it makes by answering.

    None where it answers nothing that could be compared, in no dtype and no layout.
    """
    with unwarned():
        base = next(_bases(given, executor), None)
        return base and _Finder(*base).claims()


def _bases(given: Implementation, executor: Executor | None) -> Iterator[tuple[Asking, Sizes]]:
    """Yield layouts with a dtype and sizes that are answered: first those whose answer is right."""
    answered = []
    for dtype, layout, sizes in product(given.dtypes, given.layouts, SIZES):
        asking = Asking(given, executor, replace(given.dialect, layout=layout), dtype)
        asked = sizes._replace(batch=1, heads=1) if layout is Layout.LENGTH_WIDTH else sizes
        got = asking.answer(Question(asked))
        if asking.losses >= LOSSES:
            return
        if got is not None and not isinstance(got, str):
            if explains(Question(asked), got, asking.dialect):
                yield asking, asked
            answered.append((asking, asked))
    yield from answered


class _Finder:
    """Asks one callable, and notes what it answers."""

    def __init__(self, asking: Asking, base: Sizes) -> None:
        self.asking, self.base, self.given = asking, base, asking.given
        self.supports: set[Feature] = set()

    def claims(self) -> Claims:
        """Ask for everything."""
        dtypes = {
            dtype: promised
            for dtype, promised in self.given.dtypes.items()
            if self.asking.answers("dtype", self.base, one=dtype, dtype=dtype)
        }
        differentiates = Step.GRADIENT in self.given.steps and self.asking.answers_gradients(self.base)
        sizes = Learner(self.asking, self.base, heads=self.asking.dialect.layout is not Layout.LENGTH_WIDTH)
        domain = sizes.domain()
        self.supports = sizes.features | {
            feature for name, feature in OPTIONS.items() if feature in self.given.supports and self._takes(name)
        }
        self._find_windows()
        self._find_masks()
        self._find_alignment()
        self._find_fully_masked()
        if self._combines():
            self.supports.add(Feature.COMBINED_MASKS)
        found = replace(
            self.given,
            supports=frozenset(self.supports),
            dtypes=dtypes,
            dialect=self.asking.dialect,
            domain=domain,
            layouts=(),
            refuses=True,
            gradient=self.given.gradient if differentiates else None,
        )
        return Claims(found, self.asking.refused)

    def _takes(self, name: str) -> bool:
        if name == "return_lse":
            return self.asking.answers_with_lse(self.base)
        return self.asking.answers(name, self.base, option(name, self.base, self.asking.dialect))

    def _explained(self, questions: Iterable[Question], dialects: Iterable[Dialect]) -> None:
        """Take the dialect that explains every answer, if there is exactly one; else leave what is documented."""
        answers = [(question, self.asking.answer(question)) for question in questions]
        answered = [(question, got) for question, got in answers if not isinstance(got, str)]
        fitting = {one for one in dialects if all(explains(question, got, one) for question, got in answered)}
        if answered and len(fitting) == 1:
            self.asking.dialect = fitting.pop()

    def _find_windows(self) -> None:
        """Find out whether a window is one of the most recent tokens, with causality or without a word of it."""
        alone, decoder = (Question(self.base, {"window": 2} | causal) for causal in ({}, {"causal": True}))
        if Feature.WINDOW not in self.given.supports or Feature.CAUSAL not in self.supports:
            return
        got, dialect = self.asking.answer(alone), self.asking.dialect
        if isinstance(got, str):
            most_recent = not isinstance(self.asking.answer(decoder), str)
            self.supports |= {Feature.WINDOW} if most_recent else set()
        else:
            most_recent = explains(decoder, got, dialect) and not explains(alone, got, dialect)
        self.asking.dialect = replace(dialect, causal_windows=most_recent)

    def _find_masks(self) -> None:
        if Feature.MASK in self.supports:
            question = Question(self.base, {"mask": pattern(self.base)})
            dialect = self.asking.dialect
            self._explained([question], [replace(dialect, true_hides=hides) for hides in (False, True)])

    def _find_alignment(self) -> None:
        name = "causal" if Feature.CAUSAL in self.supports else "window"
        if OPTIONS[name] in self.supports and Feature.LENGTHS in self.supports:
            shorter = self.base._replace(queries=max(1, self.base.queries // 2))
            longer = self.base._replace(keys=2 * self.base.keys)
            dialect = self.asking.dialect
            questions = [Question(sizes, option(name, sizes, dialect)) for sizes in (shorter, longer)]
            self._explained(questions, [replace(dialect, alignment=one) for one in Alignment])

    def _find_fully_masked(self) -> None:
        """Ask for a query that sees nothing: by a mask, else by a bias, by causality, or because there is no key."""
        seen, dialect = pattern(self.base), self.asking.dialect
        seen[..., 0, :] = False
        if Feature.MASK in self.supports:
            question = Question(self.base, {"mask": ~seen if dialect.true_hides else seen})
        elif Feature.BIAS in self.supports:
            question = Question(self.base, {"bias": np.where(seen, 0.0, -np.inf)})
        elif Feature.CAUSAL in self.supports and dialect.alignment is Alignment.BOTTOM_RIGHT:
            # Aligned bottom-right, the first queries see nothing where there are more of them than keys.
            question = Question(self.base._replace(keys=max(1, self.base.keys // 2)), {"causal": True})
        elif {Feature.EMPTY, Feature.LENGTHS} <= self.supports:
            question = Question(self.base._replace(keys=0))
        else:
            return
        self._explained([question], [replace(dialect, fully_masked=one) for one in FullyMasked])

    def _combines(self) -> bool:
        """Tell whether any two options that hide keys are answered together. What is refused, laws find out."""
        names = [name for name in OPTIONS if name in HIDING and OPTIONS[name] in self.supports]
        dialect = self.asking.dialect
        answered = [
            self.asking.answers(
                f"{one} with {other}",
                self.base,
                option(one, self.base, dialect) | option(other, self.base, dialect),
            )
            for one, other in combinations(names, 2)
        ]
        return any(answered)
