"""The gradients of PyTorch, eager and fused, are inside the bound of the arithmetic that it uses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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


def capped(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, cap: float) -> Tensor:
    """Autograd goes back through every step of the cap, each of which stores its result."""
    scores = cap * torch.tanh(query @ key.mT * query.shape[-1] ** -0.5 / cap)
    return torch.softmax(scores if bias is None else scores + bias, -1) @ value


def capped_by_exponentials(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, cap: float) -> Tensor:
    scores = cap * (2 * torch.sigmoid(2 / cap * (query @ key.mT * query.shape[-1] ** -0.5)) - 1)
    return torch.softmax(scores if bias is None else scores + bias, -1) @ value


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


CAPPED = [
    (capped, "float64", Precision.float64()),
    (capped_by_exponentials, "float64", Precision.float64()),
    (capped, "float32", Precision.float32()),
    (capped_by_exponentials, "float32", Precision.float32()),
    (capped, "bfloat16", Precision.eager("bfloat16")),
    (capped, "float16", Precision.eager("float16")),
]


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


@pytest.mark.parametrize("cap", [0.1, 1.0, 50.0])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
@pytest.mark.parametrize(
    ("attention", "dtype", "precision"), CAPPED, ids=lambda x: getattr(x, "__name__", None) or str(x)[:8]
)
def test_the_gradients_of_torch_through_a_soft_cap_are_accepted(
    family: Family, attention: Callable[..., Tensor], dtype: str, precision: Precision, cap: float
) -> None:
    rng = np.random.default_rng(1995)
    for _ in range(2):
        n_q, n_k, d_k, d_v = random_sizes(rng)
        inputs = draw(family, rng, (n_q, n_k, d_k, d_v), dtype)
        upstream, bias = round_to(rng.standard_normal((n_q, d_v)), dtype), random_bias(rng, n_q, n_k, dtype)
        expected = gradient_bound.gradient(*inputs, upstream, roundings_of(precision, dtype), bias=bias, softcap=cap)
        got = gradients(partial(attention, cap=cap), inputs, upstream, bias, dtype)
        for one, array in zip(expected, got, strict=True):
            assert one.accepts(array).all(), one.ratio(array).max()


@pytest.mark.parametrize("group", [2, 3])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_gradients_of_torch_with_grouped_heads_are_accepted(family: Family, dtype: str, group: int) -> None:
    rng = np.random.default_rng(2010)
    n_q, n_k, d_k, d_v = random_sizes(rng)
    query, key, value = draw(family, rng, (n_q * group, n_k, d_k, d_v), dtype)
    upstream = round_to(rng.standard_normal((n_q * group, d_v)), dtype)
    precision = Precision.float32() if dtype == "float32" else Precision.upcast()
    roundings = roundings_of(precision, dtype)
    expected = gradient_bound.gradient(query, key, value, upstream, roundings, group=group)

    def by_heads(query: Tensor, key: Tensor, value: Tensor, bias: None) -> Tensor:
        del bias
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            heads = query.reshape(1, group, n_q, d_k), key[None, None], value[None, None]
            output = torch.nn.functional.scaled_dot_product_attention(*heads, enable_gqa=True)
        return output.reshape(-1, d_v)

    for one, got in zip(expected, gradients(by_heads, (query, key, value), upstream, None, dtype), strict=True):
        assert one.accepts(got).all(), one.ratio(got).max()
