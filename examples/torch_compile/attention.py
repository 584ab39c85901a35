"""Attention compiled by `torch.compile`: `RIGHT`, and `WRONG`, whose exponentials can overflow."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch._dynamo import config

from attention_tests import Feature, Implementation, Precision

config.recompile_limit = config.accumulated_recompile_limit = 1024
"""After so many kinds of calls PyTorch compiles no more. Its default is 8, and an axis of length one is a kind."""


def right(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, causal: bool = False) -> torch.Tensor:
    """Return softmax(Q Kᵀ / √d) V, of shape (batch, heads, queries, width of the values)."""
    scores = scores_of(query, key, causal=causal)
    weights = (scores - scores.amax(dim=-1, keepdim=True)).exp()
    return weights / weights.sum(dim=-1, keepdim=True) @ value


def wrong(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, causal: bool = False) -> torch.Tensor:
    """Return the same, as long as no score is large, or all are small."""
    scores = scores_of(query, key, causal=causal)
    weights = scores.exp()
    return weights / weights.sum(dim=-1, keepdim=True) @ value


def scores_of(query: torch.Tensor, key: torch.Tensor, *, causal: bool) -> torch.Tensor:
    """Return the scaled scores, -∞ where causality hides a key."""
    scores: torch.Tensor = query @ key.mT * query.shape[-1] ** -0.5
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, float("-inf"))
    return scores


def declared(name: str, function: Callable[..., torch.Tensor]) -> Implementation:
    """Declare a function as one that is compiled for each kind of call."""
    return Implementation(
        name=name,
        attention=torch.compile(function, dynamic=True, fullgraph=True),
        supports=frozenset({Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS, Feature.CAUSAL}),
        dtypes={"float32": Precision.float32()},
        compiled=True,
        to_native=lambda array, dtype: torch.tensor(array, dtype=getattr(torch, dtype)),
        to_numpy=lambda tensor: tensor.double().numpy(),
    )


RIGHT, WRONG = declared("right", right), declared("wrong", wrong)
