"""A key/value cache of an implementation, as laws use it: float64 arrays in, float64 arrays out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from attention_tests.declare.features import Step
from attention_tests.execution.subject import Subject

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


class CacheSubject:
    """A cache of one implementation at one dtype, empty when it is made.

    Its methods take float64 arrays that are exact in the dtype. They raise `ImplementationRaised` if the
    implementation raised, and `WrongForm` if an answer has the wrong type or shape.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._cache = subject.open_cache()
        self._width = 0

    def append(self, key: Array, value: Array) -> tuple[Any, Any]:
        """Append tokens, (batch, key heads, n, d_k) and (batch, key heads, n, d_v).

        Returns the native arrays that the cache was given.
        """
        tokens = self._subject.give(key), self._subject.give(value)
        self._subject.call_cache(self._cache, "append", *tokens)
        self._width = value.shape[-1]
        return tokens

    def attend(self, query: Array) -> Callable[[], Array]:
        """Ask for the output (batch, heads, n_q, d_v) of queries (batch, heads, n_q, d_k) that attend to all tokens.

        Returns what reads it, at once or later.
        """
        answer = self._subject.call_cache(self._cache, "attend", self._subject.give(query))
        return partial(self._subject.take, answer, (*query.shape[:-1], self._width), Step.CACHE)
