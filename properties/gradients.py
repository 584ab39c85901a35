"""Problems with an upstream gradient, and comparisons of the three gradients of an implementation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from attention_tests import Dialect, Feature, Precision, Unseeing
from attention_tests.law import Stream
from attention_tests.subject import Subject
from properties.comparison import assert_equal, assert_inside_bound, assert_same_bits
from properties.inputs import Problem, in_format
from properties.plans import PLAIN, Plan
from properties.problems import ANY_PROBLEM
from reference import gradient_bound
from reference.expected import Expected

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Draw: TypeAlias = Callable[[np.random.Generator, tuple[int, ...]], Array]

ZEROS = (np.zeros(()),) * 3
EVERYWHERE = (np.ones((), bool),) * 3


class Gradients(NamedTuple):
    """The gradients of the query (batch, heads, n_q, d_k), of the key (…, n_k, d_k) and of the value (…, n_k, d_v)."""

    query: Array
    key: Array
    value: Array


class ExpectedGradients(NamedTuple):
    """The expected gradient of each input, with its derived error bound."""

    query: Expected
    key: Expected
    value: Expected


@dataclass(frozen=True, eq=False)
class Backward(Problem):
    """One backward pass to compute: a problem, and the gradient of its output (batch, heads, n_q, d_v)."""

    upstream: Array = field(kw_only=True)

    @cached_property
    def content(self) -> tuple[object, ...]:
        """Everything that the gradients depend on."""
        return *super().content, self.upstream.shape, self.upstream.tobytes()


def _few(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.where(random.random(shape) < 0.2, random.standard_normal(shape), 0.0)


def _one_large(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    upstream = random.uniform(0.5, 1, shape)
    upstream[..., 0, :] = 2.0**14
    return upstream


UPSTREAMS: dict[str, Draw] = {
    "ones": lambda _random, shape: np.ones(shape),
    "small integers": lambda random, shape: random.integers(-3, 4, shape).astype(float),
    "positive": lambda random, shape: random.uniform(0.5, 2, shape),
    "normal": lambda random, shape: random.standard_normal(shape),
    "few": _few,
}
"""Upstream gradients by name. Positive ones prevent cancellation where no value is negative, as in the amplifier."""


@dataclass(frozen=True)
class BackwardPlan:
    """A plan of a backward pass."""

    forward: Plan = field(default_factory=Plan)
    one_large: bool = False
    """Whether the first upstream gradient is so large that a sum in 16 bits would lose all later ones."""

    @property
    def depends_on(self) -> frozenset[Feature]:
        """The features that change the shapes and options of the problem."""
        return self.forward.depends_on

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect = PLAIN) -> Backward:
        """Build the problem, and draw an upstream gradient: all ones for the seed 0."""
        problem = self.forward.build(dtype, features, dialect)
        kind = problem.random.choice(list(UPSTREAMS)) if problem.seed else "ones"
        draw = _one_large if self.one_large else UPSTREAMS[kind]
        drawn = draw(problem.random, (*problem.query.shape[:-1], problem.value.shape[-1]))
        axes = problem.axes | {"upstream": problem.axes["query"][:-1] + problem.axes["value"][-1]}
        inherited = {one.name: getattr(problem, one.name) for one in fields(problem)} | {"axes": axes}
        return Backward(**inherited, upstream=in_format(drawn, dtype))


A_THIRD = 33
"""The number of problems: the bounds of three gradients cost as much as three problems."""


def backwards(stream: Stream) -> Stream:
    """Return the same problems, each with an upstream gradient."""
    return Stream(stream.strategy, lambda plan: BackwardPlan(stream.narrow(plan)), A_THIRD)


ANY_BACKWARD = backwards(ANY_PROBLEM)


@lru_cache(maxsize=2048)
def gradients(subject: Subject, problem: Backward) -> Gradients:
    """Return the gradients of the implementation, computed once for all laws."""
    answer = subject.gradient(problem.query, problem.key, problem.value, problem.upstream, **problem.options)
    for array in answer:
        array.flags.writeable = False
    return Gradients(*answer)


@lru_cache(maxsize=2048)
def expected_gradients(problem: Backward, precision: Precision) -> ExpectedGradients:
    """Return the gradients in closed form, each with its derived error bound.

    Where fully masked rows are not zeros, nothing is promised of a head that has one.
    """
    bias = problem.logit_bias
    oracles = gradient_bound.gradient(
        problem.query,
        problem.key,
        problem.value,
        problem.upstream,
        dtype=problem.dtype,
        arithmetic=precision,
        scale=problem.scale,
        bias=bias,
    )
    if bias is None or problem.dialect.unseeing is Unseeing.ZEROS:
        return ExpectedGradients(*oracles)
    all_see = np.asarray(problem.seen.any(axis=-1).all(axis=-1))[..., None, None]
    return ExpectedGradients(*(replace(oracle, error=np.where(all_see, oracle.error, np.inf)) for oracle in oracles))


def total(oracle: Expected, value: Array | float) -> Expected:
    """Return `value` as the expected sum of a gradient over the tokens, with a bound to which all errors add up.

    The sum itself is rounded as well, in float64, fewer times than there are tokens.
    """
    error = oracle.tolerance.sum(axis=-2)
    error += 2.0**-52 * oracle.value.shape[-2] * (np.abs(oracle.value).sum(axis=-2) + error)
    return Expected(np.broadcast_to(value, error.shape), error, "float64", oracle.flush)


def silenced(oracle: Expected, rows: Array) -> Expected:
    """Return the expectation with exact zeros in some rows, except where it is vacuous."""
    zeros = rows[..., None] & ~oracle.vacuous
    value, error = (np.where(zeros, 0.0, array) for array in (oracle.value, oracle.error))
    return replace(oracle, value=value, error=error)


def natives(subject: Subject, problem: Backward) -> list[Any]:
    """Return query, key, value and the upstream gradient as native arrays of the implementation."""
    return [subject.give(array) for array in arrays(problem)]


def arrays(problem: Backward) -> tuple[Array, Array, Array, Array]:
    """Return query, key, value and the upstream gradient."""
    return problem.query, problem.key, problem.value, problem.upstream


def assert_inside_bounds(got: Iterable[Array], oracles: Iterable[Expected]) -> None:
    """Raise `Disagreement` unless every element of every gradient is inside its derived bound."""
    for name, one, oracle in zip(Gradients._fields, got, oracles, strict=True):
        assert_inside_bound(one, oracle, of=f"of the {name}'s gradient")


def assert_all_same_bits(got: Iterable[Array], other: Iterable[Array]) -> None:
    """Raise `Disagreement` unless all gradients are the same bits."""
    for name, one, two in zip(Gradients._fields, got, other, strict=True):
        assert_same_bits(one, two, of=f"of the {name}'s gradient")


def assert_all_equal(
    got: Iterable[Array],
    other: Iterable[Array],
    oracles: Iterable[Expected],
    where: Iterable[Array] = EVERYWHERE,
) -> None:
    """Raise `Disagreement` unless all numbers at `where` are exactly equal, except where the oracle is vacuous."""
    for name, one, two, oracle, place in zip(Gradients._fields, got, other, oracles, where, strict=True):
        assert_equal(one, two, place & ~oracle.vacuous, of=f"of the {name}'s gradient")
