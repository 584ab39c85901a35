"""Fused attention in Triton: `right`, and `wrong`, which takes the rest of the last block for keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import triton
import triton.language as tl

from attention_tests import Domain, Feature, Implementation, Precision

BLOCK = 32
"""The number of queries, and of keys, of a block."""
WIDTHS = (16, 32, 64)
LONGEST = 80
DTYPES = {"float32": Precision.float32(), "float16": Precision.flash("float16")}


@triton.jit  # type: ignore[untyped-decorator]
def forward(  # noqa: PLR0913, PLR0917 - what Triton compiles takes numbers and pointers one by one
    query: Any,
    key: Any,
    value: Any,
    output: Any,
    queries: Any,
    keys: Any,
    scale: Any,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
    CAUSAL: tl.constexpr,
    HIDES_THE_REST: tl.constexpr,
) -> None:
    """Compute a block of queries of one head. All arrays are contiguous: (batches and heads, length, width)."""
    head, row, column = tl.program_id(1), tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), tl.arange(0, WIDTH)
    own = (head * queries + row[:, None]) * WIDTH + column
    q = tl.load(query + own, mask=row[:, None] < queries, other=0.0)
    largest = tl.full([BLOCK], -float("inf"), tl.float32)
    total = tl.full([BLOCK], 0.0, tl.float32)
    summed = tl.full([BLOCK, WIDTH], 0.0, tl.float32)

    for start in range(0, keys, BLOCK):
        place = start + tl.arange(0, BLOCK)
        theirs = (head * keys + place[:, None]) * WIDTH + column
        k = tl.load(key + theirs, mask=place[:, None] < keys, other=0.0)
        v = tl.load(value + theirs, mask=place[:, None] < keys, other=0.0)
        scores = tl.dot(q, tl.trans(k), input_precision="ieee") * scale
        if HIDES_THE_REST:
            scores = tl.where(place < keys, scores, -float("inf"))
        if CAUSAL:
            scores = tl.where(place <= row[:, None], scores, -float("inf"))
        before, largest = largest, tl.maximum(largest, tl.max(scores, 1))
        weights, correction = tl.exp(scores - largest[:, None]), tl.exp(before - largest)
        total = total * correction + tl.sum(weights, 1)
        summed = summed * correction[:, None] + tl.dot(weights.to(v.dtype), v, input_precision="ieee")

    tl.store(output + own, (summed / total[:, None]).to(q.dtype), mask=row[:, None] < queries)


def right(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, causal: bool = False) -> torch.Tensor:
    """Return softmax(Q Kᵀ / √d) V, of the shape of the query."""
    return launched(query, key, value, CAUSAL=causal, HIDES_THE_REST=True)


def wrong(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, causal: bool = False) -> torch.Tensor:
    """Return the same, where the last block is full."""
    return launched(query, key, value, CAUSAL=causal, HIDES_THE_REST=False)


def launched(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, **options: bool) -> torch.Tensor:
    """Launch the kernel. Raises ValueError for what it does not take."""
    (batch, heads, queries, width), keys = query.shape, key.shape[-2]
    if width not in WIDTHS or max(queries, keys) > LONGEST or not query.numel() * keys:
        raise ValueError(f"widths {WIDTHS} are taken, and lengths from 1 to {LONGEST}")
    if not value.shape == key.shape == (batch, heads, keys, width):
        raise ValueError(f"{query.shape}, {key.shape} and {value.shape} do not go together")
    if str(query.dtype).removeprefix("torch.") not in DTYPES:
        raise ValueError(f"{query.dtype} is not taken")
    query, key, value = query.contiguous(), key.contiguous(), value.contiguous()
    output = torch.empty_like(query)
    grid: tuple[int, int] = (triton.cdiv(queries, BLOCK), batch * heads)
    forward[grid](query, key, value, output, queries, keys, width**-0.5, WIDTH=width, BLOCK=BLOCK, **options)
    return output


def declared(name: str, attention: Callable[..., Any]) -> Implementation:
    """Declare a kernel as one that is compiled, so that it is asked for few shapes, with many numbers each."""
    return Implementation(
        name=name,
        attention=attention,
        supports=frozenset({Feature.HEADS, Feature.LENGTHS, Feature.CAUSAL}),
        dtypes=DTYPES,
        domain=Domain(widths=frozenset(WIDTHS), batches=frozenset({1}), heads=frozenset({1, 2}), longest=LONGEST),
        compiled=True,
        to_native=lambda array, dtype: torch.tensor(array, dtype=getattr(torch, dtype)),
        to_numpy=lambda tensor: tensor.double().numpy(),
    )


RIGHT, WRONG = declared("right", right), declared("wrong", wrong)
