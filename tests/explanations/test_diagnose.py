"""What a kernel computes instead is named; a right one, and a wrong one that nothing explains, is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from attention_tests import Feature
from attention_tests.diagnosis.diagnosis import Diagnosis
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.law import Law
from attention_tests.engine.profiles import DEFAULT, QUICK, Profile
from attention_tests.engine.search import that_break
from attention_tests.execution.subject import Subject
from explanations import diagnose
from tests.defects import DEFECTS
from tests.defects.correct import Array
from tests.defects.correct_layer import layer
from tests.defects.defect import implementation_of

LAWS = {law.name: law for law in all_laws()}
OUTPUT = LAWS["test_the_output_is_right_in_all_circumstances"]
NAMED = {
    "scale_left_out": "no-scale",
    "scale_of_the_value_width": "scale-of-value-width",
    "scale_of_zero_is_the_default": "scale-of-zero-is-default",
    "mask_inverted": "mask-inverted",
    "mask_of_the_first_batch": "mask-of-first-batch",
    "causality_ignored": "causal-ignored",
    "window_one_too_wide": "window-one-more",
    "cap_ignored": "softcap-ignored",
    "log_sum_exp_without_the_cap": "softcap-ignored-of-log-sum-exp",
    "causality_ignored_in_the_backward_pass": "causal-ignored-of-gradients",
}
SOMETIMES = {
    "mask_dropped_for_a_bias": "ignores the mask, only with a bias",
    "grouped_heads_are_not_causal": "ignores causality, only with grouped heads",
    "mask_dropped_for_a_window": "ignores the mask, only with a window",
}


def diagnosed(subject: Subject, law: Law, profile: Profile = QUICK) -> Diagnosis | None:
    return diagnose(subject, [(law, plan) for plan in [*that_break(law, subject, profile)][:1]], profile)


def of_defect(name: str) -> Diagnosis | None:
    (defect,) = (one for one in DEFECTS if one.name == name)
    return diagnosed(Subject(defect.implementation, "float32"), LAWS[defect.killed_by])


@pytest.mark.parametrize(("defect", "name"), NAMED.items())
def test_a_mistake_is_named(defect: str, name: str) -> None:
    diagnosis = of_defect(defect)
    assert diagnosis is not None
    assert diagnosis.names == (name,)
    assert diagnosis.wrong > 0
    assert diagnosis.right > 0


@pytest.mark.parametrize(("defect", "sentence"), SOMETIMES.items())
def test_the_circumstances_of_a_mistake_are_named(defect: str, sentence: str) -> None:
    diagnosis = of_defect(defect)
    assert diagnosis is not None
    assert diagnosis.sentence == sentence


def kernel(function: Callable[..., Array]) -> Subject:
    return Subject(implementation_of(function, features=[Feature.GROUPED_HEADS, Feature.COMBINED_MASKS]), "float32")


def right(query: Array, key: Array, value: Array, *, mask: Array = None, causal: bool = False) -> Array:
    return layer(query, key, value, mask=mask, causal=causal)


def of_two_mistakes(query: Array, key: Array, value: Array, *, mask: Array = None, causal: bool = False) -> Array:
    given = None if causal else mask
    return layer(query, key, value, mask=given, causal=causal, scale=value.shape[-1] ** -0.5)


def of_no_known_kind(query: Array, key: Array, value: Array, *, mask: Array = None, causal: bool = False) -> Array:
    output = layer(query, key, value, mask=mask, causal=causal)
    return np.where(output > 0.25, output * 1.5, output)


def raises_for_odd_numbers_of_keys(query: Array, key: Array, value: Array, *, mask: Array = None) -> Array:
    if key.shape[-2] % 2:
        raise ValueError("an odd number of keys")
    return layer(query, key, value, mask=mask, scale=1.0)


def test_a_right_kernel_has_no_diagnosis() -> None:
    assert diagnosed(kernel(right), OUTPUT) is None


def test_two_mistakes_are_named_together() -> None:
    diagnosis = diagnosed(kernel(of_two_mistakes), OUTPUT, DEFAULT)
    assert diagnosis is not None
    assert diagnosis.sentence == "scales by 1/√d_v in place of 1/√d_k, and it ignores the mask, only with causality"


def test_what_nothing_explains_is_not_named() -> None:
    diagnosis = diagnosed(kernel(of_no_known_kind), OUTPUT)
    assert diagnosis is None or not diagnosis.names


def test_calls_that_raise_are_no_evidence() -> None:
    diagnosis = diagnosed(kernel(raises_for_odd_numbers_of_keys), OUTPUT)
    assert diagnosis is not None
    assert diagnosis.names == ("no-scale",)


def test_the_weights_that_came_back_are_shown_beside_those_that_were_expected() -> None:
    diagnosis = of_defect("scale_left_out")
    assert diagnosis is not None
    assert diagnosis.weights is not None
    expected, got = (np.array(one, dtype=float) for one in (diagnosis.weights.expected, diagnosis.weights.got))
    np.testing.assert_allclose(expected.sum(axis=-1), 1, rtol=1e-6)
    assert expected.shape == got.shape
    assert not np.allclose(expected, got, rtol=1e-3)
