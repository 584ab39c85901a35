"""Options that nothing asks for: causality, windows and biases by position, and factors on the output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.aspect import LOG_SUM_EXP, OUTPUT
from explanations.explanation import Change, Changed, Explanation, everywhere
from explanations.problems import hiding
from explanations.results import Altered, each, times, unchanged
from properties.drawing import masks
from properties.drawing.problem import Problem, in_format
from reference import matrix
from reference.bounds.arithmetic import growth
from reference.bounds.formats import FORMATS
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
WINDOWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)
SLOPES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.01, 0.001)
FACTORS = {"1/0.9": 1 / 0.9, "0.9": 0.9, "1/0.8": 1.25, "0.8": 0.8, "1/0.5": 2.0, "0.5": 0.5, "-1": -1.0}
LEVELS = 127
"""The numbers of one sign in a symmetric format of 8 bits."""


def _ahead(problem: Problem) -> Array:
    """Return how far each key stands ahead of the token of each query, (n_q, n_k)."""
    n_q, n_k = problem.logits_shape[2:]
    return masks.positions_ahead(n_q, n_k, problem.dialect.alignment)


def _seen(sees: Callable[[Array], Array], *, rest: str = "") -> Change:
    """Return a change of who sees whom, by how far a key stands ahead; `rest` says which rows see everything."""

    def change(problem: Problem) -> Problem:
        ahead = _ahead(problem)
        seen = sees(ahead)
        if rest == "without keys":
            seen |= ~seen.any(axis=-1, keepdims=True)
        elif rest == "beyond the keys" and ahead.size:
            seen |= (ahead < 0).all(axis=-1, keepdims=True)
        return problem if seen.all() else hiding(problem, seen)

    return everywhere(change)


def _scores(problem: Problem) -> Array:
    key = problem.for_each_query_head(problem.key)
    return matrix.logits(problem.query, key, problem.scale, problem.logit_bias, problem.softcap)


def _with_bias(bias: Callable[[Problem], Array]) -> Change:
    """Return a change that adds a bias, in the format of the problem."""

    def change(problem: Problem) -> Problem:
        added = in_format(np.asarray(bias(problem), np.float64), problem.dtype)
        return replace(problem, bias=added + (0.0 if problem.bias is None else problem.bias))

    return everywhere(change)


def _highest(count: int) -> Change:
    """Return a change that leaves the keys with the highest scores."""

    def change(problem: Problem) -> Problem:
        if problem.key.shape[-2] <= count:
            return problem
        scores = _scores(problem)
        return hiding(problem, scores >= np.sort(scores, axis=-1)[..., -count, None])

    return everywhere(change)


def _of_head(problem: Problem) -> Array:
    """Return the slopes of ALiBi, (heads, 1, 1)."""
    heads = problem.query.shape[1]
    return np.asarray(2.0 ** (-8.0 * np.arange(1, heads + 1) / max(1, heads)))[:, None, None]


def _itself_first(problem: Problem) -> Array:
    """Return a bias by which the score of a token with itself is above all others by 1."""
    scores = _scores(problem)
    above = scores.max(axis=-1, keepdims=True, initial=-np.inf) + 1
    with np.errstate(invalid="ignore"):
        return np.where((_ahead(problem) == 0) & (above > scores), np.nan_to_num(above - scores), 0.0)


def _plus_query(problem: Any, one: Interval) -> Interval:
    if one.value.shape != problem.query.shape:
        return one
    value = one.value + problem.query
    rounding = growth((1, FORMATS[one.dtype].unit_roundoff)) * (np.abs(value) + one.tolerance)
    return replace(one, value=value, error=one.tolerance + rounding)


def _in_8_bits(axes: tuple[int, ...], *names: str) -> Change:
    """Return a change that rounds arrays to multiples of their largest number over 127, as the kernel's format does."""

    def rounded(array: Array, dtype: str) -> Array:
        own = array.astype(dtype) if dtype in {"float32", "float64"} else array
        largest = np.abs(own).max(axis=axes, keepdims=True, initial=0)
        step = np.maximum(largest, np.finfo(own.dtype).tiny) / LEVELS
        return np.asarray(np.rint(own / step) * step, np.float64)

    def change(problem: Problem) -> Problem:
        return problem.with_arrays(**{name: rounded(getattr(problem, name), problem.dtype) for name in names})

    return everywhere(change)


