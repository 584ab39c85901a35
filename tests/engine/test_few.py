"""Compiled kernels are asked for few signatures, counted where the calls arrive, and by most laws all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attention_tests import Dialect, Feature, Implementation, Layout, Step
from attention_tests.declare.domain import Sizes
from attention_tests.engine.calls import Call
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.few import as_asked, calls_for
from attention_tests.engine.few_calls import CALLS
from attention_tests.engine.profiles import DEFAULT, EXPLORE, QUICK, Profile
from attention_tests.engine.search import build, hold, problems_of, that_break
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.execution.failures import NotAsked
from attention_tests.execution.isolation import POSSIBLE, isolated
from attention_tests.execution.isolation.process import Limits
from attention_tests.execution.subject import Subject
from attention_tests.execution.subjects import trial
from attention_tests.guards.process_state import put_back
from implementations.numpy.layer import LAYER
from properties.checks.comparison import answer
from tests.defects import DEFECTS
from tests.defects.correct import Array
from tests.defects.correct_layer import layer
from tests.defects.defect import implementation_of
from tests.support import correct
from tests.support.counted import IMMUTABLE, MUTABLE, counted, place

LAWS = {law.name: law for law in all_laws()}
ARE_ASKED = 0.8
"""The share of the laws that apply, at least, that are asked of a compiled kernel with all features at default."""
COMPILED = replace(LAYER, compiled=True, cache=None)
STEPS = (Step.SELF_ATTENTION, Step.PROJECT, Step.SCORE, Step.SCALE, Step.SOFTMAX, Step.WEIGH, Step.SUM)
ABOUT_OPTIONS = (
    "test_a_causal_window_keeps_only_the_most_recent_tokens",
    "test_a_mask_of_any_broadcastable_shape_is_applied",
    "test_a_bias_of_any_broadcastable_shape_is_added_to_the_scaled_scores",
    "test_a_soft_cap_is_applied_to_the_scaled_scores",
)
NOT_AT_QUICK = "test_a_single_query_gives_its_row_of_the_output"


@pytest.fixture(autouse=True)
def _as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COUNTED", str(tmp_path / "counted"))
    place.cache_clear()
    place()
    with put_back():
        yield


def held(subject: Subject, profile: Profile) -> dict[str, Outcome]:
    return {law.name: hold(law, subject, profile) for law in LAWS.values() if not law.missing(subject)}


def signatures(tmp_path: Path) -> set[str]:
    return set((tmp_path / "counted").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(
    ("implementation", "profile", "most"),
    [
        (MUTABLE, DEFAULT, 40),
        (IMMUTABLE, DEFAULT, 40),
        (IMMUTABLE, QUICK, 15),
        (replace(IMMUTABLE, refuses=True), QUICK, 15),
    ],
    ids=["mutable", "immutable", "quick", "bare"],
)
def test_few_signatures_arrive(implementation: Implementation, profile: Profile, most: int, tmp_path: Path) -> None:
    subject = Subject(implementation, "float32")
    assert not trial(subject)
    outcomes = held(subject, profile)
    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.PASS, Verdict.UNSUPPORTED}
    arrived = signatures(tmp_path)
    assert most - 2 <= len(arrived) <= most
    # The same is counted for reports, strides and all.
    assert len(subject.account.taken().signatures) == len(arrived)
    if profile is DEFAULT:
        asked = [outcome for outcome in outcomes.values() if outcome.verdict is Verdict.PASS]
        assert len(asked) >= ARE_ASKED * len(outcomes)


def test_few_signatures_of_the_steps_arrive(tmp_path: Path) -> None:
    steps: dict[str, Any] = {step.value: counted(step, getattr(correct.implementation, step.value)) for step in STEPS}
    outcomes = held(Subject(replace(MUTABLE, **steps), "float32"), QUICK)
    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.PASS, Verdict.UNSUPPORTED}
    assert len(signatures(tmp_path)) <= 15


@pytest.mark.skipif(not POSSIBLE, reason="only Linux has what isolation takes")
def test_the_same_signatures_arrive_and_the_same_laws_hold_in_a_process_of_its_own(tmp_path: Path) -> None:
    here = held(Subject(MUTABLE, "float32"), QUICK)
    asked_here = signatures(tmp_path)
    (tmp_path / "counted").unlink()
    implementation, executor = isolated("tests.support.counted:MUTABLE", Limits())
    there = held(Subject(implementation, "float32", executor), QUICK)
    assert {name: one.verdict for name, one in there.items()} == {name: one.verdict for name, one in here.items()}
    assert signatures(tmp_path) == asked_here


def test_a_law_has_one_verdict_whatever_was_asked_before() -> None:
    verdicts = [
        {name: hold(LAWS[name], subject, QUICK).verdict for name in order if not LAWS[name].missing(subject)}
        for order in (list(LAWS), list(LAWS)[::-1])
        for subject in [Subject(COMPILED, "float32")]
    ]
    assert verdicts[0] == verdicts[1]


def test_a_law_that_is_not_asked_is_unsupported_and_says_why() -> None:
    outcome = hold(LAWS[NOT_AT_QUICK], Subject(replace(COMPILED, compiled=True, cache=None), "float32"), QUICK)
    assert outcome.verdict is Verdict.UNSUPPORTED
    assert "none of the 15 signatures that it is asked for at this profile fits this law" in outcome.explanation


def test_exploring_asks_for_any_signature() -> None:
    subject = Subject(COMPILED, "float32")
    assert hold(LAWS[NOT_AT_QUICK], subject, replace(EXPLORE, examples=5)).verdict is Verdict.PASS


def test_what_is_not_admitted_is_not_called() -> None:
    calls = []
    subject = Subject(Implementation(name="mine", attention=lambda *arrays: calls.append(arrays)), "float32")
    with pytest.raises(NotAsked):
        subject.admitting(frozenset()).attention(*np.ones((3, 1, 1, 2, 2)))
    assert not calls


def test_no_call_is_listed_twice() -> None:
    assert len(set(CALLS)) == len(CALLS)


IS_ASKED: dict[str, Callable[[Sizes, dict[str, Any]], object]] = {
    "mask": lambda _, options: "mask" in options,
    "bias": lambda _, options: "bias" in options,
    "causal": lambda _, options: "causal" in options,
    "window": lambda _, options: "window" in options,
    "soft cap": lambda _, options: "softcap" in options,
    "scale": lambda sizes, options: options.get("scale", 1) not in {1, sizes.d_k**-0.5},
    "grouped heads": lambda sizes, _: sizes.group > 1,
    "lengths": lambda sizes, _: sizes.queries != sizes.keys,
    "wide": lambda sizes, _: sizes.d_k >= 64,
    "value width": lambda sizes, _: sizes.d_v != sizes.d_k,
}
"""Options and sizes that a kernel could leave out on either way, and pass, if no call asked for them."""
ALL = frozenset(Feature)
# As implementations/jax.py and implementations/torch/compiled.py declare them.
OF_JAX = ALL - {
    Feature.VALUE_WIDTH,
    Feature.SOFTCAP,
    Feature.NON_FINITE,
    Feature.DROPOUT,
    Feature.EMPTY,
    Feature.MUTABLE,
}
OF_TORCH = frozenset(
    {Feature.SCALE, Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS, Feature.MUTABLE}
    | {Feature.MASK, Feature.BIAS, Feature.CAUSAL}
)
PLAIN = frozenset({Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS})
NEEDS = {
    "mask": Feature.MASK,
    "bias": Feature.BIAS,
    "causal": Feature.CAUSAL,
    "window": Feature.WINDOW,
    "soft cap": Feature.SOFTCAP,
    "scale": Feature.SCALE,
    "grouped heads": Feature.GROUPED_HEADS,
    "value width": Feature.VALUE_WIDTH,
}
BOTH_WAYS = frozenset({Step.ATTENTION, Step.GRADIENT})
by_features = pytest.mark.parametrize(
    "features",
    [ALL, ALL - {Feature.MUTABLE}, ALL - {Feature.COMBINED_MASKS}, OF_JAX, OF_TORCH, PLAIN],
    ids=["all", "immutable", "one at a time", "jax", "torch-compiled", "plain"],
)


def asked_of(features: frozenset[Feature], most: int | None) -> tuple[Call, ...]:
    assert most
    return calls_for(features, BOTH_WAYS, most)


@by_features
@pytest.mark.parametrize("step", sorted(BOTH_WAYS))
def test_every_option_is_asked_there_and_back(step: Step, features: frozenset[Feature]) -> None:
    called = [(call.sizes, dict(call.options)) for call in asked_of(features, DEFAULT.signatures) if call.step is step]
    never = {name for name, is_asked in IS_ASKED.items() if not any(is_asked(*call) for call in called)}
    assert never == {name for name, feature in NEEDS.items() if feature not in features}


@pytest.mark.parametrize("step", sorted(BOTH_WAYS))
def test_every_option_is_asked_there_and_back_even_at_quick(step: Step) -> None:
    called = [(call.sizes, dict(call.options)) for call in asked_of(ALL, QUICK.signatures) if call.step is step]
    assert not {name for name, is_asked in IS_ASKED.items() if not any(is_asked(*call) for call in called)}


@by_features
def test_what_models_ask_for_is_asked(features: frozenset[Feature]) -> None:
    forward = [call for call in asked_of(features, DEFAULT.signatures) if call.step is Step.ATTENTION]
    if Feature.MASK in features:
        assert any(("mask", "b1qk") in call.options and call.sizes.batch > 1 for call in forward)
    assert any(
        sizes.queries == 1
        and (sizes.group > 1 or Feature.GROUPED_HEADS not in features)
        and sizes.batch > 1
        and sizes.keys > 1024
        and sizes.d_k == 128
        for sizes in (call.sizes for call in forward)
    )


def test_options_are_asked_in_one_call_with_the_log_sum_exp() -> None:
    called = [frozenset(dict(call.options)) for call in asked_of(ALL, DEFAULT.signatures)]
    assert {"return_lse", "bias", "softcap"} in called


@pytest.mark.parametrize("features", [frozenset(Feature), frozenset[Feature](), frozenset({Feature.LENGTHS})])
def test_calls_of_an_implementation_are_different_and_those_that_it_can_answer(features: frozenset[Feature]) -> None:
    subject = Subject(replace(COMPILED, supports=features), "float32")
    calls = calls_for(subject.features, subject.steps, 40)
    assert len(set(calls)) == len(calls) <= 40
    assert all(call.fitted(subject.features) == call for call in calls)


def ones(query: Array, _key: Array, value: Array, **_options: object) -> Array:
    """Return an answer whose shape is right in every layout."""
    return np.ones((*query.shape[:-1], value.shape[-1]), np.float32)


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("causal_windows", [False, True])
def test_each_call_of_the_list_is_admitted_as_it_arrives(layout: Layout, causal_windows: bool) -> None:  # noqa: FBT001
    dialect = Dialect(layout=layout, causal_windows=causal_windows)
    subject = Subject(replace(COMPILED, dialect=dialect, attention=ones), "float32")
    asked = as_asked(subject, DEFAULT)
    for name in ABOUT_OPTIONS:
        plans = problems_of(LAWS[name].given, DEFAULT, subject)
        assert plans
        # What is not admitted would raise.
        assert all(answer(asked, build(plan, asked)).any() for plan in plans)


def swaps_batches_of_wide_groups(query: Array, key: Array, value: Array) -> Array:
    """Return the output, of the other batch where one query of a group meets 1,024 keys or more."""
    if query.shape[2] == 1 and query.shape[1] > key.shape[1] and key.shape[2] >= 1024:
        key, value = key[::-1], value[::-1]
    return layer(query, key, value)


IN_THE_BACKWARD_PASS = {
    "cap_ignored_in_the_backward_pass": "test_a_soft_cap_multiplies_the_gradients_of_the_scores_by_its_slope",
    "scale_ignored_in_the_backward_pass": "test_an_explicit_scale_multiplies_the_gradients_of_the_scores",
    "no_gradient_beyond_32_columns": "test_gradients_are_right_at_the_widths_of_real_heads",
}


@pytest.mark.parametrize("name", IN_THE_BACKWARD_PASS)
def test_a_defect_of_the_backward_pass_is_found_if_it_is_compiled(name: str) -> None:
    implementation = next(defect.implementation for defect in DEFECTS if defect.name == name)
    subject = Subject(replace(implementation, compiled=True), "float32")
    assert any(that_break(LAWS[IN_THE_BACKWARD_PASS[name]], subject, DEFAULT))


@pytest.mark.parametrize("profile", [DEFAULT, QUICK], ids=lambda profile: profile.name)
@pytest.mark.parametrize("option", ["mask", "bias", "causal", "window", "softcap", "scale"])
def test_an_option_that_is_ignored_in_the_backward_pass_alone_is_found(option: str, profile: Profile) -> None:
    def ignoring(*arrays: Array, **options: Any) -> Any:
        return LAYER.gradient(*arrays, **{name: given for name, given in options.items() if name != option})  # type: ignore[misc]

    subject = Subject(replace(COMPILED, gradient=ignoring), "float32")
    laws = (law for law in LAWS.values() if Step.GRADIENT in law.steps)
    assert any(any(that_break(law, subject, profile)) for law in laws)


def test_a_defect_is_found_by_a_law_that_asks_for_its_shape() -> None:
    implementation = implementation_of(swaps_batches_of_wide_groups, features=[Feature.GROUPED_HEADS])
    subject = Subject(replace(implementation, compiled=True), "float32")
    assert any(that_break(LAWS["test_a_query_of_a_group_gets_the_value_that_it_asks_for"], subject, QUICK))


def test_a_mask_meets_causality_at_quick_where_few_features_are_declared() -> None:
    features = frozenset(Feature) - {Feature.SOFTCAP, Feature.WINDOW, Feature.LOG_SUM_EXP, Feature.BIAS}
    called = [dict(call.options).keys() for call in asked_of(features, QUICK.signatures)]
    assert {"mask", "causal"} in called
