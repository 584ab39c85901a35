"""Sizes at the block boundaries of kernels, one below them and one above: clause `matrix`."""

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_inside_bound, expected
from properties.drawing.claims import only
from properties.drawing.exact_lists import HIDING, KEYS, MORE_KEYS, few_keys, shapes
from properties.drawing.plans import Plan
from properties.drawing.problem import Problem
from properties.drawing.real_sizes import WINDOWS

LENGTHS = (1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 255, 257, 511, 513, 1023, 1025, 2049)
WIDTHS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128, 129, 191, 193, 255, 256, 257)

PROBLEMS_BY_NUMBER_OF_KEYS = only(
    *(Plan(queries=2, keys=n, d_k=4, d_v=4, regimes=("normal",), seed=n) for n in LENGTHS),
    Plan(keys=16385, d_k=4, d_v=4, regimes=("scores far below",), seed=16385),
)
PROBLEMS_BY_NUMBER_OF_QUERIES = only(
    *(Plan(queries=n, keys=3, d_k=4, d_v=4, regimes=("normal",), seed=n) for n in LENGTHS)
)
FEW_KEYS = few_keys(*shapes((*KEYS[2:], *MORE_KEYS)), *shapes(MORE_KEYS, options=HIDING), *WINDOWS)
PROBLEMS_BY_WIDTH = only(*(Plan(queries=2, keys=5, d_k=n, d_v=n, regimes=("uniform",), seed=n) for n in WIDTHS))


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
