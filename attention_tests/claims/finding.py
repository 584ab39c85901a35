"""Finding out what a bare callable answers: layout, dtypes, features, combinations, and its dialect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from typing import Any, TypeAlias

import numpy as np

from attention_tests.claims.question import Question, Sizes, explains
from attention_tests.declare.dialect import Alignment, Dialect, FullyMasked, Layout
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.signature import HIDING, OPTIONS
from attention_tests.execution.executor import Executor
from attention_tests.execution.failures import FAILURES, ImplementationRaised
from attention_tests.execution.subject import Subject
from attention_tests.guards.warnings import unwarned

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

SIZES = (
    Sizes(2, 3, 3, 5, 5, 4, 4),
    Sizes(2, 2, 2, 16, 16, 16, 16),
    Sizes(1, 2, 2, 64, 64, 64, 64),
    Sizes(1, 1, 1, 128, 128, 128, 128),
)
"""Sizes of plain calls, the first of which that is answered is the base of all others: kernels take some sizes only."""

SHAPED: dict[Feature, tuple[dict[str, Any], ...]] = {
    Feature.LENGTHS: ({"n_q": 0.5}, {"n_k": 0.5}),
    Feature.VALUE_WIDTH: ({"d_v": 0.5}, {"d_v": 2.0}),
    Feature.HEADS: ({"batch": 2, "heads": 2, "key_heads": 2},),
    Feature.GROUPED_HEADS: ({"heads": 4, "key_heads": 2},),
    Feature.EMPTY: ({"batch": 0}, {"heads": 0, "key_heads": 0}, {"n_q": 0}, {"n_k": 0}, {"d_v": 0}),
}
"""The features of shapes, and what each changes in the base: whole numbers are sizes, fractions are parts of them."""


@dataclass
class Claims:
    """What a callable claims by answering, and what it refuses."""

    implementation: Implementation
    refused: dict[str, str] = field(default_factory=dict)
    """In which words it refused, by what it was asked for."""


def found_out(given: Implementation, executor: Executor | None = None) -> Claims:
    """Ask a bare callable for everything once, and return the declaration that it makes by answering.

    Where nothing is answered in any dtype and layout, the declaration is as it was given.
    """
    with unwarned():
        base = next(_bases(given, executor), None)
        return Claims(given) if base is None else _Finder(given, executor, *base).claims()


def _bases(given: Implementation, executor: Executor | None) -> Iterator[tuple[Dialect, str, Sizes]]:
    """Yield layouts with a dtype and sizes that are answered: first those whose answer is right."""
    answered = []
    for dtype, layout, sizes in product(given.dtypes, given.layouts, SIZES):
        if layout is Layout.LENGTH_WIDTH:
            sizes = sizes._replace(batch=1, heads=1, key_heads=1)  # noqa: PLW2901 - one head is all it has
        dialect, question = replace(given.dialect, layout=layout), Question(sizes)
        got = _answer(Subject(replace(given, dialect=dialect), dtype, executor), question)
        if not isinstance(got, str):
            if explains(question, got, dialect):
                yield dialect, dtype, sizes
            answered.append((dialect, dtype, sizes))
    yield from answered


def _answer(subject: Subject, question: Question) -> Array | str:
    """Return the answer to a question, or the words in which it was refused."""
    try:
        return subject.attention(question.query, question.key, question.value, **question.options)
    except ImplementationRaised as refusal:
        return refusal.sentence
    except FAILURES:
        # An answer of another form is one: the laws say what is wrong with it.
        return np.full((*question.query.shape[:-1], question.sizes.d_v), np.inf)


class _Finder:
    """Asks one callable, and notes what it answers."""

    def __init__(
        self, given: Implementation, executor: Executor | None, dialect: Dialect, dtype: str, base: Sizes
    ) -> None:
        self._given, self._executor, self._dtype, self._base = given, executor, dtype, base
        self._dialect = dialect
        self._refused: dict[str, str] = {}

    def claims(self) -> Claims:
        """Ask for everything."""
        dtypes = {
            dtype: met for dtype, met in self._given.dtypes.items() if self._answers(dtype, self._base, dtype=dtype)
        }
        supports = {feature for feature in SHAPED if self._takes_shapes(feature)}
        if self._base[:3] != (1, 1, 1):
            supports.add(Feature.HEADS)
        supports |= {
            feature for name, feature in OPTIONS.items() if feature in self._given.supports and self._takes(name)
        }
        self._find_masks(supports)
        self._find_alignment(supports)
        self._find_fully_masked(supports)
        if self._combines(supports):
            supports.add(Feature.COMBINED_MASKS)
        found = replace(self._given, supports=frozenset(supports), dtypes=dtypes, dialect=self._dialect, layouts=())
        return Claims(found, self._refused)

    def _ask(self, question: Question, dtype: str = "") -> Array | str:
        implementation = replace(self._given, dialect=replace(self._dialect, true_hides=False))
        return _answer(Subject(implementation, dtype or self._dtype, self._executor), question)

    def _answers(self, what: str, sizes: Sizes, options: dict[str, Any] | None = None, dtype: str = "") -> bool:
        got = self._ask(Question(sizes, options or {}), dtype)
        if isinstance(got, str):
            self._refused.setdefault(what, got)
        return not isinstance(got, str)

    def _takes_shapes(self, feature: Feature) -> bool:
        asked = [self._changed(changes) for changes in SHAPED[feature]]
        # All are asked, also where one is refused, so that each refusal is known.
        answered = [self._answers(f"{feature} {_described(sizes)}", sizes) for sizes in asked]
        return all(answered)

    def _changed(self, changes: dict[str, Any]) -> Sizes:
        sizes = self._base._asdict()
        for name, change in changes.items():
            sizes[name] = max(1, int(sizes[name] * change)) if isinstance(change, float) else change
        return Sizes(**sizes)

    def _takes(self, name: str) -> bool:
        if name == "return_lse":
            return self._returns_lse()
        return self._answers(name, self._base, self._option(name, self._base))

    def _returns_lse(self) -> bool:
        question = Question(self._base)
        subject = Subject(replace(self._given, dialect=self._dialect), self._dtype, self._executor)
        try:
            subject.attention_and_lse(question.query, question.key, question.value)
        except ImplementationRaised as refusal:
            self._refused["return_lse"] = refusal.sentence
            return False
        except FAILURES:
            return True
        return True

    def _option(self, name: str, sizes: Sizes) -> dict[str, Any]:
        """Return an option that changes who sees whom, or that changes nothing of what is looked for."""
        seen = _pattern(sizes)
        options: dict[str, dict[str, Any]] = {
            "scale": {"scale": 0.5},
            "mask": {"mask": seen},
            "bias": {"bias": np.where(seen, 0.0, -np.inf)},
            "causal": {"causal": True},
            "window": {"window": 2} | ({"causal": True} if self._dialect.causal_windows else {}),
            "softcap": {"softcap": 30.0},
            "dropout": {"dropout": 0.0},
        }
        return options[name]

    def _explained(self, questions: Iterable[Question], dialects: Iterable[Dialect]) -> None:
        """Take the dialect that explains every answer, if there is exactly one; else leave what is documented."""
        answers = [(question, self._ask(question)) for question in questions]
        answered = [(question, got) for question, got in answers if not isinstance(got, str)]
        fitting = [one for one in dialects if all(explains(question, got, one) for question, got in answered)]
        if answered and len(set(fitting)) == 1:
            self._dialect = fitting[0]

    def _find_masks(self, supports: set[Feature]) -> None:
        if Feature.MASK in supports:
            question = Question(self._base, {"mask": _pattern(self._base)})
            self._explained([question], [replace(self._dialect, true_hides=hides) for hides in (False, True)])

    def _find_alignment(self, supports: set[Feature]) -> None:
        name = "causal" if Feature.CAUSAL in supports else "window"
        if OPTIONS[name] in supports and Feature.LENGTHS in supports:
            sizes = self._changed({"n_q": 0.5})
            question = Question(sizes, self._option(name, sizes))
            self._explained([question], [replace(self._dialect, alignment=one) for one in Alignment])

    def _find_fully_masked(self, supports: set[Feature]) -> None:
        """Ask for a query that sees nothing: by a mask, else by a bias."""
        seen = _pattern(self._base)
        seen[..., 0, :] = False
        if Feature.MASK in supports:
            given = ~seen if self._dialect.true_hides else seen
            question = Question(self._base, {"mask": given})
        elif Feature.BIAS in supports:
            question = Question(self._base, {"bias": np.where(seen, 0.0, -np.inf)})
        else:
            return
        self._explained([question], [replace(self._dialect, fully_masked=one) for one in FullyMasked])

    def _combines(self, supports: set[Feature]) -> bool:
        names = [name for name in OPTIONS if name in HIDING and OPTIONS[name] in supports]
        pairs = list(combinations(names, 2))
        answered = [self._answers(" with ".join(pair), self._base, self._options(pair)) for pair in pairs]
        return bool(pairs) and all(answered)

    def _options(self, names: Sequence[str]) -> dict[str, Any]:
        options: dict[str, Any] = {}
        for name in names:
            options |= self._option(name, self._base)
        return options


def _pattern(sizes: Sizes) -> Array:
    """Return a mask (batch, heads, n_q, n_k) in which every query sees a key, and few see the last."""
    batch, heads, _, n_q, n_k, _, _ = sizes
    rows, keys = np.arange(n_q)[:, None], np.arange(n_k)
    seen: Array = np.broadcast_to((keys + rows) % 3 != 0, (batch, heads, n_q, n_k)).copy()
    seen[..., 0] |= ~seen.any(-1)
    return seen


def _described(sizes: Sizes) -> str:
    batch, heads, key_heads, n_q, n_k, d_k, d_v = sizes
    return f"(batch {batch}, heads {heads}, key heads {key_heads}, {n_q} queries, {n_k} keys, widths {d_k} and {d_v})"
