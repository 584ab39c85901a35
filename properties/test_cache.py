"""Key/value caches: attention over the tokens appended so far (clause `every-word`), on histories of calls."""

import numpy as np

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import assert_inside_bound, assert_same_bits, moved
from properties.checks.histories import answer, definition, outputs, play
from properties.drawing.claims import only
from properties.drawing.histories import ONE_CACHE, SEVERAL_HEADS, SHARED_HEADS, TWO_CACHES, Call, History, HistoryPlan
from properties.drawing.plans import Plan

NORMAL = Plan(d_k=4, d_v=4, regimes=("normal",))
APPEND, ATTEND = Call("append"), Call("attend")
AT_ONCE = (7, 15, 31, 63, 127, 255, 511, 1023, 2047)
ONE_BY_ONE = (17, 33, 65, 129, 257)
LONG = only(
    *(HistoryPlan((Call("append", n), *(ATTEND, APPEND) * 2, ATTEND), NORMAL) for n in AT_ONCE),
    *(HistoryPlan((*(APPEND,) * n, ATTEND, APPEND, ATTEND), NORMAL) for n in ONE_BY_ONE),
)


@law("every-word", Step.CACHE, given=ONE_CACHE)
def test_a_cache_answers_for_every_word_so_far(subject: Subject, history: History) -> None:
    """Attending to a cache is attention over every token appended to it so far, however the appends were split."""
    assert_inside_bound(answer(subject, history), definition(history, subject.precision))


@law("every-word", Step.CACHE, given=LONG)
def test_no_cache_is_too_long(subject: Subject, history: History) -> None:
    """A cache of any length, filled at once or token by token, attends to every token, beyond any block size."""
    assert_inside_bound(answer(subject, history), definition(history, subject.precision))


@law("every-word", Step.CACHE, Feature.GROUPED_HEADS, given=SHARED_HEADS)
def test_heads_share_the_key_heads_of_a_cache(subject: Subject, history: History) -> None:
    """In a cache with fewer key heads than query heads, query head h reads key head h // group."""
    assert_inside_bound(answer(subject, history), definition(history, subject.precision))


@law("every-word", Step.CACHE, given=ONE_CACHE)
def test_words_appended_one_by_one_are_words_appended_at_once(subject: Subject, history: History) -> None:
    """Appending tokens one by one gives the same outputs as appending several at once."""
    oracle = definition(history, subject.precision)
    at_once = moved(oracle, answer(subject, history), oracle.tolerance)
    assert_inside_bound(answer(subject, history.word_by_word), at_once)


@law("every-word", Step.CACHE, given=ONE_CACHE)
def test_asking_a_cache_changes_nothing(subject: Subject, history: History) -> None:
    """Attending twice with the same queries gives the same bits twice, and leaves the cache unchanged."""
    twice = [part for part in history.parts for _ in range(2 if part.call.method == "attend" else 1)]
    assert_same_bits(outputs(play(subject, history, twice)), answer(subject, history))


@law("every-word", Step.CACHE, given=TWO_CACHES)
def test_a_cache_knows_nothing_of_another(subject: Subject, history: History) -> None:
    """Two caches in use at the same time give the same bits as two that are used one after the other."""
    in_turn = sorted(history.parts, key=lambda part: part.call.cache)
    assert_same_bits(answer(subject, history), outputs(play(subject, history, in_turn)))


@law("every-word", Step.CACHE, Feature.MUTABLE, given=ONE_CACHE)
def test_appended_words_are_the_own_of_the_cache(subject: Subject, history: History) -> None:
    """Overwriting the arrays that were appended to a cache changes no later output."""
    overwritten = outputs(play(subject, history, history.parts, overwriting=True))
    assert_same_bits(overwritten, answer(subject, history))


@law("every-word", Step.CACHE, given=TWO_CACHES)
def test_answers_of_a_cache_stay_as_they_are(subject: Subject, history: History) -> None:
    """An output of a cache keeps its numbers, whatever is appended or attended to later."""
    read_in_the_end = outputs(list(play(subject, history, history.parts)))
    assert_same_bits(read_in_the_end, answer(subject, history))


@law("every-word", Step.CACHE, Feature.HEADS, given=SEVERAL_HEADS)
def test_heads_of_a_cache_stay_apart(subject: Subject, history: History) -> None:
    """The other heads and batches of a cache, even if they hold NaN, change no bit of an output."""
    batch, head = (history.random.integers(size) for size in history.query.shape[:2])
    arrays = {name: np.full_like(getattr(history, name), np.nan) for name in history.axes}
    for name, array in arrays.items():
        array[batch, head] = getattr(history, name)[batch, head]
    alone = answer(subject, history.with_arrays(**arrays))
    assert_same_bits(alone[batch, head], answer(subject, history)[batch, head])
