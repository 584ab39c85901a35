"""Repetition, caller, process-global state and forbidden calls: clause `every-word`."""

from collections.abc import Sequence
from dataclasses import replace

from attention_tests.engine.law import Stream, law
from attention_tests.execution.failures import Disagreement
from attention_tests.execution.subject import Subject
from properties.checks.comparison import answer, assert_inside_bound, expected
from properties.drawing.claims import only
from properties.drawing.plans import Plan
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM

NUMBER_OF_CALLS = 300
"""The number of calls: more than 256, at which a counter of eight bits starts again."""
ONE_PROBLEM = replace(only(Plan(queries=2, keys=3, d_k=2, d_v=2, regimes=("normal",), seed=1)), at_most=1)
A_FEW_PROBLEMS = Stream(ANY_PROBLEM.strategy, at_most=10)


@law("every-word", given=ONE_PROBLEM)
def test_every_one_of_many_repeated_calls_is_right(subject: Subject, problem: Problem) -> None:
    """The same call, repeated three hundred times, is right every time."""
    for output in subject.attention_repeatedly(problem.query, problem.key, problem.value, NUMBER_OF_CALLS):
        assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", given=A_FEW_PROBLEMS)
def test_an_answer_does_not_depend_on_the_caller(subject: Subject, problem: Problem) -> None:
    """A call from a process that shows no sign of a test gives the right output too."""
    output = subject.attention_concealed(problem.query, problem.key, problem.value)
    assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", given=A_FEW_PROBLEMS)
def test_a_call_leaves_process_global_state_unchanged(subject: Subject, problem: Problem) -> None:
    """A call changes no setting, random state, library function or other process-global state."""
    answer(subject, problem)  # a first call may load libraries
    changed = subject.changed_by_attention(problem.query, problem.key, problem.value)
    assert_none(changed, "the call changed")


@law("every-word", given=ANY_PROBLEM)
def test_no_forbidden_library_is_called(subject: Subject, problem: Problem) -> None:
    """An implementation calls no library that it declares to do without, and nothing of the suite."""
    called = subject.forbidden_calls_of(problem.query, problem.key, problem.value)
    assert_none(called, "the call used what it must do without:")


def assert_none(names: Sequence[str], what: str) -> None:
    """Raise `Disagreement` if there are any names."""
    if names:
        raise Disagreement(f"{what} {', '.join(names)}")
