"""The document's steps in PyTorch, one function each, and the whole that they compose to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from implementations.torch.operators import to_native, to_numpy

if TYPE_CHECKING:
    from torch import Tensor


def project(x: Tensor, w: Tensor) -> Tensor:
    """Return the query, key or value of every token: (n, d_model), (d_model, d) → (n, d)."""
    return x @ w


def score(query: Tensor, key: Tensor) -> Tensor:
    """Return the dot product of every query with every key, (…, n_q, n_k)."""
    return query @ key.mT


def scale_scores(scores: Tensor, d_k: int) -> Tensor:
    """Return the scores divided by the square root of the width of the keys, (…, n_q, n_k)."""
    return scores / math.sqrt(d_k)


def softmax(scores: Tensor) -> Tensor:
    """Return the weight of every key for every query, (…, n_q, n_k)."""
    return torch.softmax(scores, dim=-1)


def weigh(weights: Tensor, value: Tensor) -> Tensor:
    """Return every value vector multiplied by its weight, (…, n_q, n_k, d_v)."""
    return weights[..., None] * value[..., None, :, :]


def sum_words(weighted: Tensor) -> Tensor:
    """Return the sum of the weighted values over the keys, (…, n_q, d_v)."""
    return weighted.sum(dim=-2)


def attention(query: Tensor, key: Tensor, value: Tensor, *, scale: float | None = None) -> Tensor:
    """Return the output of every query, (…, n_q, d_v)."""
    scores = score(query, key)
    scaled = scale_scores(scores, key.shape[-1]) if scale is None else scores * scale
    return sum_words(weigh(softmax(scaled), value))


def self_attention(x: Tensor, w_query: Tensor, w_key: Tensor, w_value: Tensor) -> Tensor:
    """Return the output of every token of a sentence: (n, d_model), matrices (d_model, d) → (n, d_v)."""
    return attention(project(x, w_query), project(x, w_key), project(x, w_value))


STEPS = Implementation(
    name="torch-steps",
    attention=attention,
    self_attention=self_attention,
    project=project,
    score=score,
    scale=scale_scores,
    softmax=softmax,
    weigh=weigh,
    sum=sum_words,
    supports=frozenset({Feature.SCALE, Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS, Feature.THREADS}),
    # Every step stores its result, the weighted values too, so bfloat16 promises no more than bfloat16 throughout.
    # No float16: a score beyond 65504 would be infinite before it is scaled.
    dtypes={
        "float64": Precision.float64(),
        "float32": Precision.float32(),
        "bfloat16": Precision.pure("bfloat16"),
    },
    to_native=to_native,
    to_numpy=to_numpy,
)
