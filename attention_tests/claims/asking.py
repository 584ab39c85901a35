"""Asking a bare callable: what it answers, what it refuses and in which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

import numpy as np

from attention_tests.claims.question import Question
from attention_tests.declare.dialect import Dialect
from attention_tests.declare.domain import Sizes
from attention_tests.declare.implementation import Implementation
from attention_tests.execution.executor import Executor
from attention_tests.execution.failures import FAILURES, ImplementationRaised, NotAsked, Refused
from attention_tests.execution.subject import Subject

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
T = TypeVar("T")

LOSSES = 3
"""The number of processes that a callable may crash or hang, before it is left to the laws to ask it."""


@dataclass
class Refusal:
    """The calls of one kind that a bare callable refused."""

    words: str
    """The first exception, in words."""
    of: list[str] = field(default_factory=list)
    """All that it refused, such as sizes, where there are several of the kind."""


@dataclass
class Asking:
    """One bare callable, in one layout and dtype, with the words of what it refused."""

    given: Implementation
    executor: Executor | None
    dialect: Dialect
    dtype: str
    refused: dict[str, Refusal] = field(default_factory=dict)
    """The refusals, by their kind."""
    unexplained: list[str] = field(default_factory=list)
    """The options, and rows that see no key, that are answered in no convention that is known."""

    def answer(self, question: Question, dtype: str = "") -> Array | str | None:
        """Return the answer to a question, the words in which it was refused, or None for an answer that is none.

        Masks are given as they are.
        """
        arrays = question.query, question.key, question.value
        return self._asked(lambda subject: subject.attention(*arrays, **question.options), dtype)

    @property
    def losses(self) -> int:
        """The number of processes that were lost to it."""
        return self.executor.losses if self.executor else 0

    def answers(
        self, kind: str, sizes: Sizes, options: dict[str, Any] | None = None, *, one: str = "", dtype: str = ""
    ) -> bool:
        """Tell whether a call is answered, rightly or not, and note a refusal: `one` of its kind."""
        return self._claims(kind, self.answer(Question(sizes, options or {}), dtype), one)

    def answers_with_lse(self, sizes: Sizes) -> bool:
        """Tell whether a call that wants the log-sum-exp, too, is answered."""
        question = Question(sizes)
        arrays = question.query, question.key, question.value
        return self._claims("return_lse", self._asked(lambda subject: subject.attention_and_lse(*arrays)))

    def answers_gradients(self, sizes: Sizes) -> bool:
        """Tell whether a call for the gradients is answered."""
        question = Question(sizes)
        arrays = question.query, question.key, question.value, np.ones((*question.rows, sizes.d_v))
        return self._claims("gradients", self._asked(lambda subject: subject.gradient(*arrays)))

    def _asked(self, call: Callable[[Subject], T], dtype: str = "") -> T | str | None:
        if self.losses >= LOSSES:
            return None
        try:
            return call(self._subject(dtype or self.dtype))
        except Refused as refusal:
            return refusal.words
        except NotAsked as refusal:
            # There is no such call in its layout.
            return str(refusal)
        except ImplementationRaised as refusal:
            # What makes its arrays raised: it has no such dtype.
            return refusal.sentence
        except FAILURES:
            # An answer of another form is no refusal, nor is a crash: the laws say what is wrong with it.
            return None

    def _claims(self, kind: str, got: object, one: str = "") -> bool:
        """Tell whether what was got is no refusal, and note it if it is."""
        if isinstance(got, str):
            refusal = self.refused.setdefault(kind, Refusal(got))
            refusal.of += [one] if one else []
        return not isinstance(got, str)

    def _subject(self, dtype: str) -> Subject:
        given = replace(self.given, dialect=replace(self.dialect, true_hides=False), refuses=True)
        return Subject(given, dtype, self.executor)
