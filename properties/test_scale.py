"""Division of the scores by the square root of the width of the keys: clause `scale`."""

import math
from dataclasses import replace

import numpy as np

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_inside_bound, expected, moved
from properties.checks.roundings import roundings_of
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM, problems
from reference.bounds import step_bounds

PROBLEMS_WITH_LARGE_INPUTS = problems(regimes=("large",), overlays=("none", "tied rows"))
SCALES = (1.0, -1.0, 0.25, 3.0, -0.1, 1e-6, 40.0)


@law("scale", Step.SCALE, given=ANY_PROBLEM)
def test_scores_are_divided_by_the_square_root_of_the_key_width(subject: Subject, problem: Problem) -> None:
    """A scaled score is the score divided by √d_k."""
    bound = step_bounds.scale(problem.scores, problem.d_k, roundings_of(subject.precision, problem.dtype))
    assert_inside_bound(subject.scale(problem.scores, problem.d_k), bound)


@law("scale", Feature.SCALE, given=ANY_PROBLEM)
def test_default_scale_is_one_over_the_square_root_of_the_key_width(subject: Subject, problem: Problem) -> None:
    """An explicit scale of 1/√d_k equals the default."""
    explicit = subject.attention(problem.query, problem.key, problem.value, scale=1 / math.sqrt(problem.d_k))
    assert_inside_bound(explicit, expected(problem, subject.precision))


@law("scale", Feature.VALUE_WIDTH, given=ANY_PROBLEM)
def test_wider_values_do_not_change_the_scale(subject: Subject, problem: Problem) -> None:
    """The scale is that of the keys: more value columns change nothing in the columns that were there."""
    width = problem.value.shape[-1]
    wider = np.concatenate([problem.value] * 3, axis=-1)
    output = subject.attention(problem.query, problem.key, wider)
    assert_inside_bound(output[..., :width], expected(problem, subject.precision))


@law("scale", Feature.SCALE, given=ANY_PROBLEM)
def test_scale_of_zero_weighs_all_keys_equally(subject: Subject, problem: Problem) -> None:
    """A scale of zero makes all scores equal: the output is the mean of the values."""
    bound = expected(replace(problem, scale=0.0), subject.precision)
    output = subject.attention(problem.query, problem.key, problem.value, scale=0.0)
    assert_inside_bound(output, moved(bound, problem.value.mean(axis=-2, keepdims=True)))


@law("scale", Feature.SCALE, given=ANY_PROBLEM)
def test_scale_can_be_folded_into_the_query(subject: Subject, problem: Problem) -> None:
    """Four times the scale with a quarter of the query gives the same output."""
    quarter = problem.with_arrays(query=problem.query / 4)
    folded = replace(quarter, scale=4 / math.sqrt(problem.d_k))
    plain = quarter.with_arrays(query=quarter.query * 4)
    output = subject.attention(folded.query, folded.key, folded.value, scale=folded.scale)
    default = expected(plain, subject.precision)
    assert_inside_bound(output, moved(expected(folded, subject.precision), default.value, default.radius))


@law("scale", Feature.SCALE, given=ANY_PROBLEM)
def test_every_scale_is_used(subject: Subject, problem: Problem) -> None:
    """Each explicit scale is used, whatever scale an earlier call had."""
    for scale in problem.random.choice(SCALES, 2, replace=False):
        output = subject.attention(problem.query, problem.key, problem.value, scale=float(scale))
        assert_inside_bound(output, expected(replace(problem, scale=float(scale)), subject.precision))


@law("scale", given=PROBLEMS_WITH_LARGE_INPUTS)
def test_large_inputs_do_not_overflow_before_the_scale(subject: Subject, problem: Problem) -> None:
    """Queries and keys of ±100 give the right output, although their dot products exceed the range of float16."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))
