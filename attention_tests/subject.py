"""An implementation at one dtype, as the properties see it: float64 arrays in, float64 arrays out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import methodcaller
from timeit import repeat
from typing import Any, TypeAlias

import numpy as np

from attention_tests.implementation import Implementation, Layout, Step
from attention_tests.natives import Natives
from attention_tests.precision import Precision
from attention_tests.verdict import ImplementationRaised, WrongForm
from attention_tests.wording import article, raised

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


NOT_ARRAYS = (list, tuple, dict, str, bool, int, float, complex, type(None))


class Subject(Natives):
    """One implementation at one dtype.

    Every method takes float64 arrays that are exact in the dtype and returns a float64 array. It raises
    `ImplementationRaised` if the implementation raised, and `WrongForm` if the answer has the wrong type or shape.
    """

    def __init__(self, implementation: Implementation, dtype: str) -> None:
        super().__init__(implementation, dtype)
        self.precision: Precision = implementation.dtypes[dtype]
        self.features = implementation.features

    def attention(self, query: Array, key: Array, value: Array, **options: Any) -> Array:
        """Whole function: (…, n_q, d_k), (…, n_k, d_k), (…, n_k, d_v) → (…, n_q, d_v), … being (batch, heads).

        Options are those of `Implementation.attention`; a mask, True where a word is seen, and a bias broadcast to
        (batch, heads, n_q, n_k).
        """
        answer = self.attend_natively(self.give(query), self.give(key), self.give(value), **self.give_options(options))
        return self.take(answer, (*query.shape[:-1], value.shape[-1]))

    def attention_and_lse(self, query: Array, key: Array, value: Array, **options: Any) -> tuple[Array, Array]:
        """Whole function with `return_lse`: the output, and the log-sum-exp (batch, heads, n_q)."""
        inputs, options = (self.give(array) for array in (query, key, value)), self.give_options(options)
        answer = self.attend_natively(*inputs, **options, return_lse=True)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise WrongForm(f"{self}: attention with return_lse=True must return two arrays, (output, lse)")
        output, lse = answer
        rows = query.shape[:-1]
        sums = self._read(Step.ATTENTION, lse, rows[2:] if self._layout is Layout.LENGTH_WIDTH else rows)
        return self.take(output, (*rows, value.shape[-1])), sums.reshape(rows)

    def gradient(
        self, query: Array, key: Array, value: Array, upstream: Array, **options: Any
    ) -> tuple[Array, Array, Array]:
        """Gradients of query, key and value under an upstream gradient (…, n_q, d_v), … being (batch, heads)."""
        inputs = [self.give(array) for array in (query, key, value, upstream)]
        answer = self.differentiate_natively(*inputs, **self.give_options(options))
        return self.take_gradients(answer, (query.shape, key.shape, value.shape))

    def self_attention(self, x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:
        """From the words on: (n, d_model), (d_model, d_k) twice, (d_model, d_v) → (n, d_v)."""
        return self._step(Step.SELF_ATTENTION, (x, w_query, w_key, w_value), (x.shape[0], w_value.shape[1]))

    def project(self, x: Array, w: Array) -> Array:
        """(n, d_model), (d_model, d) → (n, d)."""
        return self._step(Step.PROJECT, (x, w), (x.shape[0], w.shape[1]))

    def score(self, query: Array, key: Array) -> Array:
        """(…, n_q, d_k), (…, n_k, d_k) → (…, n_q, n_k)."""
        return self._step(Step.SCORE, (query, key), (*query.shape[:-1], key.shape[-2]))

    def scale(self, scores: Array, d_k: int) -> Array:
        """(…, n_q, n_k) and the width of the keys → (…, n_q, n_k)."""
        return self._step(Step.SCALE, (scores,), scores.shape, d_k)

    def softmax(self, scores: Array) -> Array:
        """(…, n_q, n_k) → (…, n_q, n_k), over the last axis."""
        return self._step(Step.SOFTMAX, (scores,), scores.shape)

    def weigh(self, weights: Array, value: Array) -> Array:
        """(…, n_q, n_k), (…, n_k, d_v) → (…, n_q, n_k, d_v)."""
        return self._step(Step.WEIGH, (weights, value), (*weights.shape, value.shape[-1]))

    def sum(self, weighted: Array) -> Array:
        """(…, n_q, n_k, d_v) → (…, n_q, d_v), over the keys."""
        return self._step(Step.SUM, (weighted,), (*weighted.shape[:-2], weighted.shape[-1]))

    def take(self, answer: Any, shape: tuple[int, ...], step: Step = Step.ATTENTION) -> Array:
        """Read a native answer whose shape in (batch, heads, length, width) must be `shape`."""
        layout = self._layout
        if layout is Layout.LENGTH_WIDTH:
            return self._read(step, answer, shape[2:])[None, None]
        if layout is Layout.BATCH_LENGTH_HEAD_WIDTH:
            batch, heads, length, width = shape
            return self._read(step, answer, (batch, length, heads, width)).swapaxes(1, 2)
        return self._read(step, answer, shape)

    def take_gradients(self, answer: Any, shapes: Iterable[tuple[int, ...]]) -> tuple[Array, Array, Array]:
        """Read a native answer of three gradients, whose shapes must be those of query, key and value."""
        if not isinstance(answer, tuple | list) or len(answer) != 3:
            raise WrongForm(f"{self}: gradient must return three arrays, those of the query, the key and the value")
        d_query, d_key, d_value = (
            self.take(one, shape, Step.GRADIENT) for one, shape in zip(answer, shapes, strict=True)
        )
        return d_query, d_key, d_value

    def attend_natively(self, query: Any, key: Any, value: Any, **options: Any) -> Any:
        """Call the whole function on native arrays in the implementation's layout, and return what it returns."""
        return self._call(Step.ATTENTION, (query, key, value), **options)

    def differentiate_natively(self, query: Any, key: Any, value: Any, upstream: Any, **options: Any) -> Any:
        """Call the gradient on native arrays in the implementation's layout, and return what it returns."""
        return self._call(Step.GRADIENT, (query, key, value, upstream), **options)

    def attention_at_once(self, calls: Sequence[tuple[Array, Array, Array]]) -> list[Array]:
        """Whole function, called at the same time from as many threads as there are calls: (query, key, value) each."""
        with ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(lambda call: self.attention(*call), calls))

    def shortest_time(self, calls: Sequence[tuple[Any, Any, Any]]) -> float:
        """Call the whole function on native arrays ten times over, and return the seconds of the shortest time.

        Whatever else a machine does only adds to it, and so does warming up, which the first of the ten is for.
        """
        return min(repeat(lambda: [self.attend_natively(*call) for call in calls], number=1, repeat=10))

    def open_cache(self) -> Any:
        """Return a cache of the implementation, empty."""
        return self._call(Step.CACHE, ())

    def call_cache(self, cache: Any, method: str, *arrays: Any) -> Any:
        """Call a method of a cache on native arrays in the implementation's layout, and return what it returns."""
        # Looked up only there: a cache without the method is one that raises.
        return self._guarded(f"{Step.CACHE}.{method}", lambda *given: methodcaller(method, *given)(cache), arrays)

    def assert_same_dtype(self, answer: Any, given: Any, step: Step = Step.ATTENTION) -> None:
        """Raise `WrongForm` unless a native answer has the dtype of a native input."""
        dtype = getattr(answer, "dtype", type(answer).__name__)
        if str(dtype) != str(given.dtype):
            raise WrongForm(
                f"{self}: {step} returned {dtype} for inputs of {given.dtype}; return the dtype of the inputs"
            )

    def _step(self, step: Step, arrays: tuple[Array, ...], shape: tuple[int, ...], *rest: int) -> Array:
        return self._read(step, self._call(step, (*map(self.native, arrays), *rest)), shape)

    def _call(self, step: Step, arguments: tuple[Any, ...], **options: Any) -> Any:
        return self._guarded(step, getattr(self.implementation, step.value), arguments, **options)

    def _guarded(self, name: str, function: Callable[..., Any], arguments: tuple[Any, ...], **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except (Exception, SystemExit) as error:
            shapes = ", ".join(str(tuple(getattr(argument, "shape", (argument,)))) for argument in arguments)
            given = f"given {self.dtype} arrays of shapes {shapes}" if arguments else "given nothing"
            raise ImplementationRaised(f"{self}: {name}, {given}, raised {raised(error)}") from error

    def _read(self, step: Step, answer: Any, shape: tuple[int, ...]) -> Array:
        who, wanted = f"{self}: {step} returned", f"return one array of shape {shape}"
        if isinstance(answer, NOT_ARRAYS):
            raise WrongForm(f"{who} {_kind(answer)}; {wanted}")
        try:
            array = np.asarray(self.implementation.to_numpy(answer))
        except (Exception, SystemExit) as error:
            raise WrongForm(f"{who} {_kind(answer)} that to_numpy cannot read ({raised(error)}); {wanted}") from error
        if array.dtype == object and array.shape == ():
            raise WrongForm(f"{who} {_kind(answer)}, which is no array; {wanted}")
        if array.dtype.kind != "f":
            raise WrongForm(f"{who} an array of dtype {array.dtype}; return real floating-point numbers")
        if array.shape != shape:
            raise WrongForm(f"{who} an array of shape {array.shape}; {wanted}")
        return array.astype(np.float64)


def _kind(answer: Any) -> str:
    return "None" if answer is None else article(type(answer).__name__)
