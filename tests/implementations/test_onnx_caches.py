from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attention_tests import Step
from attention_tests.declare.implementation import Array
from attention_tests.execution.subject import Subject
from implementations import SHIPPED
from implementations.onnx.cache import Cache, chunked
from properties.checks.histories import answer, definition
from properties.drawing.histories import Call, HistoryPlan
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from tests.implementations.adapters import loaded, subjects

NAMES = [name for name in SHIPPED.names() if name.startswith("onnx")]

WORDS = Plan(batch=2, heads=2, d_k=3, d_v=5, regimes=("normal",), seed=1)
CALLS = tuple(
    Call(*one) for one in (("append", 3), ("attend", 2), ("append",), ("attend",), ("append", 2), ("attend", 9))
)


def cached_subjects(name: str) -> list[Subject]:
    if Step.CACHE not in loaded(name).steps:
        pytest.skip(f"{name} has no cache of its own")
    return subjects(name)


@pytest.mark.parametrize("options", [Options(), Options(group=2)], ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_a_cache_attends_to_the_prompt_and_to_tokens_appended_later(name: str, options: Options) -> None:
    for subject in cached_subjects(name):
        features, dialect = subject.features, subject.implementation.dialect
        plan = HistoryPlan(CALLS, Plan(**{**vars(WORDS), "options": options}))
        history = plan.build(subject.dtype, features, dialect)
        assert definition(history, subject.precision).accepts(answer(subject, history)).all()


class Recorder:
    """Stands in for an operator: its past is how many words there were, its output how many there are."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int, int]] = []
        self.masks: list[Array] = []

    def __call__(
        self, query: Array, words: tuple[Array, Array], past: int | None, *, mask: Array | None = None, **_options: Any
    ) -> tuple[Array, int]:
        self.calls.append((query.shape[2], words[0].shape[2], past or 0))
        if mask is not None:
            self.masks.append(mask)
        total = (past or 0) + words[0].shape[2]
        return np.full(query.shape, total, float), total


def words(length: int) -> Array:
    return np.arange(length, dtype=float).reshape(1, 1, length, 1)


def test_the_last_append_is_passed_as_new_and_the_rest_as_past() -> None:
    recorder = Recorder()
    cache = Cache(recorder)
    for length in (3, 1, 2):
        cache.append(words(length), words(length))
    assert cache.attend(words(5)).max() == 6
    assert recorder.calls == [(3, 3, 0), (1, 1, 3), (5, 2, 4)]


def test_attending_to_an_empty_cache_raises() -> None:
    with pytest.raises(ValueError, match="empty cache"):
        Cache(Recorder()).attend(words(1))


def test_causal_calls_are_split_into_an_earlier_and_a_later_half() -> None:
    recorder = Recorder()
    mask = np.tri(5, dtype=bool)
    output = chunked(not_asked, recorder, axis=2)(words(5), words(5), words(5), causal=True, mask=mask)
    assert output.ravel().tolist() == [2, 2, 5, 5, 5]
    assert recorder.calls == [(2, 2, 0), (3, 3, 2)]
    np.testing.assert_array_equal(recorder.masks[0], mask[:2, :2])
    np.testing.assert_array_equal(recorder.masks[1], mask[2:])


def not_asked(*_arrays: Array, **_options: Any) -> Array:
    raise AssertionError("causal words come in chunks")


@pytest.mark.parametrize("arguments", [{"causal": False}, {"causal": True}], ids=repr)
def test_single_tokens_and_non_causal_calls_are_not_split(arguments: dict[str, bool]) -> None:
    length = 1 if arguments["causal"] else 4
    calls = []

    def attention(query: Array, _key: Array, _value: Array, **options: Any) -> Array:
        calls.append(options)
        return query

    chunked(attention, Recorder(), axis=2)(words(length), words(length), words(length), **arguments)
    assert calls == [arguments]


def test_unused_space_of_a_shared_buffer_is_visible_to_the_kernel() -> None:
    pytest.importorskip("onnx", reason="pip install attention-tests[onnx]")
    from implementations.onnx.evaluator import session_of  # noqa: PLC0415 - needs the library
    from implementations.onnx.external import Buffer  # noqa: PLC0415 - likewise

    buffer, zeros = Buffer(session_of, 24), np.zeros((1, 1, 1, 1), np.float32)
    buffer.append(zeros, zeros)
    assert buffer.attend(zeros).item() == 0
    buffer._length += 1
    assert buffer.attend(zeros).item() == pytest.approx(0.5)


def test_a_shared_buffer_is_written_in_place_until_it_is_full() -> None:
    pytest.importorskip("onnxruntime", reason="pip install attention-tests[onnxruntime]")
    from implementations.onnxruntime.shared import group_query_after_in_place  # noqa: PLC0415 - needs the library

    word = np.zeros((1, 1, 1, 8), np.float32)
    _, first = group_query_after_in_place(word, (word, word + 1), None)
    output, second = group_query_after_in_place(word, (word, word + 3), first)
    _, third = group_query_after_in_place(word, (word, word), second)
    assert second.value is first.value
    assert third.value is not second.value
    assert second.value[0, 0, :, 0].tolist() == [1, 3]
    assert output.ravel().tolist() == [2] * 8


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_tokens_in_the_state_of_a_request_are_visible_to_every_query(dtype: str) -> None:
    pytest.importorskip("openvino", reason="pip install attention-tests[openvino]")
    from implementations.openvino.operator import ATTENTION  # noqa: PLC0415 - needs the library

    subject = Subject(ATTENTION, dtype)
    history = HistoryPlan(CALLS, WORDS).build(dtype, subject.features, ATTENTION.dialect)
    assert definition(history, subject.precision).accepts(answer(subject, history)).all()
