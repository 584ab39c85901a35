from __future__ import annotations

import numpy as np
import pytest

from implementations import SHIPPED
from properties.drawing.options import Options
from tests.implementations.adapters import dtypes_outside_the_bound

REFUSES_MASKS = "onnxruntime-24-external"
"""docs/findings/onnxruntime-short-masks-are-refused.md."""
NAMES = [name for name in SHIPPED.names() if name.startswith(("onnx", "openvino")) and name != REFUSES_MASKS]

ONE_BY_ONE = (
    Options(),
    Options(mask="most"),
    Options(bias="normal"),
    Options(causal=True),
    Options(window=2),
    Options(softcap=5.0),
    Options(group=2),
    Options(scale=0.25),
)
AT_ONCE = Options(mask="most", bias="normal", causal=True, window=3, softcap=5.0, group=2, scale=0.25)


@pytest.mark.parametrize("options", [*ONE_BY_ONE, AT_ONCE], ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_an_adapter_does_what_it_declares(name: str, options: Options) -> None:
    assert not dtypes_outside_the_bound(name, options)


def test_a_mask_and_a_bias_become_one_input() -> None:
    pytest.importorskip("onnx", reason="pip install attention-tests[onnx]")
    from implementations.onnx.evaluator import OPSET_24  # noqa: PLC0415 - needs the library

    assert OPSET_24.attention is not None
    zeros, value = np.zeros((1, 1, 1, 3), np.float32), np.array([[[[1], [2], [4]]]], np.float32)
    mask, bias = np.array([[True, True, False]]), np.array([[-np.inf, 0, 0]], np.float32)
    assert OPSET_24.attention(zeros, np.zeros((1, 1, 3, 3), np.float32), value, mask=mask, bias=bias).item() == 2


def test_float64_inputs_have_a_scale_in_float64() -> None:
    pytest.importorskip("onnx", reason="pip install attention-tests[onnx]")
    from implementations.onnx.evaluator import DOUBLE  # noqa: PLC0415 - needs the library

    assert DOUBLE.attention is not None
    query, key, value = np.ones((1, 1, 1, 1)), np.array([[[[1.0], [0.0]]]]), np.array([[[[1.0], [0.0]]]])
    assert DOUBLE.attention(query, key, value, scale=0.1).item() == pytest.approx(1 / (1 + np.exp(-0.1)), rel=2**-50)


def test_a_runtime_that_expands_the_function_has_a_default_scale_in_float32() -> None:
    pytest.importorskip("onnxruntime", reason="pip install attention-tests[onnxruntime]")
    from implementations.onnx import evaluator  # noqa: PLC0415 - need the libraries
    from implementations.onnx.attention import attention, operator  # noqa: PLC0415 - likewise
    from implementations.onnxruntime import standard  # noqa: PLC0415 - need the libraries

    query, key, value = np.ones((1, 1, 1, 2)), np.array([[[[1.0, 1.0], [0.0, 0.0]]]]), np.array([[[[1.0], [0.0]]]])
    exact = 1 / (1 + np.exp(-np.sqrt(2)))
    by_the_evaluator = attention(evaluator.session_of, operator(23), query, key, value)
    by_the_function = attention(standard.session_of, operator(23), query, key, value)
    assert by_the_evaluator.item() == pytest.approx(exact, rel=2**-50)
    assert by_the_function.item() != pytest.approx(exact, rel=2**-30)


@pytest.mark.parametrize("width", [1, 3, 8, 9])
def test_widths_that_are_no_multiples_of_eight_are_padded(width: int) -> None:
    pytest.importorskip("onnxruntime", reason="pip install attention-tests[onnxruntime]")
    from implementations.onnxruntime.group_query import group_query_attention  # noqa: PLC0415 - needs the library

    words = np.ones((1, 2, 1, width), np.float32)
    np.testing.assert_array_equal(group_query_attention(words, words, words), words)


def test_values_of_width_one_change_no_later_output() -> None:
    pytest.importorskip("openvino", reason="pip install attention-tests[openvino]")
    from implementations.openvino.operator import attention, to_native  # noqa: PLC0415 - needs the library

    word = to_native(np.ones((1, 1, 1, 1)), "bfloat16")
    for width in (1, 8, 16):
        values = to_native(np.ones((1, 1, 1, width)), "bfloat16")
        np.testing.assert_array_equal(attention(word, word, values).astype(float), 1)
