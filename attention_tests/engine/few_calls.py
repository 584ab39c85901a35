"""The calls that are asked of what is compiled for its shapes, those first that find most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attention_tests.declare.domain import Sizes
from attention_tests.declare.features import Step
from attention_tests.engine.calls import OF_A_SENTENCE, Call
from attention_tests.execution.placement import Placement

BLHD, GAPS = Placement.BLHD_STORAGE, Placement.COLUMN_GAPS

SQUARE = Sizes(batch=3, heads=2, queries=16, keys=16, d_k=16, d_v=16)
"""Sizes such that as many laws as possible stay in them: an identity matrix is as wide as the values."""
HALF = SQUARE._replace(keys=8)
GROUPED = Sizes(batch=2, heads=2, group=3, queries=16, keys=16, d_k=16, d_v=16)
DECODING = Sizes(batch=2, heads=2, group=2, queries=1, keys=1091, d_k=128, d_v=128)
"""At the width of real heads, and with keys beyond whole tiles."""
SPLIT = Sizes(batch=2, heads=2, group=2, queries=1, keys=4352, d_k=16, d_v=16)
UNEVEN = Sizes(batch=2, heads=3, queries=5, keys=3, d_k=4, d_v=7)
WIDE = Sizes(batch=2, heads=1, group=3, queries=9, keys=65, d_k=192, d_v=128)
TILES = Sizes(batch=1, heads=2, queries=65, keys=129, d_k=64, d_v=64)
BESIDE_A_TILE = Sizes(batch=2, heads=2, queries=9, keys=65, d_k=64, d_v=64)
SENTENCE = Sizes(queries=10, keys=4, d_k=3, d_v=3)
"""The document's own: ten tokens of width four."""
LONG = Sizes(batch=1, heads=1, queries=1025, keys=9, d_k=4, d_v=4)


def forward(sizes: Sizes, **options: Any) -> Call:
    """Return a call of attention."""
    return Call(sizes, frozenset(options.items()))


def backward(sizes: Sizes, **options: Any) -> Call:
    """Return a call of the gradient."""
    return Call(sizes, frozenset(options.items()), Step.GRADIENT)


def placed(sizes: Sizes, *places: tuple[Placement | None, ...]) -> Iterator[Call]:
    """Yield calls whose inputs lie otherwise in memory."""
    return (Call(sizes, places=each) for each in places)


CALLS = (
    forward(SQUARE),
    backward(SQUARE),
    forward(UNEVEN),
    *(Call(SENTENCE, step=step) for step in OF_A_SENTENCE),
    *(Call(SQUARE, step=step) for step in (Step.SCORE, Step.SCALE, Step.SOFTMAX, Step.WEIGH, Step.SUM)),
    forward(SQUARE, return_lse=True),
    forward(SQUARE, mask="bhqk"),
    forward(SQUARE, causal=True),
    forward(SQUARE, bias="bhqk"),
    backward(WIDE, causal=True),
    forward(DECODING),
    forward(SQUARE, softcap=30.0),
    forward(TILES, causal=True),
    backward(UNEVEN, mask="bhqk"),
    # No law has more than two options on the way back.
    backward(BESIDE_A_TILE, bias="bhqk", softcap=1.0),
    forward(BESIDE_A_TILE, window=8, scale=0.25),
    backward(BESIDE_A_TILE, window=8, scale=-0.5),
    # With all features, there are no more at the quick profile.
    forward(SQUARE, mask="b11k", causal=True),
    forward(SQUARE, window=8),
    forward(SQUARE, scale=0.25),
    forward(WIDE, mask="b1qk"),
    backward(UNEVEN),
    backward(GROUPED),
    backward(BESIDE_A_TILE, softcap=1.0),
    backward(UNEVEN, scale=-0.5),
    backward(BESIDE_A_TILE, causal=True),
    backward(BESIDE_A_TILE, bias="bhqk"),
    forward(WIDE, bias="bhqk", softcap=1.0, return_lse=True),
    forward(SQUARE._replace(queries=1)),
    forward(SQUARE._replace(keys=1)),
    forward(HALF, return_lse=True),
    forward(SQUARE._replace(keys=17), mask="111k"),
    *placed(SQUARE, (BLHD, None, None), (None, BLHD, None), (None, None, BLHD), (BLHD, BLHD, BLHD)),
    forward(SQUARE, bias="b11k"),
    forward(SQUARE, mask="bhqk", softcap=30.0),
    forward(SQUARE._replace(queries=20), causal=True, bias="bhqk"),
    forward(SQUARE, causal=True, window=8),
    forward(SQUARE, causal=True, scale=-0.5),
    forward(SQUARE, scale=0.0),
    # Where features are missing, these take their place.
    backward(BESIDE_A_TILE),
    forward(SPLIT, return_lse=True),
    backward(BESIDE_A_TILE, window=8),
    backward(WIDE, softcap=1.0),
    backward(GROUPED, scale=0.25),
    forward(GROUPED),
    forward(HALF),
    forward(SQUARE, mask="bhqk", bias="bhqk"),
    forward(SQUARE._replace(queries=20), causal=True),
    forward(GROUPED, mask="bhqk", softcap=30.0, return_lse=True),
    forward(SQUARE, mask="bhqk", return_lse=True),
    forward(SQUARE, softcap=30.0, return_lse=True),
    forward(SQUARE, mask="bhqk", window=8),
    forward(SQUARE, bias="bhqk", window=8),
    forward(SQUARE, softcap=1.0, window=8),
    forward(SQUARE, mask="bhqk", scale=0.25),
    forward(SQUARE, softcap=1.0, scale=0.25),
    forward(GROUPED, mask="bhqk"),
    forward(GROUPED, causal=True),
    forward(SPLIT, scale=-0.5),
    forward(SQUARE._replace(keys=0)),
    forward(SQUARE, scale=1.0),
    forward(LONG),
    forward(WIDE),
    forward(SQUARE, scale=-1.0),
    forward(SQUARE, dropout=0.0),
    forward(SQUARE._replace(queries=0)),
    forward(SQUARE._replace(batch=0)),
    forward(SQUARE._replace(heads=0)),
    forward(SQUARE._replace(d_v=0)),
    forward(SQUARE._replace(keys=0), return_lse=True),
    backward(SQUARE._replace(queries=0)),
    backward(SQUARE._replace(keys=0)),
    forward(SQUARE._replace(d_v=48)),
    forward(SPLIT._replace(heads=1, group=3)),
    *placed(GROUPED, (None, BLHD, None), (None, None, BLHD)),
    forward(SQUARE, window=32),
    *placed(SQUARE, (GAPS, None, None), (None, GAPS, None), (None, None, GAPS), (GAPS, GAPS, GAPS)),
)
