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
from properties.drawing.plans import Options
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
INFINITY = "test_a_value_that_is_no_number_shows_in_the_outputs_that_weigh_it"


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_what_an_adapter_declares_it_does(name: str, options: Options) -> None:
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
def test_what_one_head_gives_no_number_for_is_not_lost_for_the_others(name: str) -> None:
    subject = Subject(loaded(name), "float32")
    ones, seen = np.ones((1, 2, 1, 2)), np.array([[[[False]], [[True]]]])
    output = subject.attention(ones, ones, ones, mask=seen)
    assert np.isnan(output[0, 0]).all()
    assert (output[0, 1] == 1).all()


@pytest.mark.parametrize("name", ["torch-encoder-layer", "bert-eager", "bert-sdpa"])
def test_one_sentence_of_any_widths_goes_through_as_many_heads_as_it_takes(name: str) -> None:
    subject = Subject(loaded(name), "float64")
    x, w_value = np.eye(3)[:2], np.arange(15.0).reshape(3, 5)
    silent = np.zeros((3, 2))
    assert subject.self_attention(x, silent, silent, w_value).tolist() == [w_value[:2].mean(axis=0).tolist()] * 2


def test_no_projection_is_made_for_words_that_are_too_wide() -> None:
    subject = Subject(loaded("torch-mha"), "float32")
    ones = np.ones((1, 512, 1, 64))
    assert (subject.attention(ones, ones, ones) == 1).all()


def test_what_cannot_be_compiled_whole_is_refused_and_not_run_as_it_is() -> None:
    loaded("torch-compiled")
    from implementations.torch.compiled import compiled  # noqa: PLC0415 - only where PyTorch is installed

    with pytest.raises(Exception, match="print"):
        compiled(print)(1)


def test_no_gradient_is_promised_where_the_library_has_none() -> None:
    assert loaded("torch-flex").gradient is None
    assert Feature.LOG_SUM_EXP in loaded("torch-flex").features
