"""Claims of the document about its steps: refuted by a counterexample, held to its condition, or measured."""

from typing import Any, TypeAlias

import numpy as np

from attention_tests import Feature, Step
from attention_tests.engine.explain import one_line
from attention_tests.engine.law import law
from attention_tests.engine.measurements import record_finding
from attention_tests.execution.subject import Subject
from properties.checks.comparison import (
    assert_at_least,
    assert_at_most,
    assert_equal,
    assert_inside_bound,
    expected,
    expected_of_sentence,
    expected_weights,
    moved,
    weights,
)
from properties.drawing.claims import NotSelfDominant, QueryIsNotValue, Sample, only
from properties.drawing.problem import Problem, Sentence
from properties.drawing.streams import ANY_PROBLEM, ANY_SENTENCE
from reference import matrix

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

FALSE_ALARMS = 1e-3
"""The highest rate at which new samples would reject a correct implementation. The sample is fixed: it never does."""
SCORES = only(*(Sample(runs=4096, queries=1, keys=1, d_k=d_k) for d_k in (4, 16, 64, 256)))


@law("self-dominates", given=only(NotSelfDominant()))
def test_a_token_need_not_attend_most_to_itself(subject: Subject, problem: Problem) -> None:
    """Refuted: a token does not always attend most to itself."""
    record_finding(
        "counterexample",
        f"queries {problem.query.ravel()}, keys {problem.key.ravel()}: the first token scores the second higher",
    )
    seen = weights(subject, problem)[0, 0]
    assert_at_least(seen[0, 1], seen[0, 0], np.zeros(()))


@law("self-dominates", given=ANY_PROBLEM)
def test_a_token_attends_most_to_itself_if_queries_equal_keys_of_one_norm(subject: Subject, problem: Problem) -> None:
    """A token attends most to itself, up to ties, if every query equals its own key and all keys have one norm."""
    signs = np.where(problem.key < 0, -1.0, 1.0)
    alike = problem.with_arrays(query=signs, key=signs)
    own = np.diagonal(weights(subject, alike), axis1=-2, axis2=-1)[..., None]
    slack = expected_weights(subject, alike).tolerance
    assert_at_most(weights(subject, alike), own, slack + np.diagonal(slack, axis1=-2, axis2=-1)[..., None])


@law("query-is-value", Step.PROJECT, given=only(QueryIsNotValue()))
def test_queries_need_not_equal_values(subject: Subject, sentence: Sentence) -> None:
    """Refuted: a query and a value come from the same token, but not by the same matrix."""
    record_finding("counterexample", one_line(sentence))
    queries, values = subject.project(sentence.x, sentence.w_query), subject.project(sentence.x, sentence.w_value)
    assert_equal(values - queries, matrix.project(sentence.x, sentence.w_value - sentence.w_query))


@law("query-is-value", Step.PROJECT, given=ANY_SENTENCE)
def test_queries_equal_values_if_their_matrices_are_equal(subject: Subject, sentence: Sentence) -> None:
    """Query and value are equal in columns where their matrices are equal, and opposite where those are opposite."""
    signs = sentence.random.choice([-1.0, 1.0], sentence.w_value.shape[1])
    queries, values = (subject.project(sentence.x, w) for w in (signs * sentence.w_value, sentence.w_value))
    assert_equal(queries, signs * values)


@law("query-is-value", Step.SELF_ATTENTION, given=ANY_SENTENCE)
def test_values_come_from_their_own_matrix(subject: Subject, sentence: Sentence) -> None:
    """If all keys are zero, the output is the mean of the tokens times the value matrix."""
    silent = sentence.with_arrays(w_key=np.zeros_like(sentence.w_key))
    mean = matrix.project(sentence.x, sentence.w_value).mean(axis=0)
    output = subject.self_attention(silent.x, silent.w_query, silent.w_key, silent.w_value)
    assert_inside_bound(output, moved(expected_of_sentence(silent, subject.precision), mean))


@law("stable-gradients", Step.SCORE, Step.SCALE, given=SCORES)
def test_scaled_scores_keep_unit_variance(subject: Subject, sample: Problem) -> None:
    """Scaled scores of random queries and keys have a variance of 1 (Chebyshev, false alarms below 1 in 1000)."""
    scores = subject.score(sample.query, sample.key)
    scaled = subject.scale(scores, sample.d_k)
    record_finding(
        f"d_k = {sample.d_k}", f"variance of scores {np.mean(scores**2):.3g}, scaled {np.mean(scaled**2):.3g}"
    )
    variance_of_a_square = 2 + 6 / sample.d_k
    slack = np.sqrt(variance_of_a_square / (scaled.size * FALSE_ALARMS))
    assert_at_least(np.mean(scaled**2), np.ones(()), slack)
    assert_at_most(np.mean(scaled**2), np.ones(()), slack)


@law("stable-gradients", Feature.HEADS, Feature.LENGTHS, given=only(Sample(runs=128, queries=1, keys=16, d_k=256)))
def test_scaled_softmax_keeps_its_gradient(subject: Subject, sample: Problem) -> None:
    """The softmax is no more saturated at d_k = 256 than at d_k = 4 (Hoeffding, false alarms below 1 in 1000)."""
    narrow = sample.with_arrays(query=sample.query[..., :4], key=sample.key[..., :4], value=sample.value[..., :4])
    gradients = [gradient_of_softmax(weights(subject, one)) for one in (narrow, sample)]
    unscaled = gradient_of_softmax(matrix.weights(sample.query, sample.key, scale=1.0))
    record_finding("gradient of softmax at d_k = 256", f"{gradients[1]:.3g}, unscaled {unscaled:.3g}")
    slack = 2 * np.sqrt(np.log(4 / FALSE_ALARMS) / (2 * sample.query.shape[1]))
    assert_at_least(gradients[1], gradients[0], slack)


@law("matrix-is-faster", Feature.LENGTHS, given=only(Sample(runs=1, queries=64, keys=64, d_k=16)))
def test_one_call_equals_one_call_per_query(subject: Subject, sample: Problem) -> None:
    """One call for all queries gives the outputs of one call per query; the times of both are measured, not judged."""
    query, key, value = (subject.give(array) for array in (sample.query, sample.key, sample.value))
    words = [subject.give(sample.query[..., [word], :]) for word in range(sample.query.shape[-2])]
    one_call, word_by_word = ([(query, key, value) for query in queries] for queries in ([query], words))
    for calls in (one_call, word_by_word):
        shape = (*sample.query.shape[:2], sample.query.shape[2] // len(calls), sample.value.shape[-1])
        outputs = [subject.take(subject.attend_natively(*call), shape) for call in calls]
        assert_inside_bound(np.concatenate(outputs, axis=-2), expected(sample, subject.precision))
    ratio = subject.shortest_time(word_by_word) / subject.shortest_time(one_call)
    record_finding("one call per query / one call, n = 64", f"{ratio:.3g}")


def gradient_of_softmax(seen: Array) -> Any:
    """Return the mean trace of the Jacobian diag(p) - p pᵀ over all rows of weights: 0 where softmax is saturated."""
    return np.mean(1 - (seen**2).sum(axis=-1))
