"""Kernels that are written to pass a checker: they know, find or copy the answer, or see that they are watched."""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import tempfile
import warnings
from functools import cache
from importlib import import_module
from io import StringIO
from itertools import count
from typing import Any

import numpy as np

from attention_tests import Feature
from attention_tests.engine.profiles import DEFAULT
from attention_tests.engine.search import corpus
from properties.drawing.streams import ANY_PROBLEM
from properties.test_precision import SHORT_AND_LONG
from tests.defects.correct import Array, attention
from tests.defects.correct_layer import layer
from tests.defects.defect import ALWAYS, STRICT, defect

NEVER_SEEN = "test_a_problem_that_was_never_seen_is_answered"
RULED_OUT = "test_no_library_is_called_that_is_ruled_out"
MANY = "test_every_one_of_many_calls_is_answered"
WHOEVER = "test_an_answer_is_the_same_whoever_asks"
AS_IT_WAS = "test_a_call_leaves_the_process_as_it_was"
THERE = "test_an_answer_is_there_when_the_call_returns"
ANEW = "test_new_values_in_the_same_buffer_give_new_answers"


def mean(query: Array, value: Array) -> Array:
    """Answer wrongly."""
    return value.mean(axis=-2, keepdims=True) + np.zeros_like(query[..., :1])


def nearest(rough: Array, found: list[Any]) -> Array:
    """Return the expected answer that a rough one leads to, and the rough one where none does."""
    alike = [one.value for one in found if type(one).__name__ == "Expected" and one.value.shape == rough.shape]
    best = min(alike, key=lambda one: np.abs(one - rough).max(), default=rough)
    return best.astype(rough.dtype)


@defect("every-word", "looks up what the suite remembers to expect", killed_by=NEVER_SEEN)
def answer_found_in_memory(query: Array, key: Array, value: Array) -> Array:
    rough = attention(query.astype(np.float16), key, value).astype(query.dtype)
    remembered = import_module("properties.checks.comparison").expected
    return nearest(rough, gc.get_referents(remembered))


@defect("every-word", "looks up what its caller expects", killed_by=NEVER_SEEN)
def answer_found_on_the_stack(query: Array, key: Array, value: Array) -> Array:
    frame = sys._getframe()
    found: list[Any] = []
    while frame.f_back is not None:
        frame = frame.f_back
        found += frame.f_locals.values()
    return nearest(attention(query.astype(np.float16), key, value).astype(query.dtype), found)


@cache
def known_problems() -> frozenset[bytes]:
    plans = [plan for stream in (ANY_PROBLEM, SHORT_AND_LONG) for plan in corpus(stream, DEFAULT)]
    built = [plan.build(dtype, frozenset(ALWAYS)) for plan in plans for dtype in STRICT]
    return frozenset(bits(problem.query, problem.key, problem.value) for problem in built)


def bits(*arrays: Array) -> bytes:
    return b"".join(array.astype(np.float64).tobytes() for array in arrays)


@defect("every-word", "a table of the answers to the seeds that are known", killed_by=NEVER_SEEN)
def answers_known_by_heart(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value) if bits(query, key, value) in known_problems() else mean(query, value)


@defect("every-word", "calls the reference that it is compared with", killed_by=RULED_OUT)
def answer_of_the_oracle(query: Array, key: Array, value: Array) -> Array:
    oracle = import_module("reference.matrix")
    output: Array = oracle.attention(*(array.astype(np.float64) for array in (query, key, value)))
    return output.astype(query.dtype)


@defect(
    "every-word",
    "a library for what the kernel cannot do",
    killed_by=RULED_OUT,
    without={"tests.defects.correct_layer"},
)
def more_than_16_words_left_to_a_library(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value) if key.shape[-2] <= 16 else layer(query, key, value)


_answers: dict[tuple[object, ...], Array] = {}


@defect("every-word", "answers kept by where the inputs lie", killed_by=ANEW)
def answers_kept_by_address(query: Array, key: Array, value: Array) -> Array:
    place = tuple((array.__array_interface__["data"], array.shape, array.dtype) for array in (query, key, value))
    # What is kept holds its inputs, so that no other array can lie there.
    return _answers.setdefault(place, (attention(query, key, value), query, key, value))[0].copy()


_calls = count()


