from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from attention_tests.execution.failures import ImplementationRaised
from attention_tests.execution.subject import Subject
from attention_tests.text.wording import BadTarget
from implementations import SHIPPED
from properties.drawing.options import Options
from tests.implementations.adapters import dtypes_outside_the_bound, subjects

EXTRAS = ("jax", "flax", "tensorflow", "keras", "keras-jax", "keras-torch", "keras-tensorflow", "keras-openvino")
# Without compilation every operator of a shape is compiled by itself, which takes the longest. Layers have a file of
# their own.
NAMES = [
    name
    for name in SHIPPED.names()
    if SHIPPED.extra_of(name) in EXTRAS and name != "jax-eager" and not name.startswith("keras-layer")
]
OPTIONS = (
    Options(),
    Options(mask="most", mask_axes="bhqk", causal=True, scale=0.25),
    Options(mask="most", bias="normal", causal=True, window=3, group=2, scale=0.25),
)
OF_MORE_THAN_SEVEN_DIGITS = 2.0**-30
ROUNDED_TWICE = 2.0**-7
"""In bfloat16, the coarsest of them."""


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_an_adapter_does_what_it_declares(name: str, options: Options) -> None:
    if name in {"keras-numpy", "keras-openvino"} and options.group > 1:
        pytest.skip("docs/findings/keras-grouped-heads.md")
    assert not dtypes_outside_the_bound(name, options)


@pytest.mark.parametrize("name", ["jax", "jax-double", "flax-linen", "keras-jax", "keras-torch", "keras-tensorflow"])
def test_a_gradient_is_that_of_the_declared_function(name: str) -> None:
    ones = np.ones((1, 1, 2, 2))
    for subject in subjects(name):
        of_query, _, of_value = subject.gradient(ones, ones, ones, ones)
        assert (of_query == 0).all()
        np.testing.assert_allclose(of_value, 1, rtol=ROUNDED_TWICE)


def test_compiled_models_refuse_float16_and_uncompiled_ones_take_it() -> None:
    subjects("jax")
    from implementations.jax import EAGER, JAX  # noqa: PLC0415 - needs the library

    ones = np.ones((1, 1, 1, 1))
    assert Subject(EAGER, "float16").attention(ones, ones, ones) == 1
    with pytest.raises(ImplementationRaised, match="F16_F16_F32"):
        Subject(replace(JAX, dtypes=EAGER.dtypes), "float16").attention(ones, ones, ones)


def test_flax_and_jax_compile_the_same_program() -> None:
    (subject,) = subjects("flax-nnx")
    from implementations.flax import NNX, NNX_BY_WEIGHTS  # noqa: PLC0415 - needs the library
    from implementations.jax import JAX  # noqa: PLC0415 - needs the library

    words = subject.native(np.ones((1, 1, 1, 1)))
    programs: list[Any] = [implementation.attention for implementation in (JAX, NNX, NNX_BY_WEIGHTS)]
    of_jax, the_same, another = (program.lower(words, words, words).as_text() for program in programs)
    assert of_jax == the_same != another


def test_jax_has_float32_accuracy_in_a_float64_softmax() -> None:
    exact = 1 / (1 + np.exp(-np.sqrt(2)))
    query, words = np.ones((1, 1, 1, 2)), np.array([[[[1.0, 1.0], [0.0, 0.0]]]])
    for name, digits_are_lost in (("jax-double", True), ("flax-linen-double", False)):
        (subject,) = subjects(name)
        error = abs(subject.attention(query, words, words)[0, 0, 0, 0] - exact)
        assert (error > OF_MORE_THAN_SEVEN_DIGITS) == digits_are_lost


def test_keras_on_tensorflow_has_float32_accuracy_in_a_float64_scale() -> None:
    (subject,) = subjects("keras-tensorflow-double")
    from implementations.keras.on_tensorflow import TENSORFLOW  # noqa: PLC0415 - needs the libraries

    exact = 1 / (1 + np.exp(-np.sqrt(2)))
    query, words = np.ones((1, 1, 1, 2)), np.array([[[[1.0, 1.0], [0.0, 0.0]]]])
    assert abs(subject.attention(query, words, words)[0, 0, 0, 0] - exact) < OF_MORE_THAN_SEVEN_DIGITS
    assert TENSORFLOW.attention is not None
    given = (subject.native(array.swapaxes(1, 2)) for array in (query, words, words))
    assert abs(TENSORFLOW.attention(*given)[0, 0, 0, 0] - exact) > OF_MORE_THAN_SEVEN_DIGITS


def test_a_backend_other_than_the_active_one_of_keras_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from implementations.keras.operation import on  # noqa: PLC0415 - needs none of the libraries

    on_torch = SimpleNamespace(backend=SimpleNamespace(backend=lambda: "torch"))
    monkeypatch.setitem(sys.modules, "keras", on_torch)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert on("torch") is on_torch
    with pytest.raises(BadTarget, match="keras is on its backend torch in this process, and cannot change to jax"):
        on("jax")
