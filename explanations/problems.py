"""Other problems: with more keys hidden, or with more keys, as several families of mistakes make them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from properties.drawing.problem import Problem

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


def hiding(problem: Problem, seen: Array) -> Problem:
    """Return the problem with what is not seen, (…, n_q, n_k), hidden too."""
    seen = seen if problem.mask is None else problem.mask & seen
    return replace(problem, mask=np.broadcast_to(seen, (*(1, 1, *seen.shape)[-4:-2], *problem.logits_shape[2:])))


def with_more_keys(problem: Problem, key: Array, value: Array, bias: Array | None = None) -> Problem:
    """Return a problem with keys behind the last that all queries see, with the bias of others or none."""
    more = key.shape[-2]
    if not more:
        return problem
    seen = np.pad(problem.seen, [(0, 0)] * 3 + [(0, more)], constant_values=True)
    added = None
    if problem.bias is not None:
        given = np.broadcast_to(problem.bias, problem.logits_shape)
        added = np.concatenate([given, np.zeros((*given.shape[:-1], more)) if bias is None else bias], axis=-1)
    key = np.concatenate([problem.key, key], axis=-2)
    value = np.concatenate([problem.value, value], axis=-2)
    return replace(problem, key=key, value=value, mask=seen, bias=added, causal=False, window=None)
