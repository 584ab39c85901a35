"""Key/value caches: attention over the tokens appended so far (clause `every-word`), on histories of calls."""

import numpy as np

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import assert_inside_bound, assert_same_bits, moved
from properties.checks.histories import answer, definition, outputs, play
from properties.drawing.claims import only
from properties.drawing.histories import (
    HISTORIES_OF_ONE_CACHE,
    HISTORIES_OF_TWO_CACHES,
    HISTORIES_WITH_GROUPED_HEADS,
    HISTORIES_WITH_SEVERAL_HEADS,
    Call,
    History,
    HistoryPlan,
)
from properties.drawing.plans import Plan

TOKENS_OF_NORMAL_NUMBERS = Plan(d_k=4, d_v=4, regimes=("normal",))
APPEND, ATTEND = Call("append"), Call("attend")
COUNTS_APPENDED_AT_ONCE = (7, 15, 31, 63, 127, 255, 511, 1023, 2047)
COUNTS_APPENDED_ONE_BY_ONE = (17, 33, 65, 129, 257)
LONG_HISTORIES = only(
    *(
        HistoryPlan((Call("append", n), *(ATTEND, APPEND) * 2, ATTEND), TOKENS_OF_NORMAL_NUMBERS)
        for n in COUNTS_APPENDED_AT_ONCE
    ),
    *(
        HistoryPlan((*(APPEND,) * n, ATTEND, APPEND, ATTEND), TOKENS_OF_NORMAL_NUMBERS)
        for n in COUNTS_APPENDED_ONE_BY_ONE
    ),
)


@law("every-word", Step.CACHE, given=HISTORIES_OF_ONE_CACHE)
def test_a_cache_attends_to_every_token_appended_so_far(subject: Subject, history: History) -> None:
    """Attending to a cache is attention over every token appended to it so far, however the appends were split."""
    assert_inside_bound(answer(subject, history), definition(history, subject.precision))


@law("every-word", Step.CACHE, given=LONG_HISTORIES)
def test_a_cache_of_any_length_attends_to_every_token(subject: Subject, history: History) -> None:
    """A cache of any length, filled at once or token by token, attends to every token, beyond any block size."""
    assert_inside_bound(answer(subject, history), definition(history, subject.precision))


@law("every-word", Step.CACHE, Feature.GROUPED_HEADS, given=HISTORIES_WITH_GROUPED_HEADS)
def test_query_heads_of_a_group_share_a_key_head_of_the_cache(subject: Subject, history: History) -> None:
    """In a cache with fewer key heads than query heads, query head h reads key head h // group."""
    assert_inside_bound(answer(subject, history), definition(history, subject.precision))


@law("every-word", Step.CACHE, given=HISTORIES_OF_ONE_CACHE)
def test_appending_tokens_one_by_one_equals_appending_them_at_once(subject: Subject, history: History) -> None:
    """Appending tokens one by one gives the same outputs as appending several at once."""
    oracle = definition(history, subject.precision)
    at_once = moved(oracle, answer(subject, history), oracle.tolerance)
    assert_inside_bound(answer(subject, history.token_by_token), at_once)


@law("every-word", Step.CACHE, given=HISTORIES_OF_ONE_CACHE)
def test_attending_to_a_cache_does_not_change_it(subject: Subject, history: History) -> None:
    """Attending twice with the same queries gives the same bits twice, and leaves the cache unchanged."""
    twice = [part for part in history.parts for _ in range(2 if part.call.method == "attend" else 1)]
    assert_same_bits(outputs(play(subject, history, twice)), answer(subject, history))


@law("every-word", Step.CACHE, given=HISTORIES_OF_TWO_CACHES)
def test_two_caches_do_not_affect_each_other(subject: Subject, history: History) -> None:
    """Two caches in use at the same time give the same bits as two that are used one after the other."""
    in_turn = sorted(history.parts, key=lambda part: part.call.cache)
    assert_same_bits(answer(subject, history), outputs(play(subject, history, in_turn)))


@law("every-word", Step.CACHE, Feature.MUTABLE, given=HISTORIES_OF_ONE_CACHE)
def test_overwriting_appended_arrays_does_not_change_the_cache(subject: Subject, history: History) -> None:
    """Overwriting the arrays that were appended to a cache changes no later output."""
    overwritten = outputs(play(subject, history, history.parts, overwriting=True))
    assert_same_bits(overwritten, answer(subject, history))


@law("every-word", Step.CACHE, given=HISTORIES_OF_TWO_CACHES)
def test_later_calls_of_a_cache_do_not_change_its_earlier_outputs(subject: Subject, history: History) -> None:
    """An output of a cache keeps its numbers, whatever is appended or attended to later."""
    read_in_the_end = outputs(list(play(subject, history, history.parts)))
    assert_same_bits(read_in_the_end, answer(subject, history))


@law("every-word", Step.CACHE, Feature.HEADS, given=HISTORIES_WITH_SEVERAL_HEADS)
def test_heads_and_batches_of_a_cache_do_not_affect_each_other(subject: Subject, history: History) -> None:
    """The other heads and batches of a cache, even if they hold NaN, change no bit of an output."""
    batch, head = (history.random.integers(size) for size in history.query.shape[:2])
    arrays = {name: np.full_like(getattr(history, name), np.nan) for name in history.axes}
    for name, array in arrays.items():
        array[batch, head] = getattr(history, name)[batch, head]
    alone = answer(subject, history.with_arrays(**arrays))
    assert_same_bits(alone[batch, head], answer(subject, history)[batch, head])