def _near(size: int) -> Callable[[Array], Array]:
    return lambda ahead: np.abs(ahead) <= size


def _lately(size: int) -> Callable[[Array], Array]:
    return lambda ahead: (ahead <= 0) & (ahead > -size)


def _by_distance(slope: float) -> Callable[[Problem], Array]:
    return lambda problem: -slope * np.abs(_ahead(problem))


def _by_position(slope: float) -> Callable[[Problem], Array]:
    return lambda problem: np.asarray(slope * np.arange(problem.key.shape[-2])[None])


def _times(factor: float) -> Callable[[Any, Interval], Interval]:
    return lambda _, one: times(one, factor)


def _of_windows() -> Iterator[Changed]:
    for w in WINDOWS:
        for rest in ("", "without keys", "beyond the keys"):
            but = f", but for queries {rest}" if rest else ""
            name = f"-but-{rest.replace(' ', '-')}" if rest else ""
            yield Changed(
                f"unasked-window-of-{w}{name}",
                f"sees no farther than {w} tokens to each side, though no window is asked for{but}",
                _seen(_near(w), rest=rest),
            )
            yield Changed(
                f"unasked-causal-window-of-{w}{name}",
                f"sees the last {w} tokens up to its own, though no window is asked for{but}",
                _seen(_lately(w), rest=rest),
            )


def _of_biases() -> Iterator[Changed]:
    for slope in SLOPES:
        yield Changed(
            f"nearer-tokens-preferred-by-{slope:g}",
            f"subtracts {slope:g} from a score for each token of distance, which nothing asks for",
            _with_bias(_by_distance(slope)),
        )
        for sign, says in ((1, "adds"), (-1, "subtracts")):
            yield Changed(
                f"{'later' if sign > 0 else 'earlier'}-tokens-preferred-by-{slope:g}",
                f"{says} {slope:g} times the position of a key {'to' if sign > 0 else 'from'} its score",
                _with_bias(_by_position(sign * slope)),
            )
    yield Changed(
        "unasked-alibi",
        "adds the bias of ALiBi, a slope for each head times the distance, which nothing asks for",
        _with_bias(lambda problem: -_of_head(problem) * np.abs(_ahead(problem))),
    )
    yield Changed(
        "itself-first",
        "raises the score of a token with itself above all others",
        _with_bias(_itself_first),
    )


def _of_visibility() -> Iterator[Changed]:
    for rest in ("", "without keys", "beyond the keys"):
        but = f", but for queries {rest}" if rest else ""
        name = f"-but-{rest.replace(' ', '-')}" if rest else ""
        for short, says, sees in (
            ("always-causal", "is causal though causality is not asked for", lambda d: d <= 0),
            ("always-anticausal", "hides earlier tokens though nothing asks for it", lambda d: d >= 0),
            ("itself-unseen", "hides the own token of a query from it", lambda d: d != 0),
            ("itself-only", "sees the own token of a query only", lambda d: d == 0),
        ):
            yield Changed(f"{short}{name}", f"{says}{but}", _seen(sees, rest=rest))
    for count in COUNTS:
        yield Changed(f"highest-{count}-only", f"sees the {count} keys with the highest scores only", _highest(count))


_OF_OUTPUTS: tuple[Explanation, ...] = (
    *(
        Altered(
            f"output-times-{name}",
            f"multiplies the output by {name}",
            unchanged,
            each(_times(factor)),
        )
        for name, factor in FACTORS.items()
    ),
    Altered("query-added", "adds the query to the output, as a residual connection does", unchanged, each(_plus_query)),
    *(
        Changed(
            f"{of}-in-8-bits-{each_of}",
            f"rounds {of} to 8 bits, with a scale for each {each_of}",
            _in_8_bits(axes, *names),
            (OUTPUT, LOG_SUM_EXP),
        )
        for of, names in {"keys and values": ("key", "value"), "keys": ("key",), "values": ("value",)}.items()
        for each_of, axes in {"head": (-2, -1), "row": (-1,), "column": (-2,), "array": (0, 1, 2, 3)}.items()
    ),
)
EXPLANATIONS: tuple[Explanation, ...] = (
    *_of_visibility(),
    *_OF_OUTPUTS,
    *_of_biases(),
    *_of_windows(),
)
