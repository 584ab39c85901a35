"""Agreement of the matrix path with the vector path: clauses `matrix` and `omitted-scale`."""

from dataclasses import replace

import numpy as np

from attention_tests import Precision, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import (
    answer,
    assert_inside_bound,
    assert_outside_bound,
    expected,
    expected_of_sentence,
    moved,
    picked,
)
from properties.drawing.problem import Problem, Sentence
from properties.drawing.streams import ANY_PROBLEM, ANY_SENTENCE, problems
from reference import vector

PROBLEMS_WITH_SPREAD_SCORES = problems(
    regimes=("normal", "small integers"), d_k=(4, 5, 7, 8, 16), keys=(2, 3, 4, 5, 8, 16)
)


@law("matrix", given=ANY_PROBLEM)
def test_vector_path_agrees_with_matrix_path(subject: Subject, problem: Problem) -> None:
    """Attention over all tokens at once gives each token the output of the document's steps for that token alone."""
    run = tuple(problem.random.integers(problem.query.shape[:3]))
    head = run[:2]
    word = vector.attend(problem.query[run].tolist(), problem.key[head].tolist(), problem.value[head].tolist())
    bound = moved(picked(expected(problem, subject.precision), run), np.array(word))
    assert_inside_bound(answer(subject, problem)[run], bound)


@law("matrix", Step.SELF_ATTENTION, given=ANY_SENTENCE)
def test_self_attention_is_attention_of_the_projections(subject: Subject, sentence: Sentence) -> None:
    """Self-attention is attention of the three projections of the tokens."""
    output = subject.self_attention(sentence.x, sentence.w_query, sentence.w_key, sentence.w_value)
    assert_inside_bound(output, expected_of_sentence(sentence, subject.precision))


@law("matrix", Step.SCORE, Step.SCALE, Step.SOFTMAX, Step.WEIGH, Step.SUM, given=ANY_PROBLEM)
def test_steps_compose_to_attention(subject: Subject, problem: Problem) -> None:
    """Score, scale, softmax, weigh and sum, one after the other, are attention."""
    weights = subject.softmax(subject.scale(subject.score(problem.query, problem.key), problem.d_k))
    output = subject.sum(subject.weigh(weights, problem.value))
    # Each step rounds its result to the dtype: that is the arithmetic which `pure` describes.
    assert_inside_bound(output, expected(problem, Precision.pure(problem.dtype)))


@law("omitted-scale", given=PROBLEMS_WITH_SPREAD_SCORES)
def test_attention_without_the_scale_differs_from_the_vector_path(subject: Subject, problem: Problem) -> None:
    """Attention without the scale, as the matrix path of §3.2 writes it, differs from the vector path."""
    unscaled = expected(replace(problem, scale=1.0), subject.precision)
    assert_outside_bound(answer(subject, problem), unscaled, expected(problem, subject.precision))
