"""Problems that are owed to the bit: which key a query reads, and how often each key is counted.

Clause `every-word`: an output is made of the tokens that its query weighs, each one once, and of no other.
"""

from attention_tests import Feature, Step
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, answer_and_lse, assert_equal, assert_inside_bound, expected
from properties.checks.exact import assert_gathered, assert_scattered
from properties.checks.gradients import gradients
from properties.drawing.exact import Gather
from properties.drawing.exact_lists import GROUPS, HIDING, KEYS, MORE_KEYS, WIDTHS, counts, gathers, scatters, shapes
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.problem import Problem
from properties.drawing.real_sizes import REAL_SIZES
from properties.drawing.scatter import Scatter

OPTIONS = frozenset({Feature.MASK, Feature.BIAS, Feature.CAUSAL, Feature.WINDOW})

ALL_KEYS = KEYS + MORE_KEYS
GROUPED = (
    *shapes(ALL_KEYS, queries=(1,), heads=(2, 1, 3), groups=GROUPS),
    *shapes(ALL_KEYS[::3], queries=(3, 65, 8), heads=(2, 3, 1), groups=GROUPS),
)
HIDDEN = tuple(shapes(KEYS[1:] * 2 + MORE_KEYS, options=HIDING))
GROUPED_AND_HIDDEN = tuple(shapes(KEYS[1:] + MORE_KEYS, queries=(1, 3, 65), groups=GROUPS, options=HIDING))
ALONE = tuple(shapes(ALL_KEYS))
LONG = tuple(
    Plan(batch=1, heads=heads, keys=n_k, d_k=width, d_v=width, seed=n_k, options=Options(group=group))
    for heads, group, n_k, width in ((1, 1, 16385, 64), (2, 1, 4097, 128), (1, 2, 12289, 64), (2, 2, 4100, 64))
)
"""Decoding at the width of real heads."""
SQUARE = tuple(
    Plan(queries=n_q, keys=n_k, d_k=8, d_v=8, heads=heads, seed=n_k, options=Options(group=group))
    for heads, group, n_k, n_q in (
        *((heads, group, n, n) for heads, group in ((2, 1), (1, 2), (2, 2), (1, 3)) for n in (127, 128)),
        *((heads, group, n, n + 1) for heads, group in ((1, 1), (2, 1), (1, 2), (2, 2), (1, 3)) for n in (127, 128)),
        (1, 1, 255, 256),
        *((1, 3, n, 64) for n in (127, 128, 255, 256)),
    )
)
"""About as many queries as keys, of two tiles."""
OF_EACH_WIDTH = tuple(Plan(batch=3, heads=2, queries=9, keys=65, d_k=n, d_v=n, seed=n) for n in WIDTHS)

MANY = tuple(shapes((16385, 129, 257), queries=(1, 63, 2), heads=(1,), batches=(3,)))
"""Three batches and more, of sizes that cost much."""

ROWS = gathers(*ALONE, *OF_EACH_WIDTH, *LONG[:2], *MANY, *(plan for plan in SQUARE if plan.options.group == 1))
ROWS_OF_GROUPS = gathers(*GROUPED, *LONG[2:], *(plan for plan in SQUARE if plan.options.group > 1))
ROWS_UNDER_OPTIONS = gathers(*HIDDEN)
ROWS_OF_GROUPS_UNDER_OPTIONS = gathers(*GROUPED_AND_HIDDEN)
REAL_ROWS = gathers(*REAL_SIZES)
COUNTS = counts(*ALONE[::2])
COUNTS_OF_GROUPS = counts(*GROUPED[::2])
COUNTS_UNDER_OPTIONS = counts(*HIDDEN[::2])
BACKWARD_ROWS = scatters(*ALONE[::2], *OF_EACH_WIDTH)
BACKWARD_ROWS_OF_GROUPS = scatters(*GROUPED[::2])
BACKWARD_ROWS_UNDER_OPTIONS = scatters(*HIDDEN[::2])


