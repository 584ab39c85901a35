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
from properties.drawing.plans import Options, Plan
from properties.drawing.problem import Problem
from properties.drawing.streams import Asking, problems

OPTIONS = frozenset(
    {Feature.MASK, Feature.BIAS, Feature.CAUSAL, Feature.WINDOW, Feature.SOFTCAP, Feature.GROUPED_HEADS}
)
ARRAYS = frozenset({Feature.MASK, Feature.BIAS})
HIDING = frozenset({Feature.MASK, Feature.CAUSAL})

AT_ONCE = problems(
    asking=Asking(
        masks=("", "most", "blind", "padding"),
        biases=("", "normal", "hiding"),
        axes=BROADCASTS,
        causal=(False, True),
        windows=(None, None, 2, 8),
        softcaps=(None, None, 5.0),
        groups=(1, 2, 3),
        scales=(None, None, 0.25, 2.0),
    )
)
LOW_SCORES = problems(regimes=("huge logits",), asking=Asking(masks=("one", "few", ""), causal=(False, True)))
CAUSAL_OF_ANY_SIGN = problems(asking=Asking(causal=(True,), scales=(-0.5, 0.0, -2.0, 3.0)))
LONG = only(
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


@law("every-word", OPTIONS, given=AT_ONCE)
def test_options_do_not_get_in_each_others_way(subject: Subject, problem: Problem) -> None:
    """Options that are given in one call are all applied."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("softmax", HIDING, given=LOW_SCORES)
def test_hidden_words_get_no_weight_however_low_the_others_score(subject: Subject, problem: Problem) -> None:
    """Hidden keys get zero weight even if all visible scores are lower than any finite stand-in for -∞."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("scale", Feature.SCALE, Feature.CAUSAL, given=CAUSAL_OF_ANY_SIGN)
def test_a_scale_of_any_sign_goes_with_causality(subject: Subject, problem: Problem) -> None:
    """A scale of zero or below works with causality as any other scale does."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("every-word", OPTIONS, Feature.LENGTHS, given=LONG)
def test_options_reach_beyond_any_block(subject: Subject, problem: Problem) -> None:
    """Each option is applied at any sequence length, beyond any block size."""
    assert_inside_bound(answer(subject, problem), expected(problem, subject.precision))


@law("softmax", OPTIONS, Feature.LOG_SUM_EXP, given=AT_ONCE)
def test_log_sum_exp_counts_what_the_options_leave(subject: Subject, problem: Problem) -> None:
    """The log-sum-exp is that of the visible, capped and biased scores, and -∞ for a fully masked row."""
    output, lse = subject.attention_and_lse(problem.query, problem.key, problem.value, **problem.options)
    assert_inside_bound(lse, expected_lse(problem, subject.precision))
    assert_inside_bound(output, expected(problem, subject.precision))


@law("every-word", ARRAYS, given=AT_ONCE)
def test_masks_and_biases_are_not_written(subject: Subject, problem: Problem) -> None:
    """A call leaves its mask and its bias unchanged."""
    inputs, options = native_inputs(subject, problem), subject.give_options(problem.options)
    given = [options[name] for name in ("mask", "bias") if name in options]
    before = [subject.read_option(array) for array in given]
    subject.attend_natively(*inputs, **options)
    for array, numbers in zip(given, before, strict=True):
        assert_same_bits(subject.read_option(array), numbers)
