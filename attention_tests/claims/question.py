"""Questions whose answers tell which key was read: every query asks for the last key that it sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from attention_tests.declare.dialect import Alignment, Dialect, FullyMasked

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

NAMES = 251
"""Values are below this, so that all formats have them."""
LARGEST_SCORE = 2.0**15
"""Scores are below this before they are scaled, so that float16 has them."""


class Sizes(NamedTuple):
    """The sizes of one call."""

    batch: int
    heads: int
    key_heads: int
    n_q: int
    n_k: int
    d_k: int
    d_v: int


@dataclass(frozen=True)
class Question:
    """One call: its sizes and its options, a mask or a bias of (batch, heads, n_q, n_k) among them."""

    sizes: Sizes
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def query(self) -> Array:
        """Queries (batch, heads, n_q, d_k) that look at the first component of a key."""
        batch, heads, _, n_q, _, d_k, _ = self.sizes
        query = np.zeros((batch, heads, n_q, d_k))
        query[..., :1] = 1
        return query

    @property
    def key(self) -> Array:
        """Keys (batch, key_heads, n_k, d_k), each of a higher score than all before it."""
        batch, _, key_heads, _, n_k, d_k, _ = self.sizes
        key = np.zeros((batch, key_heads, n_k, d_k))
        step = 2.0 ** np.floor(np.log2(LARGEST_SCORE / max(1, n_k - 1)))
        key[..., :1] = step * np.arange(n_k)[:, None]
        return key

    @property
    def value(self) -> Array:
        """Values (batch, key_heads, n_k, d_v): whole numbers that tell key, head and batch."""
        batch, _, key_heads, _, n_k, _, d_v = self.sizes
        names = np.arange(batch * key_heads * n_k).reshape(batch, key_heads, n_k, 1)
        return (7.0 * names + 3 * np.arange(d_v)) % NAMES + 1

    def expected(self, dialect: Dialect) -> Array:
        """Return the answer (batch, heads, n_q, d_v) of a right callable of this dialect."""
        batch, heads, key_heads, n_q, n_k, _, d_v = self.sizes
        value = np.repeat(self.value, heads // key_heads, axis=1)
        seen = self._seen(dialect)
        last = n_k - 1 - seen[..., ::-1].argmax(-1)
        answer = np.take_along_axis(value, last[..., None], axis=-2)
        nothing = {
            FullyMasked.ZEROS: np.zeros((batch, heads, 1, d_v)),
            FullyMasked.NAN: np.full((batch, heads, 1, d_v), np.nan),
            FullyMasked.MEAN: value.mean(axis=-2, keepdims=True),
        }[dialect.fully_masked]
        return np.where(seen.any(-1, keepdims=True), answer, np.broadcast_to(nothing, (batch, heads, n_q, d_v)))

    def _seen(self, dialect: Dialect) -> Array:
        batch, heads, _, n_q, n_k, _, _ = self.sizes
        seen = np.ones((batch, heads, n_q, n_k), bool)
        if "mask" in self.options:
            seen &= ~self.options["mask"] if dialect.true_hides else self.options["mask"]
        if "bias" in self.options:
            seen &= ~np.isneginf(self.options["bias"])
        moved = n_k - n_q if dialect.alignment is Alignment.BOTTOM_RIGHT else 0
        ahead = np.arange(n_k) - np.arange(n_q)[:, None] - moved
        if self.options.get("causal"):
            seen &= ahead <= 0
        if "window" in self.options:
            seen &= np.abs(ahead) < self.options["window"]
        return seen


def explains(question: Question, got: Array, dialect: Dialect) -> bool:
    """Tell whether a right callable of this dialect would answer so: no two whole numbers are so near."""
    expected = question.expected(dialect)
    near = np.abs(got - expected) <= 2.0**-7 * np.abs(expected)
    return bool((near | (np.isnan(got) & np.isnan(expected))).all())