@law("every-word", given=ROWS)
def test_a_query_gets_the_value_of_the_key_that_it_asks_for(subject: Subject, problem: Gather) -> None:
    """A query that scores far lower with all other keys gets the value of its key to the bit, of up to 16,385."""
    assert_gathered(answer(subject, problem), problem)


@law("every-word", Feature.GROUPED_HEADS, given=ROWS_OF_GROUPS)
def test_a_query_of_a_group_gets_the_value_that_it_asks_for(subject: Subject, problem: Gather) -> None:
    """With grouped heads, a query gets the value that it asks for from its own key head and batch, to the bit."""
    assert_gathered(answer(subject, problem), problem)


@law("every-word", OPTIONS, given=ROWS_UNDER_OPTIONS)
def test_a_query_gets_the_value_that_it_asks_for_beside_hidden_keys(subject: Subject, problem: Gather) -> None:
    """Beside hidden keys that would score far higher, a query gets the value of its key, to the bit."""
    assert_gathered(answer(subject, problem), problem)


@law("every-word", Feature.GROUPED_HEADS, OPTIONS, given=ROWS_OF_GROUPS_UNDER_OPTIONS)
def test_a_query_of_a_group_gets_its_value_beside_hidden_keys(subject: Subject, problem: Gather) -> None:
    """With grouped heads and beside hidden keys, a query gets the value of the key that it asks for, to the bit."""
    assert_gathered(answer(subject, problem), problem)


@law("every-word", given=REAL_ROWS)
def test_a_query_gets_the_value_that_it_asks_for_at_real_sizes(subject: Subject, problem: Gather) -> None:
    """At sizes and with options that models and servers call with, a query gets the value of its key, to the bit."""
    assert_gathered(answer(subject, problem), problem)


@law("softmax", Feature.LOG_SUM_EXP, given=ROWS)
def test_log_sum_exp_of_one_key_with_a_score_of_zero_is_zero(subject: Subject, problem: Gather) -> None:
    """The log-sum-exp is 0 to the bit if one key scores 0 and all others far lower."""
    _, lse = answer_and_lse(subject, problem)
    assert_equal(lse, problem.asked * 0.0, where=problem.asked >= 0)


@law("sum", given=COUNTS)
def test_every_key_is_counted_once(subject: Subject, problem: Problem) -> None:
    """The mean of marks that a few keys carry counts each of these keys once, if all keys score alike."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("sum", Feature.GROUPED_HEADS, given=COUNTS_OF_GROUPS)
def test_every_key_of_a_key_head_is_counted_once(subject: Subject, problem: Problem) -> None:
    """With grouped heads, the mean of marks counts each marked key of the query's key head once."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("sum", OPTIONS, given=COUNTS_UNDER_OPTIONS)
def test_every_visible_key_is_counted_once(subject: Subject, problem: Problem) -> None:
    """The mean of marks counts each marked key that is visible once, and no hidden one."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("weigh", Step.GRADIENT, given=BACKWARD_ROWS)
def test_a_value_gets_the_gradients_of_the_queries_that_asked_for_it(subject: Subject, problem: Scatter) -> None:
    """The gradient of a value is the sum of the upstream gradients of the queries that asked for it, to the bit."""
    assert_scattered(gradients(subject, problem).value, problem)


@law("weigh", Step.GRADIENT, Feature.GROUPED_HEADS, given=BACKWARD_ROWS_OF_GROUPS)
def test_a_value_gets_the_gradients_of_the_query_heads_of_its_group(subject: Subject, problem: Scatter) -> None:
    """With grouped heads, a value gets the upstream gradients of all queries of its group that asked for it."""
    assert_scattered(gradients(subject, problem).value, problem)


@law("weigh", Step.GRADIENT, OPTIONS, given=BACKWARD_ROWS_UNDER_OPTIONS)
def test_a_value_gets_no_gradient_of_queries_that_it_is_hidden_from(subject: Subject, problem: Scatter) -> None:
    """Beside hidden keys that would score higher, upstream gradients reach the values that were asked for only."""
    assert_scattered(gradients(subject, problem).value, problem)
