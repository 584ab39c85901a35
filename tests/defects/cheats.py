"""Kernels written to pass a checker: they know, find or copy the output, or detect that they are tested."""

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
from properties.test_precision import SHORT_AND_LONG_PROBLEMS
from tests.defects.correct import Array, attention
from tests.defects.correct_layer import layer
from tests.defects.defect import ALWAYS, STRICT, defect

NEVER_SEEN = "test_a_problem_drawn_anew_is_computed_correctly"
RULED_OUT = "test_no_forbidden_library_is_called"
MANY = "test_every_one_of_many_repeated_calls_is_right"
WHOEVER = "test_an_answer_does_not_depend_on_the_caller"
AS_IT_WAS = "test_a_call_leaves_process_global_state_unchanged"
THERE = "test_a_call_has_read_its_inputs_when_it_returns"
ANEW = "test_new_numbers_in_the_same_buffers_give_new_outputs"


def mean(query: Array, value: Array) -> Array:
    """Return a wrong output."""
    return value.mean(axis=-2, keepdims=True) + np.zeros_like(query[..., :1])


def nearest(rough: Array, found: list[Any]) -> Array:
    """Return the expected output nearest to a rough one, or the rough one if nothing of its shape was found."""
    alike = [one.value for one in found if type(one).__name__ == "Interval" and one.value.shape == rough.shape]
    best = min(alike, key=lambda one: np.abs(one - rough).max(), default=rough)
    return best.astype(rough.dtype)


@defect("every-word", "looks up the expected output in the suite's memory", killed_by=NEVER_SEEN)
def answer_found_in_memory(query: Array, key: Array, value: Array) -> Array:
    rough = attention(query.astype(np.float16), key, value).astype(query.dtype)
    remembered = import_module("properties.checks.comparison").expected.kept
    return nearest(rough, gc.get_referents(remembered))


@defect("every-word", "looks up the expected output in its caller's frame", killed_by=NEVER_SEEN)
def answer_found_on_the_stack(query: Array, key: Array, value: Array) -> Array:
    frame = sys._getframe()
    found: list[Any] = []
    while frame.f_back is not None:
        frame = frame.f_back
        found += frame.f_locals.values()
    return nearest(attention(query.astype(np.float16), key, value).astype(query.dtype), found)


@cache
def known_problems() -> frozenset[bytes]:
    plans = [plan for stream in (ANY_PROBLEM, SHORT_AND_LONG_PROBLEMS) for plan in corpus(stream, DEFAULT)]
    built = [plan.build(dtype, frozenset(ALWAYS)) for plan in plans for dtype in STRICT]
    return frozenset(bits(problem.query, problem.key, problem.value) for problem in built)


def bits(*arrays: Array) -> bytes:
    return b"".join(array.astype(np.float64).tobytes() for array in arrays)


@defect("every-word", "a table of the outputs for the known seeds", killed_by=NEVER_SEEN)
def answers_stored_in_a_table(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value) if bits(query, key, value) in known_problems() else mean(query, value)


@defect("every-word", "calls the reference that it is compared with", killed_by=RULED_OUT)
def answer_of_the_oracle(query: Array, key: Array, value: Array) -> Array:
    oracle = import_module("reference.matrix")
    output: Array = oracle.attention(*(array.astype(np.float64) for array in (query, key, value)))
    return output.astype(query.dtype)


@defect(
    "every-word",
    "a forbidden library for sizes the kernel cannot handle",
    killed_by=RULED_OUT,
    without={"tests.defects.correct_layer"},
)
def more_than_16_keys_left_to_a_library(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value) if key.shape[-2] <= 16 else layer(query, key, value)


_answers: dict[tuple[object, ...], Array] = {}


@defect("every-word", "outputs cached by the address of the inputs", killed_by=ANEW)
def answers_kept_by_address(query: Array, key: Array, value: Array) -> Array:
    place = tuple((array.__array_interface__["data"], array.shape, array.dtype) for array in (query, key, value))
    # The cached entry keeps its inputs alive, so that no other array can have their address.
    return _answers.setdefault(place, (attention(query, key, value), query, key, value))[0].copy()


_calls = count()


@defect("every-word", "wrong when a counter of eight bits starts again", killed_by=MANY)
def every_256th_call_wrong(query: Array, key: Array, value: Array) -> Array:
    return mean(query, value) if next(_calls) % 256 == 255 else attention(query, key, value)


