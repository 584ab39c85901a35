"""A signature says by which convention it is read, and a call reaches the function in that convention's form."""

# ruff: noqa: ARG001, ARG005, FBT001, FBT002, PLR0917 - functions as libraries have them: by position, booleans too, and here without a look at the arrays

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attention_tests import Feature, Implementation, Layout
from attention_tests.declare.signature import OPTIONS
from attention_tests.frameworks.found import Arrays, framework_for
from attention_tests.signatures.conventions import CONVENTIONS
from attention_tests.signatures.reading import from_callable
from attention_tests.text.wording import BadTarget
from tests.support import bare, targets

ARRAYS = [np.zeros((2, 4, 3, 5)), np.zeros((2, 2, 3, 5)), np.zeros((2, 2, 3, 5))]


def read(function: Callable[..., Any]) -> Implementation:
    return from_callable(function, "mine", framework_for(function, Arrays("numpy")))


def called(function: Callable[..., Any], **options: Any) -> Any:
    attention = read(function).attention
    assert attention is not None
    return attention(*ARRAYS, **options)


def test_the_signature_says_what_is_asked_for() -> None:
    plain = read(targets.attention).supports
    assert read(targets.with_scale).supports - plain == {Feature.SCALE}
    assert read(bare.plain).supports - plain == {Feature.MASK, Feature.BIAS, Feature.CAUSAL}


def test_without_a_signature_only_the_plain_call_is_assumed() -> None:
    assert not read(math.hypot).supports & {*OPTIONS.values()}


def bound(text: str) -> Any:
    """Return a function as extensions have it: without a signature, and with a text that begins with one."""

    class Bound:
        __name__ = "attend"
        __doc__ = text

        @property
        def __signature__(self) -> Any:
            raise ValueError("no signature found")

        def __call__(self, _query: Any, _key: Any, _value: Any, **options: Any) -> Any:
            return options

    return Bound()


@pytest.mark.parametrize(
    ("text", "features"),
    [
        (
            "attend(query, key, value, attn_mask=None, dropout_p=0.0,\n    enable_gqa=False) -> Tensor:\n\n    More.",
            {Feature.MASK, Feature.BIAS, Feature.DROPOUT},
        ),
        (
            "attend(q: array, k: array, v: array, *, scale: float,  mask: None | str = None, sinks: Any = None)",
            {Feature.SCALE, Feature.MASK, Feature.BIAS, Feature.CAUSAL},
        ),
        ("attend(q, k, v, size=(-1, -1), causal=bool())", {Feature.CAUSAL}),
        ("Attend(q, k, v, scale=None)", set()),
        ("attend(q, k, v, scale=None", set()),
        ("attend(*args, **kwargs)", set()),
    ],
)
def test_without_a_signature_the_documentation_may_have_one(text: str, features: set[Feature]) -> None:
    assert read(bound(text)).supports & {*OPTIONS.values()} == features


def test_a_scale_that_is_documented_without_a_default_is_given() -> None:
    assert called(bound("attend(q, k, v, *, scale: float)")) == {"scale": 1 / math.sqrt(5)}


def torch_like(
    query: Any, key: Any, value: Any, attn_mask: Any = None, is_causal: bool = False, enable_gqa: Any = 7
) -> Any:
    return attn_mask, is_causal, enable_gqa


def flash_like(
    q: Any, k: Any, v: Any, softmax_scale: Any = None, causal: bool = False, window_size: Any = (-1, -1)
) -> Any:
    return softmax_scale, causal, window_size


def mlx_like(q: Any, k: Any, v: Any, *, scale: float, mask: Any = None, sinks: Any = None) -> Any:
    return scale, mask


def flashinfer_like(q: Any, k: Any, v: Any, causal: bool = False, window_left: int = -1, sm_scale: Any = None) -> Any:
    return np.array([q.ndim, causal, window_left, sm_scale or 0.0])


def jax_like(query: Any, key: Any, value: Any, *, is_causal: bool = False, local_window_size: Any = None) -> Any:
    return is_causal, local_window_size


def required(query: Any, key: Any, value: Any, *, sm_scale: float) -> Any:
    return sm_scale


@pytest.mark.parametrize(
    ("function", "options", "given"),
    [
        (torch_like, {}, (None, False, True)),
        (torch_like, {"mask": 4}, (4, False, True)),
        (torch_like, {"bias": 5, "causal": True}, (5, True, True)),
        (flash_like, {}, (None, False, (-1, -1))),
        (flash_like, {"scale": 0.5, "window": 3}, (0.5, False, (2, 2))),
        (flash_like, {"causal": True, "window": 3}, (None, True, (2, 0))),
        (mlx_like, {}, (1 / math.sqrt(5), None)),
        (mlx_like, {"scale": 0.5, "causal": True}, (0.5, "causal")),
        (mlx_like, {"causal": False}, (1 / math.sqrt(5), None)),
        (jax_like, {"window": 3}, (False, 2)),
        (required, {}, 1 / math.sqrt(5)),
        (required, {"scale": 0.25}, 0.25),
    ],
)
def test_options_are_given_as_the_convention_has_them(
    function: Callable[..., Any], options: dict[str, Any], given: Any
) -> None:
    assert called(function, **options) == given


def test_a_window_before_a_token_goes_with_causality() -> None:
    attention = read(flashinfer_like).attention
    assert attention is not None
    assert attention(*ARRAYS, causal=True, window=4, scale=0.5).tolist() == [ARRAYS[0].ndim, 1.0, 3.0, 0.5]
    with pytest.raises(ValueError, match="together with causality"):
        attention(*ARRAYS, window=4)


def test_two_options_of_one_parameter_are_refused() -> None:
    with pytest.raises(ValueError, match="attn_mask is given once, and not as two of mask, bias"):
        called(torch_like, mask=1, bias=2)


def test_the_layout_is_that_of_the_convention_or_is_found_out() -> None:
    assert read(flash_like).layouts == (Layout.BATCH_LENGTH_HEAD_WIDTH,)
    assert read(flashinfer_like).layouts == (Layout.LENGTH_HEAD_WIDTH,)
    assert read(bare.plain).layouts == tuple(Layout)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (targets.takes_only_words, ["too many positional", "attention(query, key, value"]),
        (lambda query, key, value, *, table: table, ["wants the argument 'table'", "give it one"]),
    ],
)
def test_a_function_of_other_arguments_is_refused(function: Callable[..., Any], words: list[str]) -> None:
    with pytest.raises(BadTarget) as refused:
        read(function)
    assert all(word in str(refused.value) for word in words)


def test_every_convention_is_the_first_of_its_own_marks() -> None:
    for place, convention in enumerate(CONVENTIONS):
        earlier = CONVENTIONS[:place]
        own = {parameter.name for parameter in convention.parameters} | convention.marks
        assert not any(one.marks <= own for one in earlier), convention.name
