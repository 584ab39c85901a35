"""Causality and windows: who is how far ahead of whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Alignment, Dialect
from explanations.explanation import Change, Changed, everywhere
from explanations.problems import hiding
from properties.drawing import masks
from properties.drawing.problem import Problem

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
UNLIMITED = 1 << 30
"""More than there are tokens."""


def _ahead(problem: Problem) -> Array:
    """Return how far each key stands ahead of the token of each query, (n_q, n_k)."""
    n_q, n_k = problem.logits_shape[2:]
    return masks.positions_ahead(n_q, n_k, problem.dialect.alignment)


def _of_causality(sees: Callable[[Array], Array]) -> Change:
    """Return a change of what a causal query sees, by how far a key stands ahead of it."""

    def change(problem: Problem) -> Problem:
        return hiding(replace(problem, causal=False), sees(_ahead(problem))) if problem.causal else problem

    return everywhere(change)


def _of_window(sides: Callable[[int], tuple[int, int]]) -> Change:
    """Return a change of the sides of a window: of the numbers, not reached, of tokens behind and ahead."""

    def change(problem: Problem) -> Problem:
        if problem.window is None:
            return problem
        (behind, ahead), distance = sides(problem.window), _ahead(problem)
        return hiding(replace(problem, window=None), (-distance < behind) & (distance < ahead))

    return everywhere(change)


def _other_corner(dialect: Dialect) -> Dialect:
    at_the_end = dialect.alignment is Alignment.BOTTOM_RIGHT
    return replace(dialect, alignment=Alignment.TOP_LEFT if at_the_end else Alignment.BOTTOM_RIGHT)


_CAUSALITY = (
    Changed(
        "causal-other-corner",
        "aligns causality and windows at the other corner than declared, where there are not as many queries as keys: "
        "if that is meant, declare Dialect(alignment=…)",
        everywhere(lambda problem: replace(problem, dialect=_other_corner(problem.dialect))),
    ),
    Changed("causal-excludes-itself", "hides its own token from a causal query, too", _of_causality(lambda d: d < 0)),
    Changed("causal-one-more", "lets a causal query see one token too many", _of_causality(lambda d: d <= 1)),
    Changed("causal-reversed", "hides the earlier tokens in place of the later ones", _of_causality(lambda d: d >= 0)),
)
_WINDOWS = (
    Changed(
        "window-one-more", "sees one token too many on each side of a window", _of_window(lambda w: (w + 1, w + 1))
    ),
    Changed(
        "window-one-fewer", "sees one token too few on each side of a window", _of_window(lambda w: (w - 1, w - 1))
    ),
    Changed("window-one-more-behind", "sees one token too many behind, in a window", _of_window(lambda w: (w + 1, w))),
    Changed("window-one-more-ahead", "sees one token too many ahead, in a window", _of_window(lambda w: (w, w + 1))),
    Changed("window-one-fewer-behind", "sees one token too few behind, in a window", _of_window(lambda w: (w - 1, w))),
    Changed("window-one-fewer-ahead", "sees one token too few ahead, in a window", _of_window(lambda w: (w, w - 1))),
    Changed("window-looks-back-only", "hides the later tokens of a window", _of_window(lambda w: (w, 1))),
    Changed("window-looks-ahead-only", "hides the earlier tokens of a window", _of_window(lambda w: (1, w))),
    Changed("window-open-ahead", "limits a window behind alone", _of_window(lambda w: (w, UNLIMITED))),
    Changed("window-open-behind", "limits a window ahead alone", _of_window(lambda w: (UNLIMITED, w))),
    Changed(
        "window-halved",
        "takes the window for its whole width, half of it on each side",
        _of_window(lambda w: (w // 2 + 1, w // 2 + 1)),
    ),
)

EXPLANATIONS = tuple(variant for one in (*_CAUSALITY, *_WINDOWS) for variant in one.anywhere)
