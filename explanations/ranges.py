"""Ranges: some of the rows of an array, or the rows that are read in place of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Rows = Callable[[Array], Array]
"""Returns, of the numbers 0 … n - 1 of rows, whether each is one of some, or which one is read in its place."""
BLOCKS = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""The sizes of the blocks that kernels work in."""
LIMITS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 12288, 16384)
"""The numbers of rows that kernels may have room for."""
WRAPS = (128, 256, 65536)
"""The numbers that an index in few bits can have."""


def whole(block: int, n: int) -> int:
    """Return how many of n rows are in whole blocks: all of them where there is none."""
    return n // block * block or n


def others(rows: Rows) -> Rows:
    """Return the rows that are no such ones."""
    return lambda j: ~rows(j)


def below(n: int) -> Rows:
    """Return the first n rows."""
    return lambda j: j < n


def starting_at(n: int) -> Rows:
    """Return all rows but the first n."""
    return lambda j: j >= n


def among_last(n: int) -> Rows:
    """Return the last n rows."""
    return lambda j: j >= len(j) - n


def in_last_page(n: int) -> Rows:
    """Return the rows in the last page of n."""
    return lambda j: j >= (len(j) - 1) // n * n


def below_count_modulo(n: int) -> Rows:
    """Return as many rows as there are modulo n, n itself in place of 0."""
    return lambda j: j < (len(j) - 1) % n + 1


def modulo(n: int) -> Rows:
    """Return the numbers of rows modulo n."""
    return lambda j: j % n


def signed(n: int) -> Rows:
    """Return the numbers of rows as a signed index has them that wraps at n, counted from the end if below 0."""
    return lambda j: ((j + n) % (2 * n) - n) % max(1, len(j))


def in_whole_blocks(block: int) -> Rows:
    """Return the rows in whole blocks, all where there is none."""
    return lambda j: j < whole(block, len(j))


def in_full_blocks(block: int) -> Rows:
    """Return the rows in whole blocks, none where there is none."""
    return lambda j: j < len(j) - len(j) % block


def not_beside_blocks(block: int) -> Rows:
    """Return all rows but a single one beyond whole blocks."""
    return lambda j: (j < len(j) - 1) | (len(j) % block != 1) | (len(j) == 1)
