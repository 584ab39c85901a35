"""Correct implementations in a declared arithmetic: every operation is rounded to the format that it declares.

A product or sum of two numbers of at most 24 digits, done in float64 and rounded, is the one that hardware would give.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from attention_tests import Precision
from reference.bounds.formats import FORMATS, Array, round_to


@dataclass(frozen=True)
class Emulated:
    dtype: str
    precision: Precision
    backwards: bool = False
    """Sum from the last to the first."""
    exp_signs: int | None = None
    """Seed for making exp as wrong as it is allowed to be; None: as good as the format."""
    softcap: float | None = None

    def accumulated(self, x: Array) -> Array:
        return round_to(x, self.precision.accumulate)

    def stored(self, x: Array, storage: str | None) -> Array:
        return x if storage is None else round_to(x, storage)

    def answer(self, x: Array) -> Array:
        return round_to(x, self.dtype)

    def exp(self, x: Array) -> Array:
        exact = np.exp(self.accumulated(x))
        if self.exp_signs is None:
            return self.accumulated(exact)
        u = FORMATS[self.precision.accumulate].unit_roundoff
        allowed = 8 * u if self.precision.exp_error is None else self.precision.exp_error
        signs = np.random.default_rng(self.exp_signs).choice([-1.0, 1.0], exact.shape)
        return self.accumulated(exact * (1 + signs * max(0.0, 0.99 * allowed - 4 * u)))

    def sum(self, terms: Array) -> Array:
        """Sum over the last axis, one term after the other."""
        total = np.zeros(terms.shape[:-1])
        for j in sorted(range(terms.shape[-1]), reverse=self.backwards):
            total = self.accumulated(total + terms[..., j])
        return total

    def dot(self, x: Array, w: Array) -> Array:
        """Multiply (n, d) by (d, m)."""
        x, w = (self.stored(array, self.precision.inputs) for array in (x, w))
        return self.sum(self.accumulated(x[:, None, :] * w.T[None, :, :]))

    def project(self, x: Array, w: Array) -> Array:
        return self.answer(self.dot(x, w))

    def score(self, query: Array, key: Array) -> Array:
        return self.answer(self.stored(self.dot(query, key.T), self.precision.scores))

    def scale(self, scores: Array, d_k: int) -> Array:
        factor = self.accumulated(1 / self.accumulated(np.sqrt(np.float64(d_k))))
        return self.answer(self.stored(self.accumulated(scores * factor), self.precision.scores))

    def softmax(self, scores: Array) -> Array:
        exponentials = self.exp(scores - scores.max(-1, keepdims=True))
        weights = self.accumulated(exponentials / self.sum(exponentials)[:, None])
        return self.answer(self.stored(weights, self.precision.weights))

    def weigh(self, weights: Array, value: Array) -> Array:
        weights, value = (self.stored(array, self.precision.inputs) for array in (weights, value))
        return self.answer(self.accumulated(weights[:, :, None] * value))

    def sum_values(self, weighted: Array) -> Array:
        return self.answer(self.sum(self.stored(weighted.swapaxes(-1, -2), self.precision.inputs)))

    def logits(self, query: Array, key: Array, scale: float | None, bias: Array | None) -> Array:
        factor = self.accumulated(np.asarray(1 / np.sqrt(query.shape[1]) if scale is None else scale))
        scores = self.stored(self.dot(query, key.T), self.precision.scores)
        logits = self.stored(self.accumulated(scores * factor), self.precision.scores)
        if self.softcap is not None:
            quotient = self.stored(self.accumulated(logits / self.softcap), self.precision.scores)
            squeezed = self.stored(self.accumulated(np.tanh(quotient)), self.precision.scores)
            logits = self.stored(self.accumulated(self.softcap * squeezed), self.precision.scores)
        if bias is None:
            return logits
        return self.stored(self.accumulated(logits + bias), self.precision.scores)

    def attention(
        self, query: Array, key: Array, value: Array, scale: float | None = None, bias: Array | None = None
    ) -> Array:
        """All keys at once; the weights are divided before or after they meet the values, as declared."""
        logits = self.logits(query, key, scale, bias)
        weights = self.exp(logits - logits.max(-1, keepdims=True))
        total = self.sum(weights)[:, None]
        if self.precision.normalised:
            weights = self.stored(self.accumulated(weights / total), self.precision.weights)
            return self.answer(self.dot(weights, value))
        return self.answer(self.accumulated(self.dot(self.stored(weights, self.precision.weights), value) / total))

    def log_sum_exp(self, query: Array, key: Array, scale: float | None = None, bias: Array | None = None) -> Array:
        logits = self.logits(query, key, scale, bias)
        largest = logits.max(-1, keepdims=True)
        logarithm = self.accumulated(np.log(self.sum(self.exp(logits - largest))))
        return self.accumulated(largest[:, 0] + logarithm)

    def less_log_sum_exp(
        self, query: Array, key: Array, value: Array, scale: float | None = None, bias: Array | None = None
    ) -> Array:
        """The weights are exponentials of logits less their log-sum-exp, and divided by nothing."""
        weights = self.softmax_less_log_sum_exp(self.logits(query, key, scale, bias))
        return self.answer(self.dot(self.stored(weights, self.precision.weights), value))

    def softmax_less_log_sum_exp(self, logits: Array) -> Array:
        largest = logits.max(-1, keepdims=True)
        total = self.sum(self.exp(logits - largest))[:, None]
        logarithm = self.accumulated(largest + self.accumulated(np.log(total)))
        # Each by itself, so that a wrong exp is wrong in another way than above.
        return np.stack([self.exp(column) for column in (logits - logarithm).T], axis=-1)

    def divided_first(
        self, query: Array, key: Array, value: Array, scale: float | None = None, bias: Array | None = None
    ) -> Array:
        """The weights are divided by their sum before they meet the values, whatever is declared of stored ones."""
        logits = self.logits(query, key, scale, bias)
        weights = self.exp(logits - logits.max(-1, keepdims=True))
        weights = self.accumulated(weights / self.sum(weights)[:, None])
        return self.answer(self.dot(self.stored(weights, self.precision.weights), value))

    def online(
        self, query: Array, key: Array, value: Array, scale: float | None = None, bias: Array | None = None
    ) -> Array:
        """Block after block of keys; what has been summed is rescaled whenever a larger score turns up."""
        assert self.precision.block is not None
        logits = self.logits(query, key, scale, bias)
        largest = np.full((query.shape[0], 1), -np.inf)
        total, output = np.zeros_like(largest), np.zeros((query.shape[0], value.shape[1]))
        for start in range(0, key.shape[0], self.precision.block):
            block = slice(start, start + self.precision.block)
            larger = np.maximum(largest, logits[:, block].max(-1, keepdims=True))
            shift = np.where(np.isinf(larger), 0.0, larger)
            weights, rescale = self.exp(logits[:, block] - shift), self.exp(largest - shift)
            summed = self.accumulated(total * rescale)
            total = self.accumulated(summed + self.sum(weights)[:, None])
            weighted = self.dot(self.stored(weights, self.precision.weights), value[block])
            output = self.accumulated(self.accumulated(output * rescale) + weighted)
            largest = larger
        return self.answer(self.accumulated(output / total))

    def merged(
        self,
        operands: tuple[Array, Array, Array],
        scale: float | None = None,
        bias: Array | None = None,
        *,
        seed: int,
    ) -> tuple[Array, Array]:
        """Return output and log-sum-exp (n_q,) of parts of the keys, at random, that are merged in a random order.

        A part has whole blocks of keys, but for one which has the rest. They are merged at once if one merge is all.
        """
        assert self.precision.block is not None
        query, key, value = operands
        rng, n_keys = np.random.default_rng(seed), key.shape[0]
        cuts = [cut for cut in range(self.precision.block, n_keys, self.precision.block) if rng.random() < 0.7]
        logits = self.logits(query, key, scale, bias)
        parts = [self.part(logits[:, keys], value[keys]) for keys in np.split(rng.permutation(n_keys), cuts)]
        while len(parts) > 1:
            several = len(parts) if self.precision.merges == 1 else int(rng.integers(2, len(parts) + 1))
            parts = [*parts[several:], self.merge(parts[:several])]
        output, log_sum_exp = parts[0]
        return self.answer(output), log_sum_exp[:, 0]

    def part(self, logits: Array, value: Array) -> tuple[Array, Array]:
        """Return the output of some keys (n_q, d_v) and their log-sum-exp (n_q, 1), which is -∞ if all are hidden."""
        largest = logits.max(-1, keepdims=True)
        shift = np.where(np.isinf(largest), 0.0, largest)
        weights = self.exp(logits - shift)
        total = self.sum(weights)[:, None]
        divisor = np.where(total == 0, 1.0, total)
        log_sum_exp = self.accumulated(largest + self.accumulated(np.log(divisor)))
        if self.precision.normalised:
            weights = self.stored(self.accumulated(weights / divisor), self.precision.weights)
            return self.dot(weights, value), log_sum_exp
        output = self.dot(self.stored(weights, self.precision.weights), value)
        return self.accumulated(output / divisor), log_sum_exp

    def merge(self, parts: list[tuple[Array, Array]]) -> tuple[Array, Array]:
        """Merge outputs (n_q, d_v) by their log-sum-exps (n_q, 1)."""
        outputs, logs = np.stack([output for output, _ in parts]), np.concatenate([log for _, log in parts], -1)
        largest = logs.max(-1, keepdims=True)
        largest = np.where(np.isinf(largest), 0.0, largest)
        total = self.sum(self.exp(logs - largest))[:, None]
        log_sum_exp = self.accumulated(largest + self.accumulated(np.log(total)))
        shift = np.where(np.isinf(log_sum_exp), 0.0, log_sum_exp)
        # Each by itself, so that a wrong exp is wrong in another way than above.
        weights = np.stack([self.exp(log - shift) for _, log in parts])
        output = self.sum(self.accumulated(weights * outputs).transpose(1, 2, 0))
        return output, log_sum_exp

    def self_attention(self, x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:
        return self.attention(self.project(x, w_query), self.project(x, w_key), self.project(x, w_value))


Answer = Callable[..., Array]
