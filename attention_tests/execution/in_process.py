"""The executor that calls a kernel in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from operator import methodcaller
from timeit import repeat
from typing import Any, TypeAlias, TypeVar

import numpy as np

from attention_tests.declare.features import Feature, Step
from attention_tests.declare.implementation import Implementation
from attention_tests.execution.executor import Blame
from attention_tests.guards import concealment, forbidden_calls, process_state
from attention_tests.text.wording import article, raised

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
T = TypeVar("T")


NOT_ARRAYS = (list, tuple, dict, str, bool, int, float, complex, type(None))


class LocalHost:
    """An implementation in this process."""

    losses = 0

    def __init__(self, implementation: Implementation, before_a_call: Callable[[], None] = lambda: None) -> None:
        self._implementation = implementation
        self._before_a_call = before_a_call
        process_state.remember()

    def native(self, array: Array, dtype: str, blame: Blame) -> Any:
        """See Host."""
        return _guarded(blame, self._native, array, dtype)

    def _native(self, array: Array, dtype: str) -> Any:
        # A copy: an implementation that writes its input must not write ours.
        return self._implementation.to_native(np.array(array, order="C"), dtype)

    def views(self, array: Array, dtype: str, blame: Blame) -> list[Any]:
        """See Host."""
        return _guarded(blame, lambda: list(self._views(array, dtype)))

    def _views(self, array: Array, dtype: str) -> Iterator[Any]:
        yield self._native(np.repeat(array, 2, axis=-1), dtype)[..., ::2]
        yield self._native(np.repeat(array, 2, axis=-2), dtype)[..., ::2, :]
        yield self._native(array.mT, dtype).mT
        backwards = self._native(array[..., ::-1], dtype)
        if isinstance(backwards, np.ndarray):
            yield backwards[..., ::-1]

    def repeated(self, array: Array, dtype: str, shape: tuple[int, ...], blame: Blame) -> Any:
        """See Host."""
        return _guarded(blame, lambda: _broadcast(self._native(array, dtype), shape))

    def write(self, native: Any, numbers: Any, blame: Blame) -> None:
        """See Host."""
        _guarded(blame, lambda: native.__setitem__(..., numbers))

    def call(self, step: Step, arguments: Sequence[Any], options: Mapping[str, Any], blame: Blame) -> Any:
        """See Host."""
        self._before_a_call()
        return _guarded(blame, getattr(self._implementation, step), *arguments, **options)

    def call_method(self, native: Any, method: str, arguments: Sequence[Any], blame: Blame) -> Any:
        """See Host."""
        self._before_a_call()
        # Looked up only there: something without the method is one that raises.
        return _guarded(blame, methodcaller(method, *arguments), native)

    def call_at_once(self, step: Step, calls: Sequence[Sequence[Any]], blame: Blame) -> list[Any]:
        """See Host."""
        with ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(lambda call: self.call(step, call, {}, blame), calls))

    def call_incognito(self, step: Step, arguments: Sequence[Any], blame: Blame) -> Any:
        """See Host."""
        self._before_a_call()
        call = partial(getattr(self._implementation, step), *arguments)
        on_a_thread = Feature.THREADS in self._implementation.features
        return _guarded(blame, concealment.call_incognito, call, on_a_thread=on_a_thread)

    def changed_by(self, step: Step, arguments: Sequence[Any], blame: Blame) -> list[str]:
        """See Host."""
        return process_state.changed_by(lambda: self.call(step, arguments, {}, blame))

    def ruled_out_calls(self, step: Step, arguments: Sequence[Any], blame: Blame) -> list[str]:
        """See Host."""
        without = self._implementation.without
        return forbidden_calls.ruled_out_calls(lambda: self.call(step, arguments, {}, blame), without)

    def shortest_time(self, step: Step, calls: Sequence[Sequence[Any]], blame: Blame) -> float:
        """See Host."""
        return min(repeat(lambda: [self.call(step, call, {}, blame) for call in calls], number=1, repeat=10))

    def parts(self, answer: Any, count: int, blame: Blame) -> tuple[Any, ...]:
        """See Host."""
        if not isinstance(answer, tuple | list) or len(answer) != count:
            raise blame(_kind(answer))
        return tuple(answer)

    def dtype_of(self, native: Any, blame: Blame) -> str:
        """See Host."""
        return _guarded(blame, lambda: str(getattr(native, "dtype", type(native).__name__)))

    def read(self, answers: Sequence[Any], blames: Sequence[Blame], kinds: str = "f") -> list[Array]:
        """See Host."""
        return [self._read(answer, blame, kinds) for answer, blame in zip(answers, blames, strict=True)]

    def settle(self) -> None:
        """Do nothing: here everything is done at once."""

    def abandon(self) -> None:
        """Do nothing: here everything is done at once."""

    def rest(self) -> None:
        """Do nothing: this process is also that of others."""

    def _read(self, answer: Any, blame: Blame, kinds: str) -> Array:
        if isinstance(answer, NOT_ARRAYS):
            raise blame(_kind(answer))
        if isinstance(answer, np.ma.MaskedArray) and np.ma.is_masked(answer):
            raise blame("an array in which numbers are masked")
        array = np.asarray(
            _guarded(
                lambda words: blame(f"{_kind(answer)} that to_numpy cannot read ({words})"),
                lambda: np.asarray(self._implementation.to_numpy(answer)),
            )
        )
        if array.dtype == object and array.shape == ():
            raise blame(f"{_kind(answer)}, which is no array")
        if array.dtype.kind not in kinds:
            raise blame(f"an array of dtype {array.dtype}")
        return array.astype(np.float64)


def _broadcast(native: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(native, np.ndarray):
        return np.broadcast_to(native, shape)
    # As PyTorch has it, or as the Array API standard has it.
    return (
        native.expand(shape) if hasattr(native, "expand") else native.__array_namespace__().broadcast_to(native, shape)
    )


def _guarded(blame: Blame, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
    try:
        return function(*arguments, **options)
    except (Exception, SystemExit) as error:
        raise blame(raised(error)) from error


def _kind(answer: Any) -> str:
    return "None" if answer is None else article(type(answer).__name__)
