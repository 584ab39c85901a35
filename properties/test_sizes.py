"""Sizes at the block boundaries of kernels, one below them and one above: clause `matrix`."""

import numpy as np

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_inside_bound, assert_same_bits, expected
from properties.drawing.by_size import PROBLEMS_BY_NUMBER_OF_KEYS, PROBLEMS_BY_NUMBER_OF_QUERIES, PROBLEMS_BY_WIDTH
from properties.drawing.claims import only
from properties.drawing.exact_lists import HIDING, KEYS, MORE_KEYS, few_keys, shapes
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.problem import Problem
from properties.drawing.real_sizes import WINDOWS

FEW_KEYS = few_keys(*shapes((*KEYS[2:], *MORE_KEYS)), *shapes(MORE_KEYS, options=HIDING), *WINDOWS)
MANY_KEYS = only(
    Plan(queries=1, keys=4097, d_k=8, d_v=8, regimes=("normal",), seed=1),
    Plan(heads=2, queries=1, keys=2500, d_k=16, d_v=16, regimes=("normal",), seed=2, options=Options(group=4)),
    Plan(heads=2, queries=65, keys=1040, d_k=8, d_v=8, regimes=("normal",), seed=3),
)
"""More keys than are summed at once, for one query and for several."""
TIMES = 4
"""Calls beyond the first: an order that is drawn anew for each is unlikely to be the same one every time."""
TILES_OF_QUERIES = only(
    *(Plan(heads=2, queries=n, keys=17, d_k=8, d_v=8, regimes=("normal",), seed=n) for n in (3, 16, 64, 130))
)


@law("matrix", Feature.LENGTHS, given=PROBLEMS_BY_NUMBER_OF_KEYS)
def test_any_number_of_keys_gives_the_right_output(subject: Subject, problem: Problem) -> None:
    """The output is right for any number of keys, beyond any block size."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("matrix", Feature.LENGTHS, given=PROBLEMS_BY_NUMBER_OF_QUERIES)
def test_any_number_of_queries_gives_the_right_output(subject: Subject, problem: Problem) -> None:
    """The output is right for any number of queries, beyond any block size."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("matrix", given=PROBLEMS_BY_WIDTH)
def test_any_width_gives_the_right_output(subject: Subject, problem: Problem) -> None:
    """The output is right for any width of queries, keys and values, beyond any block size."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("weigh", given=FEW_KEYS)
def test_a_few_keys_among_many_are_weighed_as_if_they_were_alone(subject: Subject, problem: Problem) -> None:
    """The output is right where a query weighs a few keys and no other, of up to 16,385: the last ones, or any."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("every-word", given=MANY_KEYS)
def test_many_keys_are_summed_in_the_same_order_every_time(subject: Subject, problem: Problem) -> None:
    """The same call gives the same bits every time, however many parts the keys are summed in."""
    first = answer(subject, problem)
    for _ in range(TIMES):
        assert_same_bits(subject.attention(problem.query, problem.key, problem.value), first)


@law("softmax", given=TILES_OF_QUERIES)
def test_each_query_has_a_largest_score_of_its_own(subject: Subject, problem: Problem) -> None:
    """The output is right where all scores of every other query are about 800, and all of the rest about -800."""
    query, key = problem.query.copy(), problem.key.copy()
    query[..., 0], key[..., 0] = np.where(np.arange(query.shape[2]) % 2, 40, -40), 20 * problem.d_k**0.5
    apart = problem.with_arrays(query=query, key=key)
    assert_inside_bound(answer(subject, apart), expected(apart, subject.precision))
