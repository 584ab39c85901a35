"""Attention over all positions, which have no order: clause `global-view`."""

import numpy as np

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import (
    answer,
    assert_changed,
    assert_inside_bound,
    expected,
    expected_of_sentence,
    moved,
    picked,
)
from properties.drawing.problem import Problem, Sentence
from properties.drawing.streams import ANY_PROBLEM, ANY_SENTENCE, problems, sentences

PROBLEMS_WITH_MODERATE_SCORES = problems(regimes=("small integers", "normal", "uniform", "ties"), overlays=("none",))
SENTENCES_WITH_MODERATE_SCORES = sentences(regimes=("small integers", "uniform"))


@law("global-view", given=PROBLEMS_WITH_MODERATE_SCORES)
def test_every_value_reaches_every_output(subject: Subject, problem: Problem) -> None:
    """A value that changes, at any position, changes every output that gives it weight."""
    value = problem.value.copy()
    value[..., problem.random.integers(value.shape[-2]), :] -= 8
    changed = problem.with_arrays(value=value)
    oracles = (expected(problem, subject.precision), expected(changed, subject.precision))
    assert_changed(answer(subject, problem), answer(subject, changed), oracles)


@law("global-view", Step.SELF_ATTENTION, given=SENTENCES_WITH_MODERATE_SCORES)
def test_every_token_reaches_every_output(subject: Subject, sentence: Sentence) -> None:
    """A token that changes, at any position, changes the outputs of all tokens before and after it."""
    x = sentence.x.copy()
    x[sentence.random.integers(len(x))] *= -1
    changed = sentence.with_arrays(x=x)
    oracles = (expected_of_sentence(sentence, subject.precision), expected_of_sentence(changed, subject.precision))
    before, after = (subject.self_attention(one.x, one.w_query, one.w_key, one.w_value) for one in (sentence, changed))
    assert_changed(before, after, oracles)


@law("global-view", given=ANY_PROBLEM)
def test_reordering_keys_with_their_values_changes_nothing(subject: Subject, problem: Problem) -> None:
    """Keys and values reordered together give the same outputs: positions have no order."""
    order = problem.random.permutation(problem.key.shape[-2])
    output = subject.attention(problem.query, problem.key[..., order, :], problem.value[..., order, :])
    assert_inside_bound(output, expected(problem, subject.precision))


@law("global-view", Step.SELF_ATTENTION, given=ANY_SENTENCE)
def test_reordering_tokens_reorders_outputs(subject: Subject, sentence: Sentence) -> None:
    """Tokens in another order give the same self-attention outputs in that order."""
    order = sentence.random.permutation(len(sentence.x))
    output = subject.self_attention(sentence.x[order], sentence.w_query, sentence.w_key, sentence.w_value)
    assert_inside_bound(output, picked(expected_of_sentence(sentence, subject.precision), order))


@law("global-view", Feature.LENGTHS, given=ANY_PROBLEM)
def test_repeating_every_key_with_its_value_changes_nothing(subject: Subject, problem: Problem) -> None:
    """Repeating every key with its value changes nothing: each copy gets half the weight."""
    twice = problem.with_arrays(key=np.repeat(problem.key, 2, axis=-2), value=np.repeat(problem.value, 2, axis=-2))
    once = expected(problem, subject.precision)
    assert_inside_bound(answer(subject, twice), moved(expected(twice, subject.precision), once.value, once.radius))