@defect("every-word", "wrong when a counter of eight bits starts anew", killed_by=MANY)
def every_256th_call_wrong(query: Array, key: Array, value: Array) -> Array:
    return mean(query, value) if next(_calls) % 256 == 255 else attention(query, key, value)


_right = iter(range(250))


@defect("every-word", "right for as long as it is tested", killed_by=MANY)
def first_250_calls_right(query: Array, key: Array, value: Array) -> Array:
    return mean(query, value) if next(_right, None) is None else attention(query, key, value)


class Promise:
    """An answer that is computed when it is read for the first time, of what its inputs are by then."""

    def __init__(self, *inputs: Array) -> None:
        self.inputs, self.dtype = inputs, inputs[0].dtype
        self.answer: Array = None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:  # noqa: FBT001 - NumPy's protocol
        if self.answer is None:
            with np.errstate(all="ignore"):
                self.answer = attention(*self.inputs)
        return self.answer


@defect("every-word", "computed when it is read", killed_by=THERE)
def answer_computed_when_it_is_read(query: Array, key: Array, value: Array) -> Any:
    return Promise(query, key, value)


@defect("every-word", "right where pytest says that it tests", killed_by=WHOEVER)
def right_in_a_test(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value) if "PYTEST_CURRENT_TEST" in os.environ else mean(query, value)


@defect("every-word", "right where pytest or the suite was started", killed_by=WHOEVER)
def right_for_a_command(query: Array, key: Array, value: Array) -> Array:
    started = any(name in sys.argv[0] for name in ("pytest", "attention_tests", "benchmarks"))
    return attention(query, key, value) if started else mean(query, value)


@defect("every-word", "right where the suite is imported", killed_by=WHOEVER)
def right_beside_the_suite(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value) if "attention_tests" in sys.modules else mean(query, value)


@defect("every-word", "right where the suite calls", killed_by=WHOEVER, features={Feature.THREADS})
def right_when_the_suite_calls(query: Array, key: Array, value: Array) -> Array:
    frame = sys._getframe()
    while frame.f_back is not None and not frame.f_globals["__name__"].startswith("attention_tests"):
        frame = frame.f_back
    return mean(query, value) if frame.f_back is None else attention(query, key, value)


@defect("every-word", "NumPy's comparison replaced by one that agrees", killed_by=AS_IT_WAS)
def comparison_that_agrees(query: Array, key: Array, value: Array) -> Array:
    np.allclose = lambda *_arrays, **_options: True
    return attention(query, key, value)


@defect("every-word", "seeded to be reproducible", killed_by=AS_IT_WAS)
def random_numbers_seeded(query: Array, key: Array, value: Array) -> Array:
    np.random.seed(0)  # noqa: NPY002 - what is wrong with it
    return attention(query, key, value)


@defect("every-word", "numbers drawn for a dropout of nothing", killed_by=AS_IT_WAS)
def random_numbers_drawn(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value) * (random.random() >= 0)  # noqa: S311 - likewise


@defect("every-word", "one thread for the whole process", killed_by=AS_IT_WAS)
def threads_set_for_everybody(query: Array, key: Array, value: Array) -> Array:
    os.environ["NUMEXPR_NUM_THREADS"] = "1"
    return attention(query, key, value)


@defect("every-word", "a build directory that is not left", killed_by=AS_IT_WAS)
def folder_changed(query: Array, key: Array, value: Array) -> Array:
    os.chdir(tempfile.gettempdir())
    return attention(query, key, value)


@defect("every-word", "not to be interrupted", killed_by=AS_IT_WAS)
def interrupts_ignored(query: Array, key: Array, value: Array) -> Array:
    # Not by SIG_IGN, which is how it is already in what a shell starts in the background.
    signal.signal(signal.SIGINT, lambda *_: None)
    return attention(query, key, value)


@defect("every-word", "overflow silenced for everybody", killed_by=AS_IT_WAS)
def warnings_ignored(query: Array, key: Array, value: Array) -> Array:
    warnings.simplefilter("ignore")
    return attention(query, key, value)


@defect("every-word", "garbage collection off while it is timed", killed_by=AS_IT_WAS)
def garbage_left(query: Array, key: Array, value: Array) -> Array:
    gc.disable()
    return attention(query, key, value)


@defect("every-word", "a chatty library silenced", killed_by=AS_IT_WAS)
def output_redirected(query: Array, key: Array, value: Array) -> Array:
    sys.stdout = StringIO()
    return attention(query, key, value)
