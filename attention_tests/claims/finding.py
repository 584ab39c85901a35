"""Finding out what a bare callable answers: layout, dtypes, domain, features, combinations, and its dialect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations, product

import numpy as np

from attention_tests.claims.asking import LOSSES, Asking, Refusal
from attention_tests.claims.question import Array, Question, Weights, explains, near, option, pattern
from attention_tests.claims.sizes import RUNS, Learner
from attention_tests.declare.dialect import Alignment, Dialect, FullyMasked
from attention_tests.declare.domain import Sizes
from attention_tests.declare.features import Feature, Step
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from attention_tests.declare.signature import HIDING, OPTIONS
from attention_tests.execution.executor import Executor
from attention_tests.guards.warnings import unwarned

SIZES = (
    Sizes(2, 3, 1, 5, 5, 4, 4),
    Sizes(2, 2, 1, 16, 16, 16, 16),
    Sizes(1, 2, 1, 64, 64, 64, 64),
    Sizes(1, 1, 1, 64, 64, 64, 64),
    Sizes(1, 1, 1, 128, 128, 128, 128),
)
"""Sizes of plain calls, the first of which that is answered is the base of all others: kernels take some sizes only."""
HEADS_AND_GROUPS = ((8, 1), (16, 1), (32, 1), (1, 8), (2, 4), (4, 2), (8, 4), (4, 8))
OF_MODELS = tuple(
    Sizes(1, heads, group, 128, 128, width, width) for heads, group in HEADS_AND_GROUPS for width in (64, 128)
)
"""Sizes that are tried where none of the first is answered: kernels of one model take its numbers of heads only."""
DTYPES_OF_MODELS = ("float32", "bfloat16", "float16")


@dataclass
class Claims:
    """The declaration that a callable makes by answering, and its refusals."""

    implementation: Implementation
    refused: dict[str, Refusal] = field(default_factory=dict)
    """The refusals, by their kind."""
    unexplained: list[str] = field(default_factory=list)
    """The options, and rows that see no key, that are answered in no convention that is known."""


def found_out(given: Implementation, executor: Executor | None = None) -> Claims | None:
    """Ask a bare callable for everything once, and return the declaration that it makes by answering.

    None where it answers nothing that could be compared, in no dtype and no layout, and where it declares its own.
    """
    with unwarned():
        base = next(_bases(given, executor), None)
        return base and _Finder(*base).claims()


def _bases(given: Implementation, executor: Executor | None) -> Iterator[tuple[Asking, Sizes]]:
    """Yield layouts with a dtype and sizes that are answered: first those whose answer is right."""
    of_models = [dtype for dtype in DTYPES_OF_MODELS if dtype in given.dtypes]
    for dtypes, all_sizes in ((list(given.dtypes), SIZES), (of_models, OF_MODELS)):
        answered = []
        for dtype, layout, sizes in product(dtypes, given.layouts, all_sizes):
            asking = Asking(given, executor, replace(given.dialect, layout=layout), dtype)
            asked = sizes._replace(**{name: 1 for name, axis in RUNS.items() if not layout.has(axis)})
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
        if "float64" in dtypes and self._is_single():
            dtypes["float64"] = Precision.single()
        differentiates = Step.GRADIENT in self.given.steps and self.asking.answers_gradients(self.base)
        sizes = Learner(self.asking, self.base)
        domain = sizes.domain()
        self.supports = sizes.features | {
            feature for name, feature in OPTIONS.items() if feature in self.given.supports and self._takes(name)
        }
        self._find_windows()
        self._find_masks()
        self._find_alignment()
        self._find_fully_masked()
        self._find_row_of_no_keys()
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
        return Claims(found, self.asking.refused, self.asking.unexplained)

    def _is_single(self) -> bool:
        """Tell whether all weights of float64 arrays are numbers of float32, as those of a softmax in float32 are."""
        got = self._array(Weights(self.base), "float64")
        return got is not None and np.array_equal(got, got.astype(np.float32))

    def _takes(self, name: str) -> bool:
        if name == "return_lse":
            return self.asking.answers_with_lse(self.base)
        return self.asking.answers(name, self.base, option(name, self.base, self.asking.dialect))

    def _explained(self, what: str, questions: Iterable[Question], dialects: Iterable[Dialect]) -> None:
        """Take the dialect that explains every answer, if there is exactly one; else leave what is documented."""
        answers = [(question, self.asking.answer(question)) for question in questions]
        answered = [(question, got) for question, got in answers if not isinstance(got, str)]
        fitting = {one for one in dialects if all(explains(question, got, one) for question, got in answered)}
        if answered and len(fitting) == 1:
            self.asking.dialect = fitting.pop()
        elif answered and not fitting:
            self.asking.unexplained.append(what)

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
            self._explained("masks", [question], [replace(dialect, true_hides=hides) for hides in (False, True)])
            if Feature.BIAS in self.supports and self.given.masks_are_biases:
                self._find_masks_or_biases()

    def _find_masks_or_biases(self) -> None:
        """Find out whether a parameter for both takes masks alone, where numbers are true, or biases, where True is 1.

        What none of the two explains stays claimed.
        """
        seen, dialect = pattern(self.base), self.asking.dialect
        mask, bias = Question(self.base, {"mask": seen}), Question(self.base, option("bias", self.base, dialect))
        of_mask, of_bias = (self._array(question) for question in (mask, bias))
        if explains(mask, of_mask, dialect):
            hidden = Question(self.base, {"mask": ~seen})
            if not explains(bias, of_bias, dialect) and explains(hidden, of_bias, dialect):
                self._leave_out(Feature.BIAS, "numbers count as true or false")
        elif explains(bias, of_bias, dialect):
            weights = Weights(self.base, {"mask": seen})
            got = self._array(weights)
            if got is not None and near(got, weights.answers_with(seen)):
                self._leave_out(Feature.MASK, "True counts as 1, which is added to the scores")
                self.asking.unexplained = [what for what in self.asking.unexplained if what != "masks"]

    def _array(self, question: Question, dtype: str = "") -> Array | None:
        got = self.asking.answer(question, dtype)
        return None if isinstance(got, str) else got

    def _leave_out(self, feature: Feature, words: str) -> None:
        self.supports.discard(feature)
        self.asking.refused[feature] = Refusal(words)

    def _find_alignment(self) -> None:
        name = "causal" if Feature.CAUSAL in self.supports else "window"
        if OPTIONS[name] in self.supports and Feature.LENGTHS in self.supports:
            shorter = self.base._replace(queries=max(1, self.base.queries // 2))
            longer = self.base._replace(keys=2 * self.base.keys)
            dialect = self.asking.dialect
            questions = [Question(sizes, option(name, sizes, dialect)) for sizes in (shorter, longer)]
            self._explained(
                "causality where lengths differ", questions, [replace(dialect, alignment=one) for one in Alignment]
            )

    def _find_fully_masked(self) -> None:
        """Ask for a query that sees nothing: by a mask, else by a bias, else by causality."""
        seen, dialect = pattern(self.base), self.asking.dialect
        seen[..., 0, :] = False
        if Feature.MASK in self.supports:
            question = Question(self.base, {"mask": ~seen if dialect.true_hides else seen})
        elif Feature.BIAS in self.supports:
            question = Question(self.base, {"bias": np.where(seen, 0.0, -np.inf)})
        elif Feature.CAUSAL in self.supports and dialect.alignment is Alignment.BOTTOM_RIGHT:
            # Aligned bottom-right, the first queries see nothing where there are more of them than keys.
            question = Question(self.base._replace(keys=max(1, self.base.keys // 2)), {"causal": True})
        else:
            return
        self._explained(
            "a query that sees no key", [question], [replace(dialect, fully_masked=one) for one in FullyMasked]
        )

    def _find_row_of_no_keys(self) -> None:
        if {Feature.EMPTY, Feature.LENGTHS} <= self.supports:
            dialect = self.asking.dialect
            others = [one for one in (FullyMasked.ZEROS, FullyMasked.NAN) if one is not dialect.fully_masked]
            question = Question(self.base._replace(keys=0))
            self._explained(
                "a query where there are no keys",
                [question],
                [dialect, *(replace(dialect, no_keys=one) for one in others)],
            )

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
