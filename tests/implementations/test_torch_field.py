from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attention_tests.declare.features import Feature
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import Profile
from attention_tests.engine.search import hold
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.subject import Subject
from implementations import SHIPPED
from properties.drawing.options import Options
from tests.implementations.adapters import dtypes_outside_the_bound, loaded

LAWS = {law.name: law for law in all_laws()}
A_FEW = Profile("a few", examples=4)
EXTRAS = ("torch", "transformers", "x-transformers")
NAMES = [
    name
    for name in SHIPPED.names()
    if name not in (*SHIPPED.gate(), *SHIPPED.on_a_gpu())
    and SHIPPED.extra_of(name) in EXTRAS
    # What is compiled takes seconds for each shape: a run that names it is the test of it.
    and "compiled" not in name
]
OPTIONS = (
    Options(),
    Options(mask="most", mask_axes="1hqk"),
    Options(mask="padding", mask_axes="b11k"),
    Options(mask="most", mask_axes="qk"),
    Options(bias="normal"),
    Options(causal=True),
    Options(window=2),
    Options(softcap=5.0),
    Options(group=2),
    Options(scale=0.25),
)
INFINITY = "test_a_non_finite_value_reaches_every_output_that_weighs_it"


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_an_adapter_does_what_it_declares(name: str, options: Options) -> None:
    assert not dtypes_outside_the_bound(name, options)


@pytest.mark.parametrize(
    "name", ["torch-mha", "torch-mha-weights", "torch-mha-fast", "torch-encoder-layer", "bert-eager", "bert-sdpa"]
)
def test_a_layer_with_projections_is_held_to_what_it_can_do(name: str) -> None:
    implementation = loaded(name)
    assert hold(LAWS[INFINITY], Subject(implementation, "float32"), A_FEW).verdict is Verdict.PASS
    as_if_bare = replace(implementation, dialect=replace(implementation.dialect, projected=False))
    assert hold(LAWS[INFINITY], Subject(as_if_bare, "float32"), A_FEW).verdict is Verdict.FAIL


@pytest.mark.parametrize("name", ["torch-mha-weights", "torch-mha-fast"])
def test_a_fully_masked_row_in_one_head_changes_no_other_head(name: str) -> None:
    subject = Subject(loaded(name), "float32")
    ones, seen = np.ones((1, 2, 1, 2)), np.array([[[[False]], [[True]]]])
    output = subject.attention(ones, ones, ones, mask=seen)
    assert np.isnan(output[0, 0]).all()
    assert (output[0, 1] == 1).all()


@pytest.mark.parametrize("name", ["torch-encoder-layer", "bert-eager", "bert-sdpa"])
def test_self_attention_of_any_widths_is_split_over_enough_heads(name: str) -> None:
    subject = Subject(loaded(name), "float64")
    x, w_value = np.eye(3)[:2], np.arange(15.0).reshape(3, 5)
    silent = np.zeros((3, 2))
    assert subject.self_attention(x, silent, silent, w_value).tolist() == [w_value[:2].mean(axis=0).tolist()] * 2


def test_no_projection_is_made_for_tokens_that_are_too_wide() -> None:
    subject = Subject(loaded("torch-mha"), "float32")
    ones = np.ones((1, 512, 1, 64))
    assert (subject.attention(ones, ones, ones) == 1).all()


def test_a_graph_that_cannot_be_compiled_whole_is_refused() -> None:
    loaded("torch-compiled")
    from implementations.torch.compiled import compiled  # noqa: PLC0415 - only where PyTorch is installed

    with pytest.raises(Exception, match="print"):
        compiled(print)(1)


def test_no_gradient_is_promised_where_the_library_has_none() -> None:
    assert loaded("torch-flex").gradient is None
    assert Feature.LOG_SUM_EXP in loaded("torch-flex").features
