"""Sizes and options that models and servers call with, and that a rule about cost would leave out."""

from __future__ import annotations

from collections.abc import Iterator

from properties.drawing.options import Options
from properties.drawing.plans import Plan


def _plans(first_seed: int, *given: tuple[tuple[int, ...], Options]) -> Iterator[Plan]:
    for seed, ((batch, heads, queries, keys, d_k, d_v), options) in enumerate(given, first_seed):
        yield Plan(batch=batch, heads=heads, queries=queries, keys=keys, d_k=d_k, d_v=d_v, seed=seed, options=options)


DECODING = tuple(
    _plans(
        1,
        ((2, 2, 1, 1025, 128, 128), Options(group=4)),
        ((1, 1, 1, 1025, 576, 512), Options(group=9)),
        ((1, 1, 1, 65, 576, 512), Options(group=16, mask="padding", mask_axes="b11k")),
        ((4, 1, 1, 129, 64, 64), Options(group=8, mask="padding", mask_axes="b11k")),
        ((2, 2, 1, 1040, 64, 64), Options(group=2, bias="minus infinity", bias_axes="b11k")),
        ((3, 1, 4, 1030, 64, 64), Options(group=2, causal=True)),
    )
)
HEADS = tuple(
    _plans(
        11,
        ((5, 2, 3, 65, 64, 64), Options()),
        ((1, 12, 3, 33, 16, 16), Options()),
        ((2, 9, 2, 64, 16, 16), Options(group=2)),
        ((1, 2, 5, 17, 8, 8), Options(group=12)),
        ((2, 1, 9, 65, 32, 32), Options(group=16, causal=True)),
        ((1, 1, 1, 17, 8, 8), Options(group=32)),
        ((2, 2, 1, 33, 16, 16), Options(group=24)),
    )
)
"""More batches, heads and query heads of a key head than elsewhere."""
WINDOWS = tuple(
    _plans(
        21,
        ((1, 1, 129, 129, 8, 8), Options(window=128)),
        ((1, 1, 200, 200, 8, 8), Options(window=64, causal=True)),
        ((1, 1, 300, 300, 8, 8), Options(window=128, causal=True)),
        ((1, 2, 129, 129, 8, 8), Options(window=64)),
        ((2, 2, 65, 65, 8, 8), Options(window=8)),
        ((1, 1, 130, 130, 16, 16), Options(window=17, causal=True, group=2)),
    )
)
"""Windows as wide as tiles, and the last keys of a call seen by few."""
BATCHES_OF_MASKS = tuple(
    _plans(
        31,
        ((2, 2, 4, 8, 4, 4), Options(mask="most", mask_axes="b1qk")),
        ((3, 2, 65, 66, 64, 64), Options(mask="few", mask_axes="b1qk")),
        ((2, 2, 5, 9, 8, 8), Options(mask="most", mask_axes="b1qk", causal=True, group=2)),
        ((2, 2, 5, 9, 8, 8), Options(bias="minus infinity", bias_axes="b1qk", group=2)),
        ((2, 3, 16, 17, 32, 32), Options(bias="distance", bias_axes="b1qk")),
    )
)
"""A mask for each batch that all heads share, as Transformers makes it."""
PREFILL = tuple(
    _plans(
        41,
        ((1, 1, 1030, 1030, 8, 8), Options(causal=True)),
        ((1, 1, 65, 4100, 4, 4), Options()),
        ((1, 2, 130, 100, 64, 64), Options(mask="most")),
        ((2, 1, 130, 100, 16, 16), Options(bias="minus infinity")),
        ((1, 2, 130, 100, 16, 16), Options(causal=True)),
        ((1, 2, 130, 100, 16, 16), Options(window=16)),
        ((1, 1, 130, 100, 64, 64), Options(softcap=30.0, group=2)),
    )
)
"""Many queries: as many as keys, more, or against thousands of keys."""
REAL_SIZES = (*DECODING, *HEADS, *WINDOWS, *BATCHES_OF_MASKS, *PREFILL)
