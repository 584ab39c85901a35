"""Problems drawn anew in every process: clause `every-word` for outputs that are computed, not looked up.

All other problems are the same in every run, so that verdicts are, too. A kernel could pass them with a table of
outputs, or by searching memory for the expected ones. These problems are new in every process, and their expected
outputs are computed after the call and not kept.

Verdicts still do not change from run to run. Correct outputs are inside the proven bound, whatever the numbers are, and
no table holds the outputs for 2**64 seeds. Only a kernel that is wrong for few numbers could pass once and fail another
time. So these are a few problems of the plainest kind, on which such a kernel is as good as right; all other laws find
it in every run. A failure is reproduced by the numbers that are printed with it.
"""

import secrets
from dataclasses import replace

from attention_tests.engine.law import law
from attention_tests.engine.measurements import measuring
from attention_tests.execution.subject import Subject
from properties.checks.comparison import assert_inside_bound
from properties.checks.roundings import roundings_of
from properties.drawing.claims import only
from properties.drawing.plans import Plan
from properties.drawing.problem import Problem
from reference.bounds import error_bound

SIZES = (
    Plan(batch=1, heads=1, queries=1, keys=2, d_k=3, d_v=2),
    Plan(batch=1, heads=2, queries=3, keys=5, d_k=4, d_v=2),
    Plan(batch=2, heads=1, queries=7, keys=17, d_k=8, d_v=5),
    Plan(batch=2, heads=3, queries=33, keys=31, d_k=16, d_v=16),
)
NEWLY_DRAWN_PROBLEMS = only(*(replace(sizes, regimes=("normal",), seed=secrets.randbits(64)) for sizes in SIZES))


@law("every-word", given=NEWLY_DRAWN_PROBLEMS)
def test_a_problem_drawn_anew_is_computed_correctly(subject: Subject, problem: Problem) -> None:
    """Problems drawn anew in every run, with no expected output known beforehand, are computed correctly."""
    output = subject.attention(problem.query, problem.key, problem.value)
    oracle = error_bound.attention(
        problem.query, problem.key, problem.value, roundings_of(subject.precision, problem.dtype)
    )
    # Measurements are discarded: a report must not change from run to run.
    with measuring():
        assert_inside_bound(output, oracle)
