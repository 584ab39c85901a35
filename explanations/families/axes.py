"""Axes: heads, tokens, batches and columns that are taken for one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from explanations.explanation import Change, Changed, Explanation, everywhere
from explanations.results import After, Altered, each, mapped, unaltered, unchanged
from properties.drawing.problem import Problem

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
NAMES = ("query", "key", "value")
WHICH = {"all inputs": NAMES, "the query": ("query",), "the key": ("key",), "the value": ("value",)}


def _viewed(array: Array) -> Array:
    """Return the numbers of an array in BLHD storage read as BHLD."""
    return array.swapaxes(1, 2).reshape(array.shape)


def _viewed_back(array: Array) -> Array:
    """Return the numbers of an array in BHLD storage read as BLHD."""
    batch, heads, rows, width = array.shape
    return array.reshape(batch, rows, heads, width).swapaxes(1, 2)


def _exchanged(array: Array) -> Array:
    """Return the runs of an array, (batch, heads), numbered as head · batches + batch."""
    batch, heads = array.shape[:2]
    runs = np.arange(heads) * batch + np.arange(batch)[:, None]
    return np.asarray(array.reshape(batch * heads, *array.shape[2:])[runs])


def _width_first(array: Array) -> Array:
    """Return the numbers of rows read as if they were columns."""
    return array.swapaxes(-1, -2).reshape(array.shape)


def _as_wide_as_keys(problem: Problem) -> Problem:
    """Return the problem with values whose rows are read as far apart as keys are wide, beginning anew at the end."""
    width, own = problem.d_k, problem.value.shape[-1]
    if width <= own:
        return problem
    wide = np.resize(problem.value, (*problem.value.shape[:-1], width))
    return problem.with_arrays(value=wide[..., :own])


def _all(function: Callable[[Array], Array], names: Sequence[str]) -> Change:
    return everywhere(lambda problem: problem.with_arrays(**{name: function(getattr(problem, name)) for name in names}))


def _outputs(function: Callable[[Array], Array]) -> After:
    return each(lambda _, one: mapped(one, function))


_MIXES: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "heads-and-tokens": ("takes the heads and the tokens of {} for one another, in BLHD order read as BHLD", _viewed),
    "tokens-and-heads": (
        "takes the tokens and the heads of {} for one another, in BHLD order read as BLHD",
        _viewed_back,
    ),
    "batches-and-heads": ("takes the batches and the heads of {} for one another", _exchanged),
    "rows-and-columns": ("takes the rows and the columns of {} for one another", _width_first),
}
_OF_AXES: tuple[Explanation, ...] = (
    *(
        Altered(f"{name}-of-{which.replace(' ', '-')}", says.format(which), _all(function, names), unaltered)
        for name, (says, function) in _MIXES.items()
        for which, names in WHICH.items()
    ),
    *(
        Altered(f"{name}-of-the-output", says.format("the output"), unchanged, _outputs(function))
        for name, (says, function) in _MIXES.items()
    ),
    Altered(
        "tokens-for-heads",
        "attends over the heads of each token, not over the tokens of each head",
        everywhere(
            lambda problem: (
                problem.with_arrays(**{name: getattr(problem, name).swapaxes(1, 2) for name in NAMES})
                if problem.key.shape[1:3] == problem.query.shape[1:3] and problem.logit_bias is None
                else problem
            )
        ),
        lambda problem, answers: (
            _outputs(lambda array: array.swapaxes(1, 2))(problem, answers)
            if problem.key.shape[1:3] == problem.query.shape[1:3] and problem.logit_bias is None
            else answers
        ),
    ),
)
_WIDTHS = Changed(
    "values-as-wide-as-keys",
    "reads the rows of values as far apart as keys are wide, where keys are wider",
    everywhere(_as_wide_as_keys),
)
EXPLANATIONS: tuple[Explanation, ...] = (*_OF_AXES, _WIDTHS)
