"""Gradients of query and key that are not multiplied by the scale, or by another one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from explanations.formula import Backpropagated, Formula
from explanations.steps import BackwardPass

Factor = Callable[[BackwardPass], float]
WHOSE = (("query", "key"), ("query",), ("key",))


def _default(backward: BackwardPass) -> float:
    return float(backward.problem.d_k**-0.5)


def _of_value_width(backward: BackwardPass) -> float:
    given, width = backward.problem.scale, backward.problem.value.shape[-1]
    return float(width**-0.5) if given is None and width else backward.scale


def _multiplied_by(factor: Factor) -> Formula:
    """Return gradients that are multiplied by a factor in place of the scale."""
    return lambda backward: replace(backward, factor=factor(backward)).of_scores(
        backward.right_d_scores, backward.weights
    )


_FACTORS: tuple[tuple[str, str, Factor], ...] = (
    ("not-scaled", "is not multiplied by the scale", lambda _: 1.0),
    ("scaled-twice", "is multiplied by the scale twice", lambda backward: backward.scale**2),
    ("given-scale-ignored", "is multiplied by 1/√d_k where another scale is given", _default),
    (
        "default-scale-on-top",
        "is multiplied by 1/√d_k, too, where another scale is given",
        lambda backward: backward.scale if backward.problem.scale is None else backward.scale * _default(backward),
    ),
    ("scale-of-value-width", "is multiplied by 1/√d_v in place of 1/√d_k", _of_value_width),
    ("scaled-by-width", "is multiplied by 1/d_k in place of 1/√d_k", lambda backward: 1 / backward.problem.d_k),
    (
        "divided-by-scale",
        "is divided by the scale",
        lambda backward: 1 / backward.scale if backward.scale else math.inf,
    ),
    (
        "scaled-by-root-of-scale",
        "is multiplied by the root of the scale alone",
        lambda backward: math.copysign(abs(backward.scale) ** 0.5, backward.scale),
    ),
    ("scale-without-sign", "loses the sign of the scale", lambda backward: abs(backward.scale)),
    (
        "zero-scale-is-default",
        "is multiplied by 1/√d_k where a scale of 0 is given",
        lambda backward: backward.scale or _default(backward),
    ),
    ("negated", "has the other sign", lambda backward: -backward.scale),
    ("times-log-two", "lacks the factor log₂ e: it is multiplied by log 2", lambda b: b.scale * math.log(2)),
    ("times-log-e", "is multiplied by log₂ e as exponents of 2 are", lambda b: b.scale * math.log2(math.e)),
    ("twice", "is twice as large", lambda backward: 2 * backward.scale),
    ("half", "is half as large", lambda backward: backward.scale / 2),
    ("divided-by-keys", "is divided by the number of keys", lambda b: b.scale / max(b.problem.key.shape[-2], 1)),
    (
        "divided-by-queries",
        "is divided by the number of queries",
        lambda b: b.scale / max(b.problem.query.shape[-2], 1),
    ),
)


def _explanations() -> Iterator[Backpropagated]:
    for name, says, factor in _FACTORS:
        for whose in WHOSE:
            of = " and of the ".join(whose)
            sentence = f"computes a gradient of the {of} that {says}"
            yield Backpropagated(f"{'-and-'.join(whose)}-gradient-{name}", sentence, _multiplied_by(factor), whose)


EXPLANATIONS = tuple(_explanations())
