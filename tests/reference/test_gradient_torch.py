"""The gradients of PyTorch, eager and fused, are inside the bound of the arithmetic that it uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference.bounds import gradient_bound
from reference.bounds.formats import Array, round_to
from tests.reference.families import FAMILIES, Family, draw, random_bias, random_sizes

torch = pytest.importorskip("torch")

Tensor = Any


def eager(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    scores = query @ key.mT * query.shape[-1] ** -0.5
    return torch.softmax(scores if bias is None else scores + bias, -1) @ value


def composed(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    """Every step of the softmax is a step of its backward pass."""
    scores = query @ key.mT * query.shape[-1] ** -0.5
    scores = scores if bias is None else scores + bias
    exponentials = torch.exp(scores - scores.amax(-1, keepdim=True).detach())
    return exponentials / exponentials.sum(-1, keepdim=True) @ value


def fused(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    batch = [None if x is None else x[None, None] for x in (query, key, value, bias)]
    return torch.nn.functional.scaled_dot_product_attention(*batch)[0, 0]


IMPLEMENTATIONS = [
    (eager, "float64", Precision.float64()),
    (composed, "float64", Precision.float64()),
    (fused, "float64", Precision.float64()),
    (eager, "float32", Precision.float32()),
    (composed, "float32", Precision.float32()),
    (fused, "float32", Precision.float32()),
    (eager, "bfloat16", Precision.eager("bfloat16")),
    (fused, "bfloat16", Precision.flash("bfloat16")),
    (eager, "float16", Precision.eager("float16")),
    (fused, "float16", Precision.flash("float16")),
]


def gradients(
    attention: Callable[..., Tensor],
    inputs: tuple[Array, Array, Array],
    upstream: Array,
    bias: Array | None,
    dtype: str,
) -> list[Array]:
    native = getattr(torch, dtype)
    leaves = [torch.tensor(array, dtype=native, requires_grad=True) for array in inputs]
    output = attention(*leaves, None if bias is None else torch.tensor(bias, dtype=native))
    output.backward(torch.tensor(upstream, dtype=native))
    return [leaf.grad.double().numpy() for leaf in leaves]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
@pytest.mark.parametrize(
    ("attention", "dtype", "precision"), IMPLEMENTATIONS, ids=lambda x: getattr(x, "__name__", None) or str(x)[:8]
)
def test_the_gradients_of_torch_are_accepted(
    family: Family, attention: Callable[..., Tensor], dtype: str, precision: Precision
) -> None:
    rng = np.random.default_rng(1995)
    for same_widths in (True, False, False):
        n_q, n_k, d_k, d_v = random_sizes(rng)
        inputs = draw(family, rng, (n_q, n_k, d_k, d_k if same_widths else d_v), dtype)
        upstream = round_to(rng.standard_normal((n_q, inputs[2].shape[-1])), dtype)
        # Without a bias and with equal widths torch takes its flash kernel.
        bias = None if same_widths else random_bias(rng, n_q, n_k, dtype)
        expected = gradient_bound.gradient(*inputs, upstream, roundings_of(precision, dtype), bias=bias)
        for one, got in zip(expected, gradients(attention, inputs, upstream, bias, dtype), strict=True):
            assert one.accepts(got).all(), one.ratio(got).max()
