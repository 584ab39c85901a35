"""Soft caps, the log-sum-exp and dropout of zero, as layers have them: clauses `scale` and `softmax`."""

import numpy as np

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import (
    answer,
    answer_and_lse,
    assert_inside_bound,
    expected,
    expected_lse,
    merged,
    native_inputs,
)
from properties.drawing.claims import only
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.problem import Problem
from properties.drawing.streams import ANY_PROBLEM, CAPS, OptionChoices, problems
from reference import matrix

KINDS_OF_LOG_SUM_EXPS = only(
    *(
        Plan(batch=2, heads=2, queries=n_q, keys=16, d_k=8, d_v=8, regimes=("normal",), seed=n_q, options=options)
        for n_q in (1, 63, 65, 80, 129)
        for options in (Options(), Options(causal=True), Options(group=3, mask="fully masked rows"))
    )
)
"""Of one query and of more than a tile has, some of which see nothing."""
PROBLEMS_WITH_A_SOFT_CAP = problems(options=OptionChoices(softcaps=CAPS))


@law("scale", Feature.SOFTCAP, given=PROBLEMS_WITH_A_SOFT_CAP)
def test_a_soft_cap_is_applied_to_the_scaled_scores(subject: Subject, problem: Problem) -> None:
    """A soft cap c replaces each scaled score s by c·tanh(s / c)."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("softmax", Feature.LOG_SUM_EXP, given=ANY_PROBLEM)
def test_log_sum_exp_is_the_logarithm_of_the_denominator(subject: Subject, problem: Problem) -> None:
    """The log-sum-exp of a query is the logarithm of the sum of the exponentials of its scaled scores."""
    output, lse = subject.attention_and_lse(problem.query, problem.key, problem.value)
    assert_inside_bound(lse, expected_lse(problem, subject.precision))
    assert_inside_bound(output, expected(problem, subject.precision))


@law("softmax", Feature.LOG_SUM_EXP, given=KINDS_OF_LOG_SUM_EXPS)
def test_each_of_many_queries_has_its_log_sum_exp(subject: Subject, problem: Problem) -> None:
    """Each query has its own log-sum-exp however many there are; of one that sees nothing it is -∞."""
    _, lse = answer_and_lse(subject, problem)
    assert_inside_bound(lse, expected_lse(problem, subject.precision))


@law("every-word", Feature.LOG_SUM_EXP, given=KINDS_OF_LOG_SUM_EXPS)
def test_later_calls_do_not_change_earlier_log_sum_exps(subject: Subject, problem: Problem) -> None:
    """A log-sum-exp that is kept stays what it was while others of its shape are computed."""
    options = subject.give_options(problem.options)
    kept = subject.attend_natively(*native_inputs(subject, problem), **options, return_lse=True)
    others = native_inputs(subject, problem.with_other_numbers())
    subject.attend_natively(*others, **options, return_lse=True)
    _, lse = subject.take_with_lse(kept, (*problem.query.shape[:-1], problem.value.shape[-1]))
    assert_inside_bound(lse, expected_lse(problem, subject.precision))


@law("softmax", Feature.LOG_SUM_EXP, Feature.LENGTHS, given=ANY_PROBLEM)
def test_parts_merged_by_log_sum_exp_equal_the_whole(subject: Subject, problem: Problem) -> None:
    """Attention over two parts of the keys, merged by their log-sum-exps, equals attention over all keys."""
    halves = np.array_split(problem.random.permutation(problem.key.shape[-2]), min(2, problem.key.shape[-2]))
    parts = [problem.with_arrays(key=problem.key[..., half, :], value=problem.value[..., half, :]) for half in halves]
    answers = [subject.attention_and_lse(part.query, part.key, part.value) for part in parts]
    shares = matrix.softmax(np.stack([lse for _, lse in answers], axis=-1))
    outputs = np.stack([output for output, _ in answers], axis=-2)
    assert_inside_bound((shares[..., None] * outputs).sum(axis=-2), merged(problem, parts, subject.precision))


@law("softmax", Feature.DROPOUT, given=ANY_PROBLEM)
def test_dropout_of_zero_changes_nothing(subject: Subject, problem: Problem) -> None:
    """A dropout probability of zero changes nothing."""
    output = subject.attention(problem.query, problem.key, problem.value, dropout=0.0)
    assert_inside_bound(output, expected(problem, subject.precision))
