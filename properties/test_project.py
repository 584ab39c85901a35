"""Projection of tokens to queries, keys and values: clauses `embed` and `project`."""

from attention_tests import Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import assert_equal, assert_inside_bound, expected_of_sentence, picked
from properties.checks.roundings import roundings_of
from properties.drawing.problem import Sentence
from properties.drawing.streams import ANY_SENTENCE, sentences
from reference.bounds import step_bounds

SENTENCES_OF_FEW_SMALL_INTEGERS = sentences(regimes=("ones", "iota", "small integers"), d_model=(1, 2, 3, 4, 5, 7))


@law("embed", Step.SELF_ATTENTION, given=ANY_SENTENCE)
def test_every_token_gives_one_output(subject: Subject, sentence: Sentence) -> None:
    """A sequence of any length, with tokens of any width, gives one output for every token."""
    output = subject.self_attention(sentence.x, sentence.w_query, sentence.w_key, sentence.w_value)
    assert_inside_bound(output, expected_of_sentence(sentence, subject.precision))


@law("project", Step.PROJECT, given=ANY_SENTENCE)
def test_projection_is_the_product_of_token_and_matrix(subject: Subject, sentence: Sentence) -> None:
    """A query is its token times the query matrix."""
    bound = step_bounds.project(sentence.x, sentence.w_query, roundings_of(subject.precision, sentence.dtype))
    assert_inside_bound(subject.project(sentence.x, sentence.w_query), bound)


@law("project", Step.PROJECT, given=SENTENCES_OF_FEW_SMALL_INTEGERS)
def test_projection_of_a_sum_is_the_sum_of_projections(subject: Subject, sentence: Sentence) -> None:
    """The projection is linear: exactly so on small integers."""
    other = sentence.x[::-1]
    apart = subject.project(sentence.x, sentence.w_value) + subject.project(other, sentence.w_value)
    assert_equal(subject.project(sentence.x + other, sentence.w_value), apart)


@law("project", Step.PROJECT, given=ANY_SENTENCE)
def test_each_token_is_projected_independently(subject: Subject, sentence: Sentence) -> None:
    """The projection of a token does not depend on the other tokens."""
    token = sentence.random.integers(len(sentence.x))
    bound = step_bounds.project(sentence.x, sentence.w_key, roundings_of(subject.precision, sentence.dtype))
    assert_inside_bound(subject.project(sentence.x[[token]], sentence.w_key), picked(bound, [token]))
