"""Streams by size: problems whose numbers of keys, of queries or of columns lie at the block boundaries of kernels."""

from properties.drawing.claims import only
from properties.drawing.plans import Plan

LENGTHS = (1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 255, 257, 511, 513, 1023, 1025, 2049)
WIDTHS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128, 129, 191, 193, 255, 256, 257)

PROBLEMS_BY_NUMBER_OF_KEYS = only(
    *(Plan(queries=2, keys=n, d_k=4, d_v=4, regimes=("normal",), seed=n) for n in LENGTHS),
    Plan(keys=16385, d_k=4, d_v=4, regimes=("scores far below",), seed=16385),
)
PROBLEMS_BY_NUMBER_OF_QUERIES = only(
    *(Plan(queries=n, keys=3, d_k=4, d_v=4, regimes=("normal",), seed=n) for n in LENGTHS)
)
PROBLEMS_BY_WIDTH = only(*(Plan(queries=2, keys=5, d_k=n, d_v=n, regimes=("uniform",), seed=n) for n in WIDTHS))
