"""Fixed problems with an upstream gradient: each pair of options, the widths of real heads, and several blocks."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from properties.drawing.circumstances import D_K, MEMORY
from properties.drawing.claims import only
from properties.drawing.gradients import BackwardPlan
from properties.drawing.masks import BROADCASTS
from properties.drawing.options import Options
from properties.drawing.plans import Plan

Sizes = tuple[int, int, int, int]
"""n_q, n_k, d_k and d_v."""


def plan(
    sizes: Sizes,
    seed: int,
    *,
    batch: int = 2,
    low_scores: bool = False,
    memory: tuple[str, ...] = (),
    **options: Any,
) -> BackwardPlan:
    """Return a plan of two key heads."""
    queries, keys, d_k, d_v = sizes
    forward = Plan(
        batch=batch,
        heads=2,
        queries=queries,
        keys=keys,
        d_k=d_k,
        d_v=d_v,
        regimes=("normal",),
        seed=seed,
        options=Options(**options),
        memory=memory,
    )
    return BackwardPlan(forward, low_scores=low_scores)


_EACH: tuple[dict[str, Any], ...] = (
    {"mask": "most"},
    {"bias": "normal", "bias_axes": "1hqk"},
    {"causal": True},
    {"window": 3},
    {"softcap": 1.0},
    {"group": 2},
    {"group": 3},
    {"scale": 0.25},
)
_UNEVEN: tuple[Sizes, ...] = ((5, 18, 4, 4), (18, 5, 8, 3), (9, 13, 3, 5), (3, 20, 16, 16), (33, 17, 5, 2))
"""More keys than queries, and fewer."""

TWO_OPTIONS = only(
    *(
        plan(_UNEVEN[number % len(_UNEVEN)], number + 1, **one, **other)
        for number, (one, other) in enumerate(combinations(_EACH, 2))
        if one.keys().isdisjoint(other)
    )
)
"""Every pair of options."""
TWO_OPTIONS_OF_GROUPS = only(
    *(
        plan(_UNEVEN[number % len(_UNEVEN)], number + 101, group=2, **one, **other)
        for number, (one, other) in enumerate(combinations((*_EACH[:5], {"scale": -0.5}, {"scale": 0.0}), 2))
        if one.keys().isdisjoint(other)
    ),
    *(
        plan((9, 9, 4, 4), number + 131, group=3, **one, **other)
        for number, (one, other) in enumerate(combinations(_EACH[:5], 2))
    ),
)
"""Every pair of other options with grouped heads, a scale of zero or below among them."""
NO_POSITIVE_SCALE = only(
    *(
        plan(_UNEVEN[number % len(_UNEVEN)], number + 1, scale=scale, **one)
        for number, one in enumerate(({}, *_EACH[:-1]))
        for scale in (-0.5, 0.0)
    ),
    *(
        plan(_UNEVEN[number % len(_UNEVEN)], number + 31, scale=-0.5, **one, **other)
        for number, (one, other) in enumerate(combinations(_EACH[:6], 2))
    ),
)
"""A negative scale and one of zero, alone and with every other option, and a negative one with every two."""
BROADCAST_BIASES = only(*(plan((5, 9, 4, 3), 1, bias="normal", bias_axes=axes) for axes in BROADCASTS))
REAL_HEADS = only(
    plan((9, 129, 64, 64), 1, batch=1, causal=True),
    plan((2, 257, 80, 80), 2, batch=1, mask="padding", mask_axes="b11k"),
    plan((9, 65, 96, 96), 3, batch=1, bias="normal", bias_axes="b1qk"),
    plan((5, 65, 128, 128), 4, batch=1, softcap=30.0),
    plan((2, 65, 192, 192), 5, batch=1, group=3),
    plan((2, 65, 256, 256), 6, batch=1, scale=0.1),
    plan((3, 129, 192, 128), 7, batch=1, window=64),
    plan((3, 65, 128, 96), 8, causal=True, group=2),
)
"""Widths that models have, more keys than a block has, and an option each."""
WIDTHS_WITH_OPTIONS = only(
    *(
        plan((5, 5 if "causal" in option else 5 + number % 2, d_k, d_v), 10 * number + place, batch=1, **option)
        for number, (d_k, d_v) in enumerate(
            ((64, 64), (80, 80), (96, 96), (128, 128), (192, 192), (256, 256), (192, 128), (128, 96)), 1
        )
        for place, option in enumerate((*_EACH[:6], {"scale": -0.5}, {"causal": True, "group": 2}))
    )
)
"""Each width of real heads with each option, in a few rows, so that each gradient is of ordinary size."""
_PLACES = [place for (place,) in MEMORY.values() if place]
WIDTHS_IN_MEMORY = only(
    *(
        plan((5, 6, d_k, d_k), 10 * number + turn, batch=1, memory=(place, *(_PLACES * 2)[turn + 1 : turn + 3]))
        for number, (d_k, *_) in enumerate(D_K.values(), 1)
        for turn, place in enumerate(_PLACES)
    )
)
"""Each width, with each of the inputs in each place in memory."""
LONG = only(
    *(BackwardPlan(Plan(queries=n, keys=n, d_k=4, d_v=4, regimes=("normal",), seed=n)) for n in (64, 65, 129)),
    plan((129, 5, 64, 64), 1, batch=1, causal=True),
    plan((257, 3, 96, 64), 2, batch=1, mask="most", group=2),
    plan((65, 16, 8, 16), 3),
    plan((129, 33, 64, 80), 4, batch=1, group=2),
)
"""More queries than a block has, or more queries and keys."""
LOW_SCORES = only(
    plan((5, 9, 4, 3), 1, low_scores=True),
    plan((2, 65, 64, 64), 2, batch=1, low_scores=True),
    plan((9, 13, 4, 4), 3, low_scores=True, causal=True),
    plan((5, 18, 4, 4), 4, low_scores=True, mask="most"),
)
SEVERAL_BLOCKS = only(plan((300, 300, 16, 16), 1, batch=1), plan((321, 300, 16, 16), 2, batch=1, causal=True, group=2))
"""Sums over several blocks of queries and of keys, whatever their size."""
