"""A subject: an implementation at one dtype, as laws use it: float64 arrays in, float64 arrays out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numpy as np

from attention_tests.declare.domain import EVERYWHERE, Sizes
from attention_tests.declare.features import LAID_OUT, Step
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from attention_tests.execution.conversion import ArrayConversion
from attention_tests.execution.executor import TIMES, Executor, MakeFailure
from attention_tests.execution.failures import ImplementationRaised, NotAsked, Refused, WrongForm
from attention_tests.execution.placement import NEAR, Packing, Placement
from attention_tests.execution.signatures import Signature, signature_of
from attention_tests.text.wording import without_place

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
P = ParamSpec("P")
T = TypeVar("T")

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
PLACED_AT_ONCE = 64
"""The number of arrays, at least, whose places are remembered: a law calls with few of them at a time."""


class Subject(ArrayConversion):
    """One implementation at one dtype.

    Every method takes float64 arrays that are exact in the dtype and returns a float64 array. It raises
    `ImplementationRaised` if the implementation raised, or `Refused` if it is a bare callable, and `WrongForm` if the
    answer has the wrong type or shape.
    Where only calls of some signatures are `admitted`, which are without a dtype, it raises `NotAsked` in place of any
    other, and does not make it.
    """

    def __init__(
        self,
        implementation: Implementation,
        dtype: str,
        executor: Executor | None = None,
        admitted: frozenset[Signature] | None = None,
    ) -> None:
        super().__init__(implementation, dtype, executor)
        self.precision: Precision = implementation.dtypes[dtype]
        self.steps, self.features = implementation.steps, implementation.features
        self._admitted = admitted
        self._keeping: dict[Callable[..., Any], Callable[..., Any]] = {}
        self._placed: deque[tuple[Any, str]] = deque(maxlen=PLACED_AT_ONCE)

    def admitting(self, admitted: frozenset[Signature]) -> Subject:
        """Return the same subject, with the same account, that makes only these calls."""
        subject = Subject(self.implementation, self.dtype, self.executor, admitted)
        subject.account = self.account
        return subject

    def keeping(self, function: Callable[P, T], most: int) -> Callable[P, T]:
        """Return a function of this subject that keeps its last results, for as long as the subject lives."""
        if function not in self._keeping:
            self._keeping[function] = lru_cache(maxsize=most)(function)
        return self._keeping[function]

    def placed(self, array: Array, placements: Sequence[Placement] = NEAR) -> Sequence[Any]:
        """See ArrayConversion; None is also one that no admitted call has."""
        if self._admitted is None:
            return self._remembered(super().placed(array, placements), placements)
        known = {place for one in self._admitted for place in one.places}
        views = iter(super().placed(array, [one for one in placements if one in known]))
        return self._remembered([next(views) if one in known else None for one in placements], placements)

    def packed(self, arrays: Sequence[Array], packing: Packing) -> Sequence[Any]:
        """See ArrayConversion; no admitted call has slices of one buffer."""
        slices = super().packed(arrays, packing) if self._admitted is None else ()
        return self._remembered(slices, [packing] * len(slices))

    def option_placed(self, name: str, option: Array, placements: Sequence[Placement]) -> Sequence[Any]:
        """See ArrayConversion; in no admitted call a mask or a bias lies otherwise than in order."""
        if self._admitted is None:
            return self._remembered(super().option_placed(name, option, placements), placements)
        return [None] * len(placements)

    def _remembered(self, views: Sequence[Any], places: Sequence[str]) -> Sequence[Any]:
        """Return the views, whose places in memory are part of the signatures of the calls with them."""
        self._placed.extend((view, one) for view, one in zip(views, places, strict=True) if view is not None)
        return views

    def abandon(self) -> None:
        """Forget the native arrays of a try."""
        self._placed.clear()
        self.executor.abandon()

    def attention(self, query: Array, key: Array, value: Array, **options: Any) -> Array:
        """Whole function: (…, n_q, d_k), (…, n_k, d_k), (…, n_k, d_v) → (…, n_q, d_v), … being (batch, heads).

        Options are those of `Implementation.attention`; a mask (True: attended to) and a bias broadcast
        to (batch, heads, n_q, n_k).
        """
        answer = self.attend_natively(self.give(query), self.give(key), self.give(value), **self.give_options(options))
        return self.take(answer, (*query.shape[:-1], value.shape[-1]))

    def attention_and_lse(self, query: Array, key: Array, value: Array, **options: Any) -> tuple[Array, Array]:
        """Whole function with `return_lse`: the output, and the log-sum-exp (batch, heads, n_q)."""
        inputs = [self.give(array) for array in (query, key, value)]
        answer = self.attend_natively(*inputs, **self.give_options(options), return_lse=True)
        return self.take_with_lse(answer, (*query.shape[:-1], value.shape[-1]))

    def take_with_lse(self, answer: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """Read a native answer of an output, whose shape must be `shape`, and a log-sum-exp."""
        wanted = f"{self}: attention with return_lse=True must return two arrays, (output, lse)"
        output, lse = self.executor.parts(answer, 2, lambda words: WrongForm(f"{wanted}, and returned {words}"))
        rows = shape[:-1]
        sums = self._read(Step.ATTENTION, lse, self._layout.of_rows(rows))
        return self.take(output, shape), sums.reshape(rows)

    def gradient(
        self, query: Array, key: Array, value: Array, upstream: Array, **options: Any
    ) -> tuple[Array, Array, Array]:
        """Gradients of query, key and value under an upstream gradient (…, n_q, d_v), … being (batch, heads)."""
        inputs = [self.give(array) for array in (query, key, value, upstream)]
        answer = self.differentiate_natively(*inputs, **self.give_options(options))
        return self.take_gradients(answer, (query.shape, key.shape, value.shape))

    def self_attention(self, x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:
        """Self-attention from the embeddings on: (n, d_model), (d_model, d_k) twice, (d_model, d_v) → (n, d_v)."""
        return self._step(Step.SELF_ATTENTION, (x, w_query, w_key, w_value), (x.shape[0], w_value.shape[1]))

    def unless_refused(self, ask: Callable[[], T]) -> T | None:
        """Return what `ask` returns, or None where the implementation raises: it refuses what it is not made for."""
        try:
            return ask()
        except (ImplementationRaised, Refused):
            self.executor.abandon()
            return None

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
        (taken,) = self._take([answer], [shape], step)
        return taken

    def take_gradients(self, answer: Any, shapes: Iterable[tuple[int, ...]]) -> tuple[Array, Array, Array]:
        """Read a native answer of three gradients, whose shapes must be those of query, key and value."""
        d_query, d_key, d_value = self._take(self.gradients_of(answer), shapes, Step.GRADIENT)
        return d_query, d_key, d_value

    def gradients_of(self, answer: Any) -> Sequence[Any]:
        """Take the native answer of `differentiate_natively` apart: those of the query, the key and the value."""
        wanted = f"{self}: gradient must return three arrays, those of the query, the key and the value"
        return self.executor.parts(answer, 3, lambda words: WrongForm(f"{wanted}, and returned {words}"))

    def _take(self, answers: Iterable[Any], shapes: Iterable[tuple[int, ...]], step: Step) -> list[Array]:
        laid_out = [self._layout.laid_out(shape) for shape in shapes]
        read = self._read_all(step, list(answers), laid_out)
        return list(map(self._layout.restored, read))

    def attend_natively(self, query: Any, key: Any, value: Any, **options: Any) -> Any:
        """Call the whole function on native arrays in the implementation's layout, and return what it returns."""
        return self._call(Step.ATTENTION, (query, key, value), **options)

    def differentiate_natively(self, query: Any, key: Any, value: Any, upstream: Any, **options: Any) -> Any:
        """Call the gradient on native arrays in the implementation's layout, and return what it returns."""
        return self._call(Step.GRADIENT, (query, key, value, upstream), **options)

    def attention_at_once(self, calls: Sequence[tuple[Array, Array, Array]]) -> list[Array]:
        """Whole function, called at the same time from as many threads as there are calls: (query, key, value) each."""
        natives = [[self.give(array) for array in call] for call in calls]
        self._count(Step.ATTENTION, natives)
        answers = self.executor.call_at_once(Step.ATTENTION, natives, self._failure_of_call(Step.ATTENTION, natives[0]))
        return self._take(answers, [(*query.shape[:-1], value.shape[-1]) for query, _, value in calls], Step.ATTENTION)

    def attention_repeatedly(self, query: Array, key: Array, value: Array, times: int) -> Array:
        """Whole function, called again and again: the answers, (times, …, n_q, d_v)."""
        inputs = [self.give(array) for array in (query, key, value)]
        answers = [self.attend_natively(*inputs) for _ in range(times)]
        return np.stack(self._take(answers, [(*query.shape[:-1], value.shape[-1])] * times, Step.ATTENTION))

    def attention_concealed(self, query: Array, key: Array, value: Array) -> Array:
        """Whole function, called without a sign of who calls: of this suite, of pytest, of a test at all."""
        inputs = [self.give(array) for array in (query, key, value)]
        self._count(Step.ATTENTION, [inputs])
        answer = self.executor.call_concealed(Step.ATTENTION, inputs, self._failure_of_call(Step.ATTENTION, inputs))
        return self.take(answer, (*query.shape[:-1], value.shape[-1]))

    def changed_by_attention(self, query: Array, key: Array, value: Array) -> Sequence[str]:
        """Call the whole function, and name what it changes in its process besides making an answer."""
        inputs = [self.give(array) for array in (query, key, value)]
        self._count(Step.ATTENTION, [inputs])
        return self.executor.changed_by(Step.ATTENTION, inputs, self._failure_of_call(Step.ATTENTION, inputs))

    def forbidden_calls_of(self, query: Array, key: Array, value: Array) -> Sequence[str]:
        """Call the whole function, and name the functions that it calls although it declares to do without them."""
        inputs = [self.give(array) for array in (query, key, value)]
        self._count(Step.ATTENTION, [inputs])
        return self.executor.forbidden_calls_of(Step.ATTENTION, inputs, self._failure_of_call(Step.ATTENTION, inputs))

    def shortest_time(self, calls: Sequence[tuple[Any, Any, Any]]) -> float:
        """Call the whole function on native arrays ten times over, and return the seconds of the shortest time."""
        self._count(Step.ATTENTION, calls, times=TIMES)
        return self.executor.shortest_time(Step.ATTENTION, calls, self._failure_of_call(Step.ATTENTION, calls[0]))

    def open_cache(self) -> Any:
        """Return a cache of the implementation, empty."""
        return self._call(Step.CACHE, ())

    def call_cache(self, cache: Any, method: str, *arrays: Any) -> Any:
        """Call a method of a cache on native arrays in the implementation's layout, and return what it returns."""
        self.account.add(f"{Step.CACHE}.{method}", arrays, {})
        return self.executor.call_method(cache, method, arrays, self._failure_of_call(f"{Step.CACHE}.{method}", arrays))

    def assert_same_dtype(self, answer: Any, given: Any, step: Step = Step.ATTENTION) -> None:
        """Raise `WrongForm` unless a native answer has the dtype of a native input."""
        dtype, wanted = (self.executor.dtype_of(array, self._failure_of_call(step, ())) for array in (answer, given))
        if dtype != wanted:
            raise WrongForm(f"{self}: {step} returned {dtype} for inputs of {wanted}; return the dtype of the inputs")

    def _step(self, step: Step, arrays: tuple[Array, ...], shape: tuple[int, ...], *rest: int) -> Array:
        return self._read(step, self._call(step, (*map(self.native, arrays), *rest)), shape)

    def _call(self, step: Step, arguments: Sequence[Any], **options: Any) -> Any:
        self._count(step, [arguments], options)
        return self.executor.call(step, arguments, options, self._failure_of_call(step, arguments, options))

    def _count(
        self, step: Step, calls: Sequence[Sequence[Any]], options: Mapping[str, Any] = NO_OPTIONS, times: int = 1
    ) -> None:
        """Count calls that are about to be made. Raises `NotAsked` unless all of them are admitted."""
        if self.implementation.domain != EVERYWHERE and step in LAID_OUT:
            for arguments in calls:
                sizes = Sizes.of(self._layout, *(tuple(array.shape) for array in arguments[:3]))
                if not self.implementation.domain.holds(sizes):
                    raise NotAsked(f"{sizes} are not in the domain")
        if self._admitted is not None:
            for arguments in calls:
                signature = signature_of(step, arguments, options, self._place_of)._replace(dtype="")
                if signature not in self._admitted:
                    raise NotAsked(str(signature))
        for arguments in calls:
            self.account.add(step, arguments, options, times, self._place_of)

    def _place_of(self, native: Any) -> str:
        return next((place for view, place in self._placed if view is native), "")

    def _failure_of_call(
        self, name: str, arguments: Sequence[Any], options: Mapping[str, Any] = NO_OPTIONS
    ) -> MakeFailure:
        def make_failure(words: str) -> Exception:
            shapes = ", ".join(str(tuple(getattr(argument, "shape", (argument,)))) for argument in arguments)
            given = f"given {self.dtype} arrays of shapes {shapes}" if arguments else "given nothing"
            sentence = f"{self}: {name}, {given}, raised {words}"
            if not self.implementation.refuses:
                return ImplementationRaised(sentence)
            words = f"{given}, raised {without_place(words)}"
            self.account.refuse(name, options, words)
            return Refused(sentence, words)

        return make_failure

    def _read(self, step: Step, answer: Any, shape: tuple[int, ...]) -> Array:
        (array,) = self._read_all(step, [answer], [shape])
        return array

    def _read_all(self, step: Step, answers: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> list[Array]:
        make_failures = [self._failure_of_form(step, shape) for shape in shapes]
        arrays = list(self.executor.read(answers, make_failures))
        for array, shape, make_failure in zip(arrays, shapes, make_failures, strict=True):
            if array.shape != shape:
                raise make_failure(f"an array of shape {array.shape}")
        return arrays

    def _failure_of_form(self, step: Step, shape: tuple[int, ...]) -> MakeFailure:
        def make_failure(words: str) -> Exception:
            wanted = f"return one array of shape {shape}, of real floating-point numbers"
            return WrongForm(f"{self}: {step} returned {words}; {wanted}")

        return make_failure
