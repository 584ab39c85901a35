"""Arrays of each framework come back as they were, gradients are those of the formula, laws tell right from wrong."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from attention_tests import Implementation
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.search import hold
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.subject import Subject
from attention_tests.frameworks.found import Arrays, framework_for
from attention_tests.frameworks.framework import Framework
from attention_tests.signatures.reading import from_callable
from attention_tests.text.wording import BadTarget
from tests.support import bare
from tests.support.made import made

LAWS = {law.name: law for law in all_laws()}
HELD = ("test_every_element_is_inside_the_derived_bound", "test_gradients_are_those_of_the_formula")
WRITTEN = {
    "torch": "import torch\ndef attention(q, k, v): return torch.softmax(q @ k.mT * q.shape[-1] ** -0.5, -1) @ v",
    "jax": "import jax\ndef attention(q, k, v): return jax.nn.softmax(q @ k.mT * q.shape[-1] ** -0.5) @ v",
    "mlx": "import mlx.core as mx\n"
    "def attention(q, k, v): return mx.softmax(q @ k.swapaxes(-1, -2) * q.shape[-1] ** -0.5, axis=-1) @ v",
    "tensorflow": "import tensorflow as tf\n"
    "def attention(q, k, v):\n"
    "  return tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True) * q.shape[-1] ** -0.5), v)",
    "tinygrad": "from tinygrad import Tensor\n"
    "def attention(q: Tensor, k, v): return (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1) @ v",
}
"""Attention in each framework."""


@dataclass(frozen=True)
class Each:
    """A framework that is installed here."""

    framework: Framework
    source: str

    def implementation(self, source: str) -> Implementation:
        return from_callable(made(source), "mine", self.framework)


@pytest.fixture(params=WRITTEN)
def each(request: pytest.FixtureRequest) -> Each:
    name = request.param
    pytest.importorskip(name, reason=f"{name} is not installed")
    return Each(framework_for(bare.plain, Arrays(name)), WRITTEN[name])


def test_the_framework_is_found_out(each: Each) -> None:
    assert framework_for(made(each.source), Arrays()).name == each.framework.name


def test_arrays_come_back_as_they_were(each: Each) -> None:
    numbers = np.array([[0.5, -2.0], [0.0, -0.0], [np.inf, np.nan]])
    for dtype in each.framework.dtypes:
        native = each.framework.to_native(numbers, dtype)
        back = each.framework.to_numpy(native)
        assert back.dtype == np.float64
        np.testing.assert_array_equal(back, numbers)
        np.testing.assert_array_equal(np.signbit(back[:2]), np.signbit(numbers[:2]))
        assert native.shape == (3, 2)
    seen = np.array([[True, False]])
    np.testing.assert_array_equal(each.framework.to_numpy(each.framework.to_native(seen, "bool")), seen)


def test_each_dtype_keeps_its_own_precision(each: Each) -> None:
    digits = {"float64": 52, "float32": 23, "bfloat16": 7, "float16": 10}
    for dtype in each.framework.dtypes:
        just_above_one = np.array([1 + 2.0 ** -digits[dtype]])
        assert each.framework.to_numpy(each.framework.to_native(just_above_one, dtype)) == just_above_one
        below = np.array([1 + 2.0 ** -(digits[dtype] + 2)])
        assert each.framework.to_numpy(each.framework.to_native(below, dtype)) == (1 if dtype != "float64" else below)


def test_gradients_are_those_of_the_framework(each: Each) -> None:
    implementation = each.implementation(each.source)
    assert implementation.gradient is not None
    # All scores are equal: each value gets the mean of what the queries are sent.
    zeros, upstream = np.zeros((1, 1, 2, 4)), np.arange(8.0).reshape(1, 1, 2, 4)
    for dtype in implementation.dtypes:
        arrays = [implementation.to_native(array, dtype) for array in (zeros, zeros, zeros, upstream)]
        of_query, of_key, of_value = map(implementation.to_numpy, implementation.gradient(*arrays))
        assert not of_query.any()
        assert not of_key.any()
        np.testing.assert_array_equal(of_value, np.broadcast_to(upstream.mean(axis=-2, keepdims=True), of_value.shape))


@pytest.mark.parametrize(("exponent", "verdict"), [("-0.5", Verdict.PASS), ("-0.25", Verdict.FAIL)])
def test_a_right_callable_passes_and_a_wrong_one_fails(each: Each, exponent: str, verdict: Verdict) -> None:
    subject = Subject(each.implementation(each.source.replace("-0.5", exponent)), "float32")
    assert {law: hold(LAWS[law], subject, QUICK).verdict for law in HELD} == dict.fromkeys(HELD, verdict)


def test_a_device_that_is_not_there_is_refused_in_one_sentence(each: Each) -> None:
    with pytest.raises(BadTarget, match="--device nowhere: ") as refused:
        framework_for(bare.plain, Arrays(each.framework.name, "nowhere"))
    assert "\n" not in str(refused.value)


def test_an_answer_of_jax_is_computed_when_its_call_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jax", reason="jax is not installed")
    framework = importlib.import_module("attention_tests.frameworks.jax").framework("cpu")
    waited_for: list[Any] = []

    def wait(answer: Any) -> Any:
        waited_for.append(answer)
        return answer

    monkeypatch.setattr("jax.block_until_ready", wait)
    query = framework.to_native(np.zeros(1), "float32")
    assert framework.called(lambda given: given)(query) is query
    assert waited_for == [query]
