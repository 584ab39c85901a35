from __future__ import annotations

import numpy as np
import pytest

from attention_tests.declare.implementation import Array
from attention_tests.execution.subject import Subject
from attention_tests.guards.warnings import unwarned
from properties.checks.comparison import expected_of_sentence
from properties.drawing.options import Options
from properties.drawing.plans import SentencePlan
from tests.implementations.adapters import dtypes_outside_the_bound, subjects

LAYERS = ("layer", "layer-weights", "layer-grouped")
BACKENDS = ("numpy", "jax", "torch", "tensorflow")
EPS = float(np.finfo("float32").eps)


OPTIONS = (
    Options(),
    Options(mask="most", mask_axes="bhqk"),
    Options(mask="triangle", causal=True, window=2),
    Options(causal=True, group=2),
)


def subject(layer: str, backend: str) -> Subject:
    return next(one for one in subjects(f"keras-{layer}-{backend}") if one.dtype == "float32")


def words() -> Array:
    return np.arange(24.0).reshape(2, 2, 3, 2) / 32


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("layer", LAYERS)
def test_an_adapter_does_what_it_declares(layer: str, backend: str, options: Options) -> None:
    assert not dtypes_outside_the_bound(f"keras-{layer}-{backend}", options)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("layer", LAYERS)
def test_nan_in_one_head_changes_no_other_head_or_batch(layer: str, backend: str) -> None:
    of_heads, poisoned = subject(layer, backend), words()
    poisoned[0, 0] = np.nan
    with unwarned():
        output = of_heads.attention(poisoned, poisoned, poisoned)
        whole = of_heads.attention(words(), words(), words())
    assert np.isnan(output[0, 0]).all()
    np.testing.assert_allclose(output[0, 1], whole[0, 1], rtol=EPS)
    assert (output[1] == whole[1]).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_layer_itself_mixes_nan_into_other_heads(backend: str) -> None:
    of_heads, poisoned = subject("layer", backend), words()
    from implementations.keras.layer import as_it_is, attention_on, multi_head  # noqa: PLC0415 - needs the library

    poisoned[0, 0] = np.nan
    native = of_heads.give(poisoned)
    mixed = attention_on(backend, multi_head, as_it_is, weights=False)(native, native, native)
    assert np.isnan(of_heads.take(mixed, poisoned.shape)[0, 1]).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_layer_with_the_matrices_of_the_document_computes_its_self_attention(backend: str) -> None:
    layer = subject("layer", backend)
    sentence = SentencePlan(tokens=5, d_model=4, d_k=3, d_v=3, regime="normal", seed=1).build("float32", frozenset())
    output = layer.self_attention(sentence.x, sentence.w_query, sentence.w_key, sentence.w_value)
    assert expected_of_sentence(sentence, layer.precision).accepts(output).all()
    others = layer.self_attention(sentence.x, sentence.w_key, sentence.w_query, sentence.w_value)
    assert not expected_of_sentence(sentence, layer.precision).accepts(others).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_fully_masked_row_is_the_mean_or_zeros_if_weights_are_returned(backend: str) -> None:
    values, nothing = words(), np.zeros((3, 3), dtype=bool)
    mean = values.mean(axis=-2, keepdims=True).repeat(3, axis=-2)
    for layer, of_nothing in (("layer", mean), ("layer-weights", np.zeros_like(values))):
        with unwarned():
            output = subject(layer, backend).attention(values, values, values, mask=nothing)
        np.testing.assert_allclose(output, of_nothing, rtol=EPS)
