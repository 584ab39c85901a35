"""The document's steps in NumPy."""

from __future__ import annotations

import numpy as np

from attention_tests.declare.implementation import Array
from implementations.numpy.whole import quietly
from implementations.steps import by_steps


@quietly
def softmax(scores: Array) -> Array:
    """Return the weight of every key for every query, (…, n_q, n_k)."""
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights: Array = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return weights


# No float16: a score beyond 65504 would be infinite before it is scaled, and that is no attention.
STEPS = by_steps("numpy-steps", softmax)
