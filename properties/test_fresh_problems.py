"""Clause `every-word` on problems that nobody can have seen: an output is computed, and neither known nor found.

All other problems are the same in every run, so that a verdict is, and a table of their answers would pass. What the
suite expects lies in memory, where a kernel could look for it. These problems are drawn anew by every process, and what
is expected of them is computed after the answer, and forgotten.

The verdict is the same in every run all the same. The bound is proven: right answers are inside of it, whatever the
numbers are. A table has none of 2**64 seeds. Only what is wrong for few numbers can pass once and fail another time,
and so these are few problems of the plainest kind, for which such a kernel is as good as right; the others are there
to find it, every time. A failure is seen again by the numbers that are printed with it.
"""

import secrets

from attention_tests.engine.law import law
from attention_tests.engine.measurements import measuring
from attention_tests.execution.subject import Subject
from properties.checks.comparison import assert_inside_bound
from properties.drawing.claims import only
from properties.drawing.plans import Plan
from properties.drawing.problem import Problem
from reference.bounds import error_bound

SIZES = ((1, 1, 1, 2, 3, 2), (1, 2, 3, 5, 4, 2), (2, 1, 7, 17, 8, 5), (2, 3, 33, 31, 16, 16))
FRESH = only(*(Plan(*sizes, regimes=("normal",), seed=secrets.randbits(64)) for sizes in SIZES))


@law("every-word", given=FRESH)
def test_a_problem_that_was_never_seen_is_answered(subject: Subject, problem: Problem) -> None:
    """Problems that are drawn anew in every run, and whose answers nobody has computed before, are answered."""
    output = subject.attention(problem.query, problem.key, problem.value)
    oracle = error_bound.attention(
        problem.query, problem.key, problem.value, dtype=problem.dtype, arithmetic=subject.precision
    )
    # Measured for nobody: what is reported must not change from run to run.
    with measuring():
        assert_inside_bound(output, oracle)
