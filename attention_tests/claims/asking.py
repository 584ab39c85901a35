"""Asking a bare callable: what it answers, what it refuses and in which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from attention_tests.claims.question import Question
from attention_tests.declare.dialect import Dialect
from attention_tests.declare.domain import Sizes
from attention_tests.declare.implementation import Implementation
from attention_tests.execution.executor import Executor
from attention_tests.execution.failures import FAILURES, ImplementationRaised, Refused
from attention_tests.execution.subject import Subject

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


LOSSES = 3
"""How often a process may be lost to a callable that crashes or hangs, before it is left to the laws to ask it."""


@dataclass
class Refusal:
    """What a bare callable refused of one kind."""

    words: str
    """What it raised first."""
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
    """What it refused, by its kind."""
    unexplained: list[str] = field(default_factory=list)
    """What it answers in no convention that is known."""

    def answer(self, question: Question, dtype: str = "") -> Array | str | None:
        """Return the answer to a question, the words in which it was refused, or None for an answer that is none.

        Masks are given as they are.
        """
        if self.losses >= LOSSES:
            return None
        subject = self._subject(dtype or self.dtype)
        try:
            return subject.attention(question.query, question.key, question.value, **question.options)
        except Refused as refusal:
            return refusal.words
        except ImplementationRaised as refusal:
            # What makes its arrays raised: it has no such dtype.
            return refusal.sentence
        except FAILURES:
            # An answer of another form is no refusal, nor is a crash: the laws say what is wrong with it.
            return None

    @property
    def losses(self) -> int:
        """How often its process was lost."""
        return self.executor.losses if self.executor else 0

    def answers(
        self, kind: str, sizes: Sizes, options: dict[str, Any] | None = None, *, one: str = "", dtype: str = ""
    ) -> bool:
        """Tell whether a call is answered, rightly or not, and note a refusal: `one` of its kind."""
        got = self.answer(Question(sizes, options or {}), dtype)
        if isinstance(got, str):
            self._refuse(kind, got, one)
        return not isinstance(got, str)

    def answers_with_lse(self, sizes: Sizes) -> bool:
        """Tell whether a call that wants the log-sum-exp, too, is answered."""
        question, subject = Question(sizes), self._subject(self.dtype)
        arrays = question.query, question.key, question.value
        return self._answers("return_lse", lambda: subject.attention_and_lse(*arrays))

    def answers_gradients(self, sizes: Sizes) -> bool:
        """Tell whether a call for the gradients is answered."""
        question, subject = Question(sizes), self._subject(self.dtype)
        arrays = question.query, question.key, question.value, np.ones((*question.rows, sizes.d_v))
        return self._answers("gradients", lambda: subject.gradient(*arrays))

    def _answers(self, kind: str, call: Callable[[], object]) -> bool:
        if self.losses >= LOSSES:
            return True
        try:
            call()
        except Refused as refusal:
            self._refuse(kind, refusal.words)
            return False
        except FAILURES:
            return True
        return True

    def _refuse(self, kind: str, words: str, one: str = "") -> None:
        refusal = self.refused.setdefault(kind, Refusal(words))
        refusal.of += [one] if one else []

    def _subject(self, dtype: str) -> Subject:
        given = replace(self.given, dialect=replace(self.dialect, true_hides=False), refuses=True)
        return Subject(given, dtype, self.executor)
