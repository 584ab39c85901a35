"""Causality and windows of another place, size or shape: offsets, limits, blocks and ring buffers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Alignment
from explanations.explanation import Changed, Explanation, everywhere
from explanations.problems import hiding
from properties.drawing import masks
from properties.drawing.problem import Problem

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Sees = Callable[[Problem, Array, Array, int], Array]
"""Returns who sees whom, (n_q, n_k), by the positions of queries (n_q, 1), of keys (n_k,), and a block."""
BLOCKS = (2, 4, 8, 16, 32, 64, 128)


def _positions(problem: Problem) -> tuple[Array, Array]:
    """Return the positions of queries among the keys, (n_q, 1), and of the keys, (n_k,)."""
    ahead = masks.positions_ahead(problem.query.shape[-2], problem.key.shape[-2], problem.dialect.alignment)
    keys = np.arange(problem.key.shape[-2])
    return keys[:1] - ahead[:, :1], keys


def _causal(sees: Sees, block: int, problem: Problem) -> Problem:
    """Return a causal problem with others seen than causality lets a query see."""
    if not problem.causal or not problem.key.shape[-2]:
        return problem
    seen = sees(problem, *_positions(problem), block)
    return hiding(replace(problem, causal=False), np.broadcast_to(seen, problem.logits_shape[2:]))


def _windowed(sees: Sees, block: int, problem: Problem) -> Problem:
    """Return a problem with others seen than a window lets a query see."""
    if problem.window is None or not problem.key.shape[-2]:
        return problem
    seen = sees(problem, *_positions(problem), block)
    return hiding(replace(problem, window=None), np.broadcast_to(seen, problem.logits_shape[2:]))


def _resized(size: Callable[[int, int], int], problem: Problem) -> Problem:
    """Return a problem with a window of another size, given its own and the number of keys."""
    if problem.window is None:
        return problem
    return replace(problem, window=size(problem.window, problem.key.shape[-2]))


def _causal_if_wide(problem: Problem) -> Problem:
    wide = problem.window is not None and problem.window >= problem.key.shape[-2]
    return replace(problem, causal=True) if wide else problem


def _first(problem: Problem) -> int:
    """Return the position of the first query as causality and windows are aligned at the bottom right."""
    return int(problem.key.shape[-2] - problem.query.shape[-2])


def _either(problem: Problem) -> Problem:
    """Return a causal problem with a mask in which a key is seen that one of both lets a query see."""
    if problem.mask is None or not problem.causal:
        return problem
    causal = masks.causal(problem.query.shape[-2], problem.key.shape[-2], problem.dialect.alignment)
    return replace(problem, mask=problem.mask | causal, causal=False)


def _of_offset(offset: Callable[[Problem], int]) -> Callable[[Problem], Problem]:
    def sees(problem: Problem, _queries: Array, keys: Array, _block: int) -> Array:
        own = np.arange(problem.query.shape[-2])[:, None] + offset(problem)
        return np.asarray(keys <= own)

    return partial(_causal, sees, 0)


def _aligned_offset(problem: Problem) -> int:
    return 0 if problem.dialect.alignment is Alignment.TOP_LEFT else _first(problem)


def _to_end_of_block(_: Problem, queries: Array, keys: Array, block: int) -> Array:
    return np.asarray(keys // block <= queries // block)


def _to_begin_of_block(_: Problem, queries: Array, keys: Array, block: int) -> Array:
    return np.asarray(keys // block < queries // block + (queries % block == block - 1))


def _and_last(_: Problem, queries: Array, keys: Array, _block: int) -> Array:
    return np.asarray((keys <= queries) | (keys == keys[-1]))


def _and_first(_: Problem, queries: Array, keys: Array, _block: int) -> Array:
    return np.asarray((keys <= queries) | (keys == 0))


def _of_row_modulo_keys(_: Problem, queries: Array, keys: Array, _block: int) -> Array:
    return np.asarray(keys <= queries % len(keys))


def _in_fixed_blocks(problem: Problem, queries: Array, keys: Array, _block: int) -> Array:
    size = problem.window or 1
    return np.asarray(keys // size == queries // size)


def _around_a_ring(problem: Problem, queries: Array, keys: Array, _block: int) -> Array:
    half = len(keys) // 2
    distance = (keys - queries + half) % len(keys) - half
    return np.asarray(np.abs(distance) < (problem.window or 1))


def _of_causality() -> Iterator[Changed]:
    for name, says, change in (
        ("offset-without-sign", "loses the sign of the offset n_k - n_q of causality", lambda p: abs(_first(p))),
        ("offset-clipped", "clips the offset n_k - n_q of causality at 0", lambda p: max(_first(p), 0)),
        ("offset-negated", "negates the offset of causality", lambda p: -_aligned_offset(p)),
    ):
        yield Changed(f"causal-{name}", says, everywhere(_of_offset(change)))
    for name, says, sees in (
        ("and-last", "lets a causal query see the last token, too", _and_last),
        ("and-first", "lets a causal query see the first token, too, wherever it stands", _and_first),
        ("modulo-keys", "begins causality anew where there are more queries than keys", _of_row_modulo_keys),
    ):
        yield Changed(f"causal-{name}", says, everywhere(partial(_causal, sees, 0)))
    for block in BLOCKS:
        yield Changed(
            f"causal-to-end-of-{block}",
            f"lets a causal query see later tokens up to the end of its block of {block}",
            everywhere(partial(_causal, _to_end_of_block, block)),
        )
        yield Changed(
            f"causal-to-begin-of-{block}",
            f"hides from a causal query its own block of {block}, unless it is the last in it",
            everywhere(partial(_causal, _to_begin_of_block, block)),
        )
    yield Changed(
        "causal-or-mask", "lets a query see what either causality or the mask allows, not both", everywhere(_either)
    )


def _of_windows() -> Iterator[Changed]:
    sizes: dict[str, tuple[str, Callable[[int, int], int]]] = {
        "window-up-to-keys": ("limits a window to the number of keys", min),
        "window-below-keys": (
            "limits a window to one less than the number of keys",
            lambda size, keys: min(size, max(keys - 1, 1)),
        ),
        "window-in-4-bits": ("keeps the size of a window in 4 bits", lambda size, _: (size - 1) % 16 + 1),
        "window-in-8-bits": ("keeps the size of a window in 8 bits", lambda size, _: (size - 1) % 256 + 1),
        "window-doubled": ("doubles a window", lambda size, _: 2 * size),
        "window-in-powers": (
            "rounds the size of a window up to a power of two",
            lambda size, _: 1 << max(0, size - 1).bit_length(),
        ),
    }
    for name, (says, size) in sizes.items():
        yield Changed(name, says, everywhere(partial(_resized, size)))
    yield Changed("wide-window-is-causal", "takes a window over all keys for causality", everywhere(_causal_if_wide))
    for name, says, sees in (
        ("window-in-fixed-blocks", "divides tokens into fixed blocks in place of a sliding window", _in_fixed_blocks),
        ("window-around-a-ring", "lets a window wrap around from the first key to the last", _around_a_ring),
    ):
        yield Changed(name, says, everywhere(partial(_windowed, sees, 0)))


EXPLANATIONS: tuple[Explanation, ...] = tuple(
    variant for one in (*_of_causality(), *_of_windows()) for variant in one.anywhere
)
