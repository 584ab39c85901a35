"""NaN and ∞ in values, queries and keys show in the rows that weigh them, and in no others."""

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Feature, Step
from attention_tests.engine.law import Stream, law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import (
    answer,
    assert_inside_bound,
    assert_same_bits,
    expected,
    expected_weights,
    moved,
)
from properties.checks.gradients import expected_gradients, gradients
from properties.drawing.claims import only
from properties.drawing.gradient_options import plan
from properties.drawing.gradients import Backward, Gradients, gradient_problems
from properties.drawing.problem import Problem
from properties.drawing.spoilt import Spoilt
from properties.drawing.streams import ANY_PROBLEM, OptionChoices, problems
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

PROBLEMS_WITH_A_MASK = problems(
    options=OptionChoices(masks=("most", "triangle", "padding", "one", "few", "fully masked rows"))
)
PROBLEMS_WITH_KEYS_HIDDEN_BY_A_BIAS = problems(
    options=OptionChoices(biases=("minus infinity",), axes=("111k", "b11k", "bh1k", "1k"))
)

HIDING = frozenset({Feature.MASK, Feature.BIAS, Feature.CAUSAL, Feature.WINDOW})


def few(stream: Stream) -> Stream:
    """Return 25 of the problems, every other one with a single query, as when decoding, and some of real sizes."""

    def narrow(drawn: Any) -> Any:
        plan = stream.narrow(drawn)
        if plan.seed % 3 == 2:
            plan = replace(plan, queries=min(plan.queries, 9), keys=65 + plan.seed % 70, d_k=64, d_v=8)
        return replace(plan, queries=1) if plan.seed % 2 else plan

    return Stream(stream.strategy, narrow, at_most=25)


OPTIONS = OptionChoices(
    masks=("", "", "most", "padding", "fully masked rows"),
    biases=("", "", "normal", "minus infinity"),
    causal=(False, False, True),
    windows=(None, None, 3),
    groups=(1, 2, 3),
    scales=(None, None, 0.25),
)
PROBLEMS = few(problems(sometimes_long=True, options=replace(OPTIONS, softcaps=(None, None, 30.0))))
GRADIENT_PROBLEMS = replace(gradient_problems(few(problems(options=OPTIONS))), at_most=25)
GRADIENT_PROBLEMS_WITH_HIDDEN_KEYS = only(
    plan((6, 9, 4, 4), 1, mask="most"),
    plan((6, 9, 4, 4), 2, bias="minus infinity"),
    plan((6, 9, 4, 4), 3, causal=True),
    plan((6, 9, 4, 4), 4, window=2),
    plan((6, 9, 4, 4), 5, window=3, group=2),
    plan((6, 9, 4, 4), 6, mask="few", group=3),
)


def non_finite_values(problem: Problem, *numbers: float) -> Array:
    """Return values of 0 with each of `numbers` in the first component of a random token."""
    array, random = np.zeros_like(problem.value), problem.random
    for number in numbers:
        array[..., random.integers(problem.value.shape[-2]), 0] = number
    return array


def as_projected(subject: Subject, words: Array) -> Array:
    """Return the values with NaN in every component of a token that has a non-finite one, if a layer projects them."""
    if not subject.implementation.dialect.projected:
        return words
    return np.where(np.isfinite(words).all(axis=-1, keepdims=True), words, np.nan)


def expected_with_non_finite_values(added: Array, subject: Subject, problem: Problem) -> Interval:
    """Return the expected output with NaN or ∞ added to values: vacuous where their weight may round to 0."""
    added = as_projected(subject, added)
    weights, plain = expected_weights(subject, problem), expected(problem, subject.precision)
    weighed = weights.value > weights.tolerance
    total = np.where(weighed[..., None], added[..., None, :, :], 0).sum(axis=-2)
    return moved(plain, plain.value + total, np.where((problem.seen & ~weighed) @ (added != 0), np.inf, 0))


@law("sum", given=ANY_PROBLEM)
def test_a_non_finite_value_reaches_every_output_that_weighs_it(subject: Subject, problem: Problem) -> None:
    """NaN or ∞ in a value component reaches that component, and no other, of every output that weighs it."""
    added = non_finite_values(problem, problem.random.choice((np.nan, np.inf, -np.inf)))
    output = subject.attention(problem.query, problem.key, problem.value + added)
    assert_inside_bound(as_projected(subject, output), expected_with_non_finite_values(added, subject, problem))


