"""Signatures of calls: what makes two calls one for a compiler, and what makes them two."""

import numpy as np
import pytest

from attention_tests.declare.features import Step
from attention_tests.execution.signatures import Signature, signature_of

QUERY, KEY = np.zeros((1, 2, 3, 4), np.float32), np.zeros((1, 2, 5, 4), np.float32)
PLAIN = signature_of(Step.ATTENTION, (QUERY, KEY, KEY), {})


def test_it_has_the_step_the_shapes_the_dtype_and_the_options_by_name() -> None:
    mask = np.ones((3, 5), bool)
    given = signature_of(Step.ATTENTION, (QUERY, KEY, KEY), {"scale": 2.0, "causal": True, "mask": mask})
    shapes = ((1, 2, 3, 4), (1, 2, 5, 4), (1, 2, 5, 4))
    assert given == Signature("attention", shapes, "float32", (("causal", True), ("mask", (3, 5)), ("scale", 2.0)))


def test_other_numbers_are_the_same() -> None:
    assert signature_of(Step.ATTENTION, (QUERY + 1, -KEY, KEY), {}) == PLAIN


def test_another_place_in_memory_of_an_array_or_a_mask_is_another() -> None:
    mask = np.ones((3, 5), bool)
    place_of = {id(KEY): "in Fortran order", id(mask): "stored transposed"}

    def placed(*arrays: object, **options: object) -> tuple[str, ...]:
        return signature_of(Step.ATTENTION, arrays, options, lambda array: place_of.get(id(array), "")).places

    assert placed(QUERY, KEY, QUERY) == ("", "in Fortran order", "")
    assert placed(QUERY, QUERY, QUERY, causal=True, mask=mask) == ("", "", "", "", "stored transposed")
    assert placed(QUERY, QUERY, QUERY) == PLAIN.places == ()


@pytest.mark.parametrize(
    "other",
    [
        signature_of(Step.GRADIENT, (QUERY, KEY, KEY), {}),
        signature_of(Step.ATTENTION, (KEY, KEY, KEY), {}),
        signature_of(Step.ATTENTION, (QUERY.astype(np.float64), KEY, KEY), {}),
        signature_of(Step.ATTENTION, (QUERY, KEY, KEY), {"scale": 2.0}),
    ],
)
def test_another_step_shape_dtype_or_option_is_another(other: Signature) -> None:
    assert other != PLAIN


def test_another_value_of_an_option_is_another_and_other_numbers_of_a_mask_are_not() -> None:
    def with_option(**options: object) -> Signature:
        return signature_of(Step.ATTENTION, (QUERY, KEY, KEY), options)

    assert with_option(window=2) != with_option(window=3)
    assert with_option(mask=np.ones((3, 5), bool)) == with_option(mask=np.zeros((3, 5), bool))


def test_what_has_no_shape_and_what_is_no_array_has_a_signature_too() -> None:
    assert signature_of(Step.SCALE, (QUERY, 4), {}).arguments == ((1, 2, 3, 4), 4)
    assert signature_of(Step.CACHE, (), {}) == Signature("cache", (), "", ())
    assert signature_of(Step.ATTENTION, ([1.0],), {}).arguments == ((),)
