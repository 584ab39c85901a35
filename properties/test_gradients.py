"""Gradients of unmasked attention: the clauses on the output, applied to its derivatives."""

import numpy as np

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import assert_at_most, assert_inside_bound, moved, picked
from properties.checks.differences import SmallStep
from properties.checks.gradients import (
    ZEROS,
    assert_all_equal,
    assert_inside_bounds,
    expected_gradients,
    gradients,
    sum_over_tokens,
    with_zero_rows,
)
from properties.drawing.claims import only
from properties.drawing.gradient_options import LONG
from properties.drawing.gradients import ANY_GRADIENT_PROBLEM, Backward, BackwardPlan, gradient_problems
from properties.drawing.plans import Plan
from properties.drawing.streams import OptionChoices, problems
from reference import matrix

GRADIENT_PROBLEMS_OF_SMALL_INTEGERS = gradient_problems(
    problems(regimes=("small integers", "iota", "ones"), overlays=("none",), d_k=(1, 2, 3, 4))
)
GRADIENT_PROBLEMS_WITH_A_SCALE = gradient_problems(
    problems(options=OptionChoices(scales=(0.0, 1.0, -0.5, 0.25, 3.0))), at_most=16
)
GRADIENT_PROBLEM_WITH_MANY_QUERIES = only(
    BackwardPlan(Plan(queries=767, keys=2, d_k=4, d_v=4, regimes=("uniform",)), one_large=True)
)


@law("matrix", Step.GRADIENT, given=ANY_GRADIENT_PROBLEM)
def test_gradients_are_those_of_the_formula(subject: Subject, problem: Backward) -> None:
    """The gradients are those of softmax(Q Kᵀ / √d_k) V."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("matrix", Step.GRADIENT, Feature.LENGTHS, given=LONG)
def test_gradients_are_right_at_any_sequence_length(subject: Subject, problem: Backward) -> None:
    """The gradients are right at any sequence length, beyond any block size."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("sum", Step.GRADIENT, Feature.LENGTHS, given=GRADIENT_PROBLEM_WITH_MANY_QUERIES)
def test_gradients_of_the_values_keep_many_small_contributions(subject: Subject, problem: Backward) -> None:
    """The gradients of the values keep the small contributions of many queries, even after a large one."""
    assert_inside_bound(gradients(subject, problem).value, expected_gradients(problem, subject.precision).value)


@law("matrix", Step.ATTENTION, Step.GRADIENT, given=GRADIENT_PROBLEMS_OF_SMALL_INTEGERS)
def test_gradients_predict_how_the_output_changes(subject: Subject, problem: Backward) -> None:
    """The gradients predict the difference of the outputs a small step ahead and behind, up to the curvature."""
    nudge = SmallStep.of(problem)
    stray = np.abs(nudge.difference(subject) - nudge.predicted_difference(subject))
    assert_at_most(stray, np.zeros(()), nudge.slack(subject.precision))


@law("scale", Step.GRADIENT, Feature.SCALE, given=GRADIENT_PROBLEMS_WITH_A_SCALE)
def test_an_explicit_scale_multiplies_the_gradients_of_the_scores(subject: Subject, problem: Backward) -> None:
    """An explicit scale, zero and negative ones included, multiplies the gradients of the scores."""
    assert_inside_bounds(gradients(subject, problem), expected_gradients(problem, subject.precision))


@law("softmax", Step.GRADIENT, given=ANY_GRADIENT_PROBLEM)
def test_gradients_of_the_keys_sum_to_zero(subject: Subject, problem: Backward) -> None:
    """The gradients of the keys sum to zero, for adding one vector to all keys changes no weight."""
    oracle = sum_over_tokens(expected_gradients(problem, subject.precision).key, 0.0)
    assert_inside_bound(gradients(subject, problem).key.sum(axis=-2), oracle)


@law("softmax", Step.GRADIENT, given=ANY_GRADIENT_PROBLEM)
def test_gradients_of_the_values_sum_to_those_of_the_outputs(subject: Subject, problem: Backward) -> None:
    """The gradients of the values sum to the upstream gradients, for the weights of a query sum to 1."""
    oracle = sum_over_tokens(expected_gradients(problem, subject.precision).value, problem.upstream.sum(axis=-2))
    assert_inside_bound(gradients(subject, problem).value.sum(axis=-2), oracle)


@law("weigh", Step.GRADIENT, given=ANY_GRADIENT_PROBLEM)
def test_gradients_of_the_values_are_the_weights(subject: Subject, problem: Backward) -> None:
    """The derivative of an output component with respect to the same component of a value is the weight."""
    query, component = problem.random.integers(problem.upstream.shape[-2:])
    upstream = np.zeros_like(problem.upstream)
    upstream[..., query, component] = 1
    one, weights = problem.with_arrays(upstream=upstream), matrix.weights(problem.query, problem.key)[..., query, :]
    oracle = expected_gradients(one, subject.precision).value
    by_weight = moved(oracle, weights[..., None] * upstream[..., [query], :], oracle.radius)
    assert_inside_bound(gradients(subject, one).value, by_weight)


@law("sum", Step.GRADIENT, given=ANY_GRADIENT_PROBLEM)
def test_negating_the_upstream_gradient_negates_the_gradients(subject: Subject, problem: Backward) -> None:
    """Negating the upstream gradient negates all gradients exactly: they are linear in it."""
    turned = gradients(subject, problem.with_arrays(upstream=-problem.upstream))
    there = (-array for array in gradients(subject, problem))
    assert_all_equal(turned, there, expected_gradients(problem, subject.precision))


@law("sum", Step.GRADIENT, given=ANY_GRADIENT_PROBLEM)
def test_an_upstream_gradient_of_zero_gives_gradients_of_zero(subject: Subject, problem: Backward) -> None:
    """An upstream gradient of zero gives gradients of exactly zero for query, key and value."""
    nothing = gradients(subject, problem.with_arrays(upstream=np.zeros_like(problem.upstream)))
    assert_all_equal(nothing, ZEROS, expected_gradients(problem, subject.precision))


@law("every-word", Step.GRADIENT, given=ANY_GRADIENT_PROBLEM)
def test_the_gradient_of_a_query_comes_from_its_own_output_only(subject: Subject, problem: Backward) -> None:
    """A query whose output has an upstream gradient of zero gets exactly zero, and no other query is affected."""
    silent = problem.random.permutation(problem.query.shape[-2]) % 2 == 0
    others = problem.with_arrays(upstream=np.where(silent[:, None], 0.0, problem.upstream))
    oracle = with_zero_rows(expected_gradients(problem, subject.precision).query, silent)
    assert_inside_bound(gradients(subject, others).query, oracle)


@law("global-view", Step.GRADIENT, given=ANY_GRADIENT_PROBLEM)
def test_reordering_tokens_reorders_gradients(subject: Subject, problem: Backward) -> None:
    """Queries, and keys with their values, in another order have the same gradients in that order."""
    rows, words = (np.s_[..., problem.random.permutation(array.shape[-2]), :] for array in (problem.query, problem.key))
    reordered = subject.gradient(problem.query[rows], problem.key[words], problem.value[words], problem.upstream[rows])
    oracles = zip(expected_gradients(problem, subject.precision), (rows, words, words), strict=True)
    assert_inside_bounds(reordered, (picked(oracle, order) for oracle, order in oracles))