@law("sum", Feature.MASK, Feature.NON_FINITE, given=PROBLEMS_WITH_A_MASK)
def test_a_non_finite_value_does_not_reach_queries_it_is_masked_from(subject: Subject, problem: Problem) -> None:
    """NaN in a value reaches no query that the value is masked from, even if other queries attend to it."""
    added = non_finite_values(problem, np.inf, np.nan)
    output = subject.attention(problem.query, problem.key, problem.value + added, **problem.options)
    assert_inside_bound(as_projected(subject, output), expected_with_non_finite_values(added, subject, problem))


@law("every-word", Feature.BIAS, Feature.NON_FINITE, given=PROBLEMS_WITH_KEYS_HIDDEN_BY_A_BIAS)
def test_nan_and_infinity_in_tokens_hidden_by_a_bias_reach_no_output(subject: Subject, problem: Problem) -> None:
    """NaN and infinity in keys and values that a bias of -∞ hides from every query reach no output."""
    hidden = problem.keys_hidden_from_all
    for poison in (np.nan, np.inf, -np.inf):
        key, value = (np.where(hidden, poison, array) for array in (problem.key, problem.value))
        output = subject.attention(problem.query, key, value, **problem.options)
        assert_inside_bound(output, expected(problem, subject.precision))


def assert_nan_and_else_as_before(got: Array, before: Array, nan: Array, kept: Array, of: str = "") -> None:
    """Raise `Disagreement` unless all is NaN at `nan`, and has the bits of `before` at `kept`; the rest is free."""
    owed = np.where(nan, np.nan, before)
    assert_same_bits(np.where(nan | kept, got, owed), owed, of)


def assert_nan_and_else_right(got: Array, oracle: Interval, nan: Array, kept: Array, of: str = "") -> None:
    """Raise `Disagreement` unless all is NaN at `nan`, and right at `kept`; the rest is free."""
    value, error = np.where(nan, np.nan, oracle.value), np.where(nan | kept, oracle.error, np.inf)
    assert_inside_bound(got, replace(oracle, value=value, error=error), of)


def rows_to_keep(subject: Subject, spoilt: Spoilt[Any]) -> Array:
    """Return the rows that must not change.

    Where a layer projects tokens, a component that is NaN makes NaN of all heads of its token: of its query, or of
    query, key and value where these are of one token. The layer is given each head alone then, and so it may sum in
    another order: others are to be right, and need not keep their bits.
    """
    if not subject.implementation.dialect.projected:
        return ~spoilt.may_change
    reached = spoilt.may_change if Feature.LENGTHS in subject.features else spoilt.own_heads
    return np.asarray(~reached.any(axis=1, keepdims=True))


def keys_to_keep(subject: Subject, spoilt: Spoilt[Any]) -> Array:
    """Return the keys whose gradients must not change: of other heads, or of other batches if tokens are projected."""
    if not subject.implementation.dialect.projected:
        return ~spoilt.own_head
    return np.asarray(~spoilt.own_head.any(axis=1, keepdims=True))


def assert_shows_in_its_rows_only(subject: Subject, spoilt: Spoilt[Problem]) -> None:
    """Raise `Disagreement` unless NaN shows in the rows that it must, and the rows it may not reach keep their bits."""
    output = subject.attention(*spoilt.problem.inputs, **spoilt.problem.options)
    nan, kept = spoilt.reached[..., None], rows_to_keep(subject, spoilt)[..., None]
    if subject.implementation.dialect.projected:
        assert_nan_and_else_right(output, expected(spoilt.before, subject.precision), nan, kept)
    else:
        assert_nan_and_else_as_before(output, answer(subject, spoilt.before), nan, kept)


@law("every-word", given=PROBLEMS)
def test_nan_in_a_query_makes_its_row_nan_and_changes_no_other(subject: Subject, problem: Problem) -> None:
    """NaN in a component of a query makes its whole row NaN, if it sees a key, and changes no bit of another row."""
    assert_shows_in_its_rows_only(subject, Spoilt.of(problem, "query", np.nan))


