"""Causality and windows: clause `every-word` with later or distant tokens hidden."""

from dataclasses import replace

import numpy as np

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_inside_bound, assert_same_bits, expected, picked
from properties.drawing.problem import HUGE, Problem
from properties.drawing.streams import ANY_PROBLEM, OptionChoices, problems

CAUSAL_PROBLEMS = problems(options=OptionChoices(causal=(True,)))
PROBLEMS_WITH_A_WINDOW = problems(options=OptionChoices(windows=(1, 2, 3, 8, 16)))
CAUSAL_PROBLEMS_WITH_A_WINDOW = problems(options=OptionChoices(causal=(True,), windows=(1, 2, 3, 8, 16)))


def with_as_many_queries_as_keys(problem: Problem) -> Problem:
    """Return the problem with as many queries as keys, for which all alignments agree."""
    rows = np.arange(problem.key.shape[-2]) % problem.query.shape[-2]
    return problem.with_arrays(query=problem.query[..., rows, :])


@law("every-word", Feature.CAUSAL, given=CAUSAL_PROBLEMS)
def test_a_causal_query_attends_to_no_later_token(subject: Subject, problem: Problem) -> None:
    """A causal query attends to its own token and to the earlier ones only."""
    square = with_as_many_queries_as_keys(problem)
    assert_inside_bound(answer(subject, square), expected(square, subject.precision))


@law("every-word", Feature.CAUSAL, Feature.LENGTHS, given=CAUSAL_PROBLEMS)
def test_causality_is_aligned_as_the_dialect_declares(subject: Subject, problem: Problem) -> None:
    """For any numbers of queries and keys, the alignment declared by the dialect says which token is a query's own."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("every-word", Feature.CAUSAL, given=CAUSAL_PROBLEMS)
def test_later_tokens_change_no_bit_of_earlier_outputs(subject: Subject, problem: Problem) -> None:
    """Huge keys and values at later tokens change no bit of earlier outputs, but for the sign of a zero."""
    square = with_as_many_queries_as_keys(problem)
    place = problem.random.integers(square.key.shape[-2])
    later = np.arange(square.key.shape[-2])[:, None] > place
    key, value = (np.where(later, HUGE[subject.dtype], array) for array in (square.key, square.value))
    changed = square.with_arrays(key=key, value=value)
    before, after = (answer(subject, one)[..., : place + 1, :] for one in (square, changed))
    # A later value adds a zero of its own sign, and a sum of zeros is -0 where all of them are. With 0 added, it is 0.
    assert_same_bits(after + 0.0, before + 0.0)


@law("every-word", Feature.CAUSAL, Feature.NON_FINITE, given=CAUSAL_PROBLEMS)
def test_nan_and_infinity_in_later_tokens_reach_no_earlier_output(subject: Subject, problem: Problem) -> None:
    """NaN and infinity in later keys and values do not change the outputs at earlier tokens."""
    square = with_as_many_queries_as_keys(problem)
    place = square.key.shape[-2] // 2
    later = np.arange(square.key.shape[-2])[:, None] > place
    for poison in (np.nan, np.inf):
        key, value = (np.where(later, poison, array) for array in (square.key, square.value))
        output = subject.attention(square.query, key, value, causal=True)[..., : place + 1, :]
        assert_inside_bound(output, picked(expected(square, subject.precision), np.s_[..., : place + 1, :]))


@law("every-word", Feature.CAUSAL, Feature.MASK, given=CAUSAL_PROBLEMS)
def test_causality_equals_a_triangular_mask(subject: Subject, problem: Problem) -> None:
    """Causal attention equals attention with a mask that hides the later tokens."""
    output = subject.attention(problem.query, problem.key, problem.value, mask=problem.seen)
    assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", Feature.CAUSAL, Feature.LENGTHS, given=CAUSAL_PROBLEMS)
def test_decoding_one_token_at_a_time_equals_causal_attention(subject: Subject, problem: Problem) -> None:
    """A query given only the keys and values so far, as when decoding, gets its row of causal attention."""
    square = with_as_many_queries_as_keys(problem)
    place = int(problem.random.integers(square.key.shape[-2]))
    so_far, own = (..., slice(0, place + 1), slice(None)), (..., slice(place, place + 1), slice(None))
    output = subject.attention(square.query[own], square.key[so_far], square.value[so_far])
    assert_inside_bound(output, picked(expected(square, subject.precision), own))


@law("every-word", Feature.WINDOW, given=PROBLEMS_WITH_A_WINDOW)
def test_a_window_hides_distant_tokens(subject: Subject, problem: Problem) -> None:
    """A query attends to tokens fewer than `window` positions away: on both sides, or earlier ones if causal."""
    square = with_as_many_queries_as_keys(problem)
    assert_inside_bound(answer(subject, square), expected(square, subject.precision))


@law("every-word", Feature.WINDOW, Feature.LENGTHS, given=PROBLEMS_WITH_A_WINDOW)
def test_a_window_is_aligned_as_the_dialect_declares(subject: Subject, problem: Problem) -> None:
    """For any numbers of queries and keys, a query's window lies at the token that the dialect aligns with it."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("every-word", Feature.WINDOW, given=ANY_PROBLEM)
def test_a_window_wider_than_the_sequence_changes_nothing(subject: Subject, problem: Problem) -> None:
    """A window that reaches past both ends of the sequence changes nothing."""
    reaching = problem.in_window(problem.query.shape[-2] + problem.key.shape[-2])
    assert_inside_bound(answer(subject, reaching), expected(replace(reaching, window=None), subject.precision))


@law("every-word", Feature.WINDOW, Feature.CAUSAL, Feature.COMBINED_MASKS, given=CAUSAL_PROBLEMS_WITH_A_WINDOW)
def test_a_causal_window_keeps_only_the_most_recent_tokens(subject: Subject, problem: Problem) -> None:
    """With causality and a window, a query attends to its own token and to the `window` - 1 tokens before it."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))
