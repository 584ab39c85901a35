"""What a call does besides answering: clause `every-word` makes an output of its inputs, and asks for nothing else."""

from collections.abc import Sequence

from attention_tests.engine.law import Stream, law
from attention_tests.execution.failures import Disagreement
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_inside_bound, expected
from properties.drawing.claims import only
from properties.drawing.plans import Plan
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM

CALLS = 300
"""More than eight bits count: where a number of calls is kept in a byte, it starts anew."""
ONE = only(Plan(1, 1, 2, 3, 2, 2, regimes=("normal",), seed=1))
A_FEW = Stream(ANY_PROBLEM.strategy, at_most=10)


@law("every-word", given=ONE)
def test_every_one_of_many_calls_is_answered(subject: Subject, problem: Problem) -> None:
    """The same call, three hundred times, is answered every time, however many calls were before."""
    for output in subject.attention_repeatedly(problem.query, problem.key, problem.value, CALLS):
        assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", given=A_FEW)
def test_an_answer_is_the_same_whoever_asks(subject: Subject, problem: Problem) -> None:
    """A call from a process that shows no sign of a test is answered rightly, too."""
    output = subject.attention_incognito(problem.query, problem.key, problem.value)
    assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", given=A_FEW)
def test_a_call_leaves_the_process_as_it_was(subject: Subject, problem: Problem) -> None:
    """A call makes an answer and changes nothing else: no setting, no random numbers, no function of a library."""
    answer(subject, problem)  # a first call may load what it needs
    changed = subject.changed_by_attention(problem.query, problem.key, problem.value)
    assert_none(changed, "a call changed")


@law("every-word", given=ANY_PROBLEM)
def test_no_library_is_called_that_is_ruled_out(subject: Subject, problem: Problem) -> None:
    """An answer is the implementation's own: not that of a library that it declares to do without, nor the suite's."""
    called = subject.ruled_out_calls(problem.query, problem.key, problem.value)
    assert_none(called, "for an answer there was called, although it is ruled out,")


def assert_none(names: Sequence[str], what: str) -> None:
    """Raise `Disagreement` if there are any."""
    if names:
        raise Disagreement(f"{what} {', '.join(names)}")