@law("score", given=PROBLEMS)
def test_nan_in_a_key_makes_nan_of_every_row_that_sees_it(subject: Subject, problem: Problem) -> None:
    """NaN in a component of a key makes every row that sees it NaN, and changes no bit in heads that do not read it."""
    assert_shows_in_its_rows_only(subject, Spoilt.of(problem, "key", np.nan))


@law("softmax", given=PROBLEMS)
def test_infinity_in_a_query_or_a_key_makes_nan_of_a_row_with_an_infinite_score(
    subject: Subject, problem: Problem
) -> None:
    """A row that sees a score of +∞, or of 0 · ∞, is NaN; rows of other queries, or of other heads, keep their bits."""
    name, number = problem.random.choice(("query", "key")), problem.random.choice((np.inf, -np.inf))
    assert_shows_in_its_rows_only(subject, Spoilt.of(problem, name, number))


@law("every-word", Feature.NON_FINITE, HIDING, given=PROBLEMS)
def test_nan_and_infinity_in_a_key_reach_no_query_that_it_is_hidden_from(subject: Subject, problem: Problem) -> None:
    """NaN or ∞ in a key reaches no query that the key is hidden from, even if other queries see it."""
    spoilt = Spoilt.of(problem, "key", problem.random.choice((np.nan, np.inf, -np.inf)))
    output = subject.attention(*spoilt.problem.inputs, **spoilt.problem.options)
    plain, sees = expected(problem, subject.precision), spoilt.seen_by[..., None]
    assert_inside_bound(output, replace(plain, error=np.where(sees, np.inf, plain.error)))


@law("softmax", Feature.LOG_SUM_EXP, given=PROBLEMS)
def test_nan_in_a_query_or_a_key_shows_in_the_log_sum_exp(subject: Subject, problem: Problem) -> None:
    """The log-sum-exp of a row is NaN if it sees a score of NaN, and the bits of the others do not change."""
    spoilt = Spoilt.of(problem, str(problem.random.choice(("query", "key"))), np.nan)
    _, before = subject.attention_and_lse(*problem.inputs, **problem.options)
    _, lse = subject.attention_and_lse(*spoilt.problem.inputs, **spoilt.problem.options)
    assert_nan_and_else_as_before(lse, before, spoilt.reached, rows_to_keep(subject, spoilt))


@law("every-word", Step.GRADIENT, given=GRADIENT_PROBLEMS)
def test_nan_in_a_query_or_a_key_reaches_the_gradients_of_its_own_head_only(
    subject: Subject, problem: Backward
) -> None:
    """NaN in a query or a key makes NaN of the gradients of its rows and of what they see, and changes no others."""
    spoilt = Spoilt.of(problem, str(problem.random.choice(("query", "key"))), np.nan)
    got, before = gradients(subject, spoilt.problem), gradients(subject, problem)
    oracles = expected_gradients(problem, subject.precision)
    rows, keys = (spoilt.reached, rows_to_keep(subject, spoilt)), (spoilt.reached_keys, keys_to_keep(subject, spoilt))
    for name, (nan, kept) in zip(Gradients._fields, (rows, keys, keys), strict=True):
        of, places = f"of the {name}'s gradient", (nan[..., None], kept[..., None])
        if subject.implementation.dialect.projected:
            assert_nan_and_else_right(getattr(got, name), getattr(oracles, name), *places, of)
        else:
            assert_nan_and_else_as_before(getattr(got, name), getattr(before, name), *places, of)


@law("every-word", Step.GRADIENT, Feature.NON_FINITE, HIDING, given=GRADIENT_PROBLEMS_WITH_HIDDEN_KEYS)
def test_nan_in_a_key_or_a_value_reaches_no_gradient_of_a_query_that_it_is_hidden_from(
    subject: Subject, problem: Backward
) -> None:
    """NaN in a key or a value reaches the gradient of no query that it is hidden from, even if other queries see it."""
    projected, plain = subject.implementation.dialect.projected, expected_gradients(problem, subject.precision).query
    for name in ("key", "value"):
        spoilt = Spoilt.of(problem, name, np.nan)
        got, *_ = subject.gradient(*spoilt.problem.inputs, **spoilt.problem.options)
        reached = ~rows_to_keep(subject, spoilt) if projected else spoilt.seen_by
        owed = replace(plain, error=np.where(reached[..., None], np.inf, plain.error))
        assert_inside_bound(got, owed, of=f"of the query's gradient, with NaN in a {name},")
