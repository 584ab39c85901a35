"""Problems with NaN or ∞ in a query or a key: which rows it must show in, and which it must not reach."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np

from properties.drawing.problem import Problem
from reference import matrix

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
P = TypeVar("P", bound=Problem)


@dataclass(frozen=True)
class Spoilt(Generic[P]):
    """A problem, and the same one with NaN or ∞ in one component of one token of its query or its key.

    A score that is NaN or +∞ makes its whole row NaN in whatever order the formula is computed: ∞ - ∞, ∞ / ∞ and 0 · ∞
    are NaN. A score of -∞ may become a weight of zero or NaN, so that nothing is promised of a row in which it is all.
    """

    before: P
    problem: P
    name: str
    token: tuple[int, int, int]
    """The batch, the head and the position of the token that is spoilt."""

    @classmethod
    def of(cls, problem: P, name: str, number: float) -> Spoilt[P]:
        """Put a number into a random component of the first, the last or another token of a head."""
        array, random = getattr(problem, name).copy(), problem.random
        batch, head, middle, component = (int(random.integers(size)) for size in array.shape)
        position = int(random.choice((0, middle, array.shape[2] - 1)))
        array[batch, head, position, component] = number
        # Not rounded: numbers of the dtype stay, and no rounding knows NaN.
        return cls(problem, replace(problem, **{name: array}), name, (batch, head, position))

    @cached_property
    def reached(self) -> Array:
        """The rows that must be NaN, booleans (batch, heads, n_q): those that see a score of NaN or +∞."""
        key = self.problem.for_each_query_head(self.problem.key)
        scores = matrix.logits(self.problem.query, key, self.problem.scale, None, self.problem.softcap)
        return np.asarray((self.problem.seen & (np.isnan(scores) | np.isposinf(scores))).any(axis=-1))

    @cached_property
    def reached_keys(self) -> Array:
        """The keys that a row sees which must be NaN, booleans (batch, key heads, n_k)."""
        by_head = (self.reached[..., None] & self.problem.seen).any(axis=-2)
        batch, heads, length = self.problem.key.shape[:3]
        return np.asarray(by_head.reshape(batch, heads, -1, length).any(axis=2))

    @property
    def seen_by(self) -> Array:
        """The rows that see the key that is spoilt, booleans (batch, heads, n_q)."""
        return np.asarray(self.may_change & self.problem.seen[..., self.token[2]])

    @property
    def own_head(self) -> Array:
        """The key head of the token that is spoilt, booleans (batch, key heads, 1)."""
        batch, head, _ = self.token
        key_head = head // self.problem.group if self.name == "query" else head
        own = np.zeros((*self.problem.key.shape[:2], 1), bool)
        own[batch, key_head] = True
        return own

    @property
    def own_heads(self) -> Array:
        """The query heads that read the key head of the token, booleans (batch, heads, 1)."""
        return np.repeat(self.own_head, self.problem.group, axis=1)

    @property
    def may_change(self) -> Array:
        """The rows that it may reach, booleans (batch, heads, n_q): its own, or all of the heads that read the key."""
        rows = np.zeros(self.problem.query.shape[:3], bool)
        if self.name == "query":
            rows[self.token] = True
            return rows
        return np.asarray(rows | self.own_heads)
