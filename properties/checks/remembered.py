"""Results that are computed once for all laws, of problems that are small enough to keep."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, update_wrapper
from typing import Generic, ParamSpec, TypeVar

from attention_tests.engine.calls import NUMBERS
from attention_tests.execution.subject import Subject
from properties.drawing.problem import Input

P = ParamSpec("P")
T = TypeVar("T")

RESULTS = 4096
"""The number of results that are kept: of the problems at every dtype that all laws share, and of those of one law."""


class Remembered(Generic[P, T]):
    """A function of inputs and what goes with them, whose results for small inputs are kept."""

    def __init__(self, function: Callable[P, T]) -> None:
        self.__wrapped__ = function
        self.kept = lru_cache(maxsize=RESULTS)(function)
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result, the one that was kept if there is one; an answer is kept as long as its subject."""
        if sum(one.numbers for one in args if isinstance(one, Input)) > NUMBERS:
            return self.__wrapped__(*args, **kwargs)
        if isinstance(args[0], Subject):
            return args[0].keeping(self.__wrapped__, RESULTS)(*args, **kwargs)
        return self.kept(*args, **kwargs)  # type: ignore[arg-type]  # all arguments have a hash

    @property
    def computed(self) -> int:
        """The number of results that were computed, and kept."""
        return self.kept.cache_info().misses


def remembered(function: Callable[P, T]) -> Remembered[P, T]:
    """Keep the results of a function for small inputs."""
    return Remembered(function)
