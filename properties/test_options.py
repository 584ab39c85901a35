"""Several options in one call: clause `every-word`."""

from attention_tests import Feature
from attention_tests.engine.law import law
from attention_tests.execution.subject import Subject
from properties.checks.comparison import (
    answer,
    assert_inside_bound,
    assert_same_bits,
    expected,
    expected_lse,
    native_inputs,
)
from properties.drawing.claims import only
from properties.drawing.masks import BROADCASTS
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.problem import Problem
from properties.drawing.streams import OptionChoices, problems

OPTIONS = frozenset(
    {Feature.MASK, Feature.BIAS, Feature.CAUSAL, Feature.WINDOW, Feature.SOFTCAP, Feature.GROUPED_HEADS}
)
ARRAY_FEATURES = frozenset({Feature.MASK, Feature.BIAS})
HIDING_FEATURES = frozenset({Feature.MASK, Feature.CAUSAL})

PROBLEMS_WITH_COMBINED_OPTIONS = problems(
    options=OptionChoices(
        masks=("", "most", "fully masked rows", "padding"),
        biases=("", "normal", "minus infinity"),
        axes=BROADCASTS,
        causal=(False, True),
        windows=(None, None, 2, 8),
        softcaps=(None, None, 5.0),
        groups=(1, 2, 3),
        scales=(None, None, 0.25, 2.0),
    )
)
PROBLEMS_WITH_VERY_LOW_SCORES = problems(
    regimes=("huge logits",), options=OptionChoices(masks=("one", "few", ""), causal=(False, True))
)
CAUSAL_PROBLEMS_WITH_A_SCALE_OF_ANY_SIGN = problems(
    options=OptionChoices(causal=(True,), scales=(-0.5, 0.0, -2.0, 3.0))
)
LONG_PROBLEMS_WITH_AN_OPTION = only(
    *(
        Plan(queries=n, keys=n, d_k=4, d_v=4, regimes=("normal",), seed=n, options=options)
        for n in (65, 129, 257)
        for options in (
            Options(mask="most"),
            Options(bias="normal"),
            Options(causal=True),
            Options(window=8),
            Options(causal=True, window=16),
            Options(softcap=5.0),
        )
    )
)


@law("every-word", OPTIONS, given=PROBLEMS_WITH_COMBINED_OPTIONS)
def test_combined_options_are_all_applied(subject: Subject, problem: Problem) -> None:
    """Options that are given in one call are all applied."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("softmax", HIDING_FEATURES, given=PROBLEMS_WITH_VERY_LOW_SCORES)
def test_hidden_keys_get_zero_weight_even_if_all_visible_scores_are_very_low(
    subject: Subject, problem: Problem
) -> None:
    """Hidden keys get zero weight even if all visible scores are lower than any finite stand-in for -∞."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("scale", Feature.SCALE, Feature.CAUSAL, given=CAUSAL_PROBLEMS_WITH_A_SCALE_OF_ANY_SIGN)
def test_a_scale_of_any_sign_works_with_causality(subject: Subject, problem: Problem) -> None:
    """A scale of zero or below works with causality as any other scale does."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("every-word", OPTIONS, Feature.LENGTHS, given=LONG_PROBLEMS_WITH_AN_OPTION)
def test_options_are_applied_at_any_sequence_length(subject: Subject, problem: Problem) -> None:
    """Each option is applied at any sequence length, beyond any block size."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("softmax", OPTIONS, Feature.LOG_SUM_EXP, given=PROBLEMS_WITH_COMBINED_OPTIONS)
def test_log_sum_exp_is_taken_after_all_options(subject: Subject, problem: Problem) -> None:
    """The log-sum-exp is that of the visible, capped and biased scores, and -∞ for a fully masked row."""
    output, lse = subject.attention_and_lse(problem.query, problem.key, problem.value, **problem.options)
    assert_inside_bound(lse, expected_lse(problem, subject.precision))
    assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", ARRAY_FEATURES, given=PROBLEMS_WITH_COMBINED_OPTIONS)
def test_masks_and_biases_are_not_written(subject: Subject, problem: Problem) -> None:
    """A call leaves its mask and its bias unchanged."""
    inputs, options = native_inputs(subject, problem), subject.give_options(problem.options)
    given = [options[name] for name in ("mask", "bias") if name in options]
    before = [subject.read_option(array) for array in given]
    subject.attend_natively(*inputs, **options)
    for array, numbers in zip(given, before, strict=True):
        assert_same_bits(subject.read_option(array), numbers)
