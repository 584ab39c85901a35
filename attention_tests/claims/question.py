"""Questions whose answers tell which key was read: every query asks for the last key that it sees."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from attention_tests.declare.dialect import Alignment, Dialect, FullyMasked
from attention_tests.declare.domain import Sizes

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

NAMES = 251
"""Values are below this, so that all formats have them."""
LARGEST_SCORE = 2.0**15
"""Scores are below this before they are scaled, so that float16 has them."""


@dataclass(frozen=True)
class Question:
    """One call: its sizes and its options, a mask or a bias of (batch, query heads, n_q, n_k) among them."""

    sizes: Sizes
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[int, int, int]:
        """The shape (batch, query heads, n_q) of the queries."""
        batch, heads, group, queries, *_ = self.sizes
        return batch, heads * group, queries

    @property
    def query(self) -> Array:
        """Queries (batch, query heads, n_q, d_k) that look at the first component of a key."""
        query = np.zeros((*self.rows, self.sizes.d_k))
        query[..., :1] = 1
        return query

    @property
    def key(self) -> Array:
        """Keys (batch, key heads, n_k, d_k), each of a higher score than all before it."""
        batch, heads, _, _, keys, d_k, _ = self.sizes
        key = np.zeros((batch, heads, keys, d_k))
        step = 2.0 ** np.floor(np.log2(LARGEST_SCORE / max(1, keys - 1)))
        key[..., :1] = step * np.arange(keys)[:, None]
        return key

    @property
    def value(self) -> Array:
        """Values (batch, key heads, n_k, d_v): whole numbers that tell key, head and batch."""
        batch, heads, _, _, keys, _, d_v = self.sizes
        names = np.arange(batch * heads * keys).reshape(batch, heads, keys, 1)
        return (7.0 * names + 3 * np.arange(d_v)) % NAMES + 1

    def expected(self, dialect: Dialect) -> Array:
        """Return the answer (batch, query heads, n_q, d_v) of a right callable of this dialect."""
        d_v = self.sizes.d_v
        value = np.repeat(self.value, self.sizes.group, axis=1)
        seen = self._seen(dialect)
        if not self.sizes.keys:
            # In place of none there is one that no query sees.
            value, seen = np.zeros((*value.shape[:2], 1, d_v)), np.zeros((*self.rows, 1), bool)
        last = self.sizes.keys - 1 - seen[..., ::-1].argmax(-1)
        answer = np.take_along_axis(value, last[..., None], axis=-2)
        nothing = {
            FullyMasked.ZEROS: np.zeros_like(value[..., :1, :]),
            FullyMasked.NAN: np.full_like(value[..., :1, :], np.nan),
            FullyMasked.MEAN: value.mean(axis=-2, keepdims=True),
        }[dialect.unseen_row(self.sizes.keys)]
        return np.where(seen.any(-1, keepdims=True), answer, np.broadcast_to(nothing, (*self.rows, d_v)))

    def _seen(self, dialect: Dialect) -> Array:
        keys, queries = self.sizes.keys, self.sizes.queries
        seen = np.ones((*self.rows, keys), bool)
        if "mask" in self.options:
            seen &= ~self.options["mask"] if dialect.true_hides else self.options["mask"]
        if "bias" in self.options:
            seen &= ~np.isneginf(self.options["bias"])
        moved = keys - queries if dialect.alignment is Alignment.BOTTOM_RIGHT else 0
        ahead = np.arange(keys) - np.arange(queries)[:, None] - moved
        if self.options.get("causal"):
            seen &= ahead <= 0
        if "window" in self.options:
            seen &= np.abs(ahead) < self.options["window"]
        return seen


@dataclass(frozen=True)
class Weights(Question):
    """A call whose outputs are the weights of the first keys, as many as values have columns."""

    @property
    def query(self) -> Array:
        """Queries (batch, query heads, n_q, d_k) of no round numbers."""
        return np.sin(np.arange(math.prod(self.rows) * self.sizes.d_k)).reshape(*self.rows, self.sizes.d_k)

    @property
    def key(self) -> Array:
        """Keys (batch, key heads, n_k, d_k) of no round numbers."""
        batch, heads, _, _, keys, d_k, _ = self.sizes
        return np.cos(np.arange(batch * heads * keys * d_k)).reshape(batch, heads, keys, d_k)

    @property
    def value(self) -> Array:
        """Values (batch, key heads, n_k, d_v) that are 1 in one column and 0 in the others."""
        batch, heads, _, _, keys, _, d_v = self.sizes
        return np.broadcast_to(np.eye(keys, d_v), (batch, heads, keys, d_v)).copy()

    def answers_with(self, added: Array) -> Array:
        """Return the answer where this is added to the scaled scores (batch, query heads, n_q, n_k)."""
        key, value = (np.repeat(array, self.sizes.group, axis=1) for array in (self.key, self.value))
        weights = np.exp(self.query @ key.swapaxes(-1, -2) / math.sqrt(self.sizes.d_k) + added)
        answer: Array = weights / weights.sum(axis=-1, keepdims=True) @ value
        return answer


def explains(question: Question, got: Array | None, dialect: Dialect) -> bool:
    """Tell whether a right callable of this dialect would answer so: no two whole numbers are so near."""
    if got is None:
        return False
    return near(got, question.expected(dialect))


def near(got: Array, expected: Array) -> bool:
    """Tell whether an answer is the expected one in any arithmetic."""
    close = np.abs(got - expected) <= 2.0**-7 * np.abs(expected)
    return bool((close | (np.isnan(got) & np.isnan(expected))).all())


def pattern(sizes: Sizes) -> Array:
    """Return a mask (batch, query heads, n_q, n_k) in which every query sees a key, and few see the last."""
    batch, heads, group, queries, keys, _, _ = sizes
    seen: Array = np.broadcast_to(
        (np.arange(keys) + np.arange(queries)[:, None]) % 3 != 0, (batch, heads * group, queries, keys)
    ).copy()
    seen[..., 0] |= ~seen.any(-1)
    return seen


def option(name: str, sizes: Sizes, dialect: Dialect) -> dict[str, Any]:
    """Return an option that changes who sees whom, or that changes nothing of what is looked for."""
    seen = pattern(sizes)
    options: dict[str, dict[str, Any]] = {
        "scale": {"scale": 0.5},
        "mask": {"mask": seen},
        "bias": {"bias": np.where(seen, 0.0, -np.inf)},
        "causal": {"causal": True},
        "window": {"window": 2} | ({"causal": True} if dialect.causal_windows else {}),
        "softcap": {"softcap": 30.0},
        "dropout": {"dropout": 0.0},
    }
    return options[name]