_right = iter(range(250))


@defect("every-word", "right only for as many calls as a test makes", killed_by=MANY)
def right_only_for_the_first_250_calls(query: Array, key: Array, value: Array) -> Array:
    return mean(query, value) if next(_right, None) is None else attention(query, key, value)


class Promise:
    """An output that is computed when it is first read, from what its inputs are by then."""

    def __init__(self, *inputs: Array) -> None:
        self.inputs, self.dtype = inputs, inputs[0].dtype
        self.answer: Array = None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:  # noqa: FBT001 - NumPy's protocol
        if self.answer is None:
            with np.errstate(all="ignore"):
                self.answer = attention(*self.inputs)
        return self.answer


@defect("every-word", "an output computed only when it is read", killed_by=THERE)
def answer_computed_lazily(query: Array, key: Array, value: Array) -> Any:
    return Promise(query, key, value)


@defect("every-word", "right only where pytest says that a test is running", killed_by=WHOEVER)
def right_only_under_pytest(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value) if "PYTEST_CURRENT_TEST" in os.environ else mean(query, value)


@defect("every-word", "right only where pytest or the suite was started as a command", killed_by=WHOEVER)
def right_only_for_the_command(query: Array, key: Array, value: Array) -> Array:
    started = any(name in sys.argv[0] for name in ("pytest", "attention_tests", "benchmarks"))
    return attention(query, key, value) if started else mean(query, value)


@defect("every-word", "right only where the suite is imported", killed_by=WHOEVER)
def right_only_if_the_suite_is_imported(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value) if "attention_tests" in sys.modules else mean(query, value)


@defect("every-word", "right only where the suite is the caller", killed_by=WHOEVER, features={Feature.THREADS})
def right_only_if_the_suite_calls(query: Array, key: Array, value: Array) -> Array:
    frame = sys._getframe()
    while frame.f_back is not None and not frame.f_globals["__name__"].startswith("attention_tests"):
        frame = frame.f_back
    return mean(query, value) if frame.f_back is None else attention(query, key, value)


@defect("every-word", "a comparison of NumPy replaced by one that always accepts", killed_by=AS_IT_WAS)
def numpy_comparison_replaced(query: Array, key: Array, value: Array) -> Array:
    np.allclose = lambda *_arrays, **_options: True
    return attention(query, key, value)


@defect("every-word", "the global random state is seeded", killed_by=AS_IT_WAS)
def random_numbers_seeded(query: Array, key: Array, value: Array) -> Array:
    np.random.seed(0)  # noqa: NPY002 - the defect
    return attention(query, key, value)


@defect("every-word", "random numbers drawn for a dropout of zero", killed_by=AS_IT_WAS)
def random_numbers_drawn(query: Array, key: Array, value: Array) -> Array:
    return attention(query, key, value) * (random.random() >= 0)  # noqa: S311 - likewise


@defect("every-word", "the number of threads set for the whole process", killed_by=AS_IT_WAS)
def number_of_threads_changed(query: Array, key: Array, value: Array) -> Array:
    os.environ["NUMEXPR_NUM_THREADS"] = "1"
    return attention(query, key, value)


@defect("every-word", "the working directory changed to a build directory", killed_by=AS_IT_WAS)
def working_directory_changed(query: Array, key: Array, value: Array) -> Array:
    os.chdir(tempfile.gettempdir())
    return attention(query, key, value)


@defect("every-word", "the interrupt signal ignored", killed_by=AS_IT_WAS)
def interrupts_disabled(query: Array, key: Array, value: Array) -> Array:
    # Not by SIG_IGN, which a shell already sets for background processes.
    signal.signal(signal.SIGINT, lambda *_: None)
    return attention(query, key, value)


@defect("every-word", "warnings silenced for the whole process", killed_by=AS_IT_WAS)
def warnings_silenced(query: Array, key: Array, value: Array) -> Array:
    warnings.simplefilter("ignore")
    return attention(query, key, value)


@defect("every-word", "garbage collection left disabled", killed_by=AS_IT_WAS)
def garbage_collection_disabled(query: Array, key: Array, value: Array) -> Array:
    gc.disable()
    return attention(query, key, value)


@defect("every-word", "standard output redirected", killed_by=AS_IT_WAS)
def output_redirected(query: Array, key: Array, value: Array) -> Array:
    sys.stdout = StringIO()
    return attention(query, key, value)
