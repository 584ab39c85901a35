"""The executor that calls a kernel in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from operator import methodcaller
from timeit import repeat
from typing import Any, TypeAlias, TypeVar

import numpy as np

from attention_tests.declare.dialect import Layout
from attention_tests.declare.features import Feature, Step
from attention_tests.declare.implementation import Implementation
from attention_tests.execution.executor import TIMES, MakeFailure
from attention_tests.execution.placement import Packing, Placement, packing_of, place
from attention_tests.guards import concealment, forbidden_calls, process_state
from attention_tests.text.wording import article, raised

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
T = TypeVar("T")


NOT_ARRAYS = (list, tuple, dict, str, bool, int, float, complex, type(None))


class LocalExecutor:
    """An implementation in this process."""

    losses = 0

    def __init__(self, implementation: Implementation, before_a_call: Callable[[], None] = lambda: None) -> None:
        self._implementation = implementation
        self._before_a_call = before_a_call
        process_state.remember()

    def native(self, array: Array, dtype: str, make_failure: MakeFailure) -> Any:
        """See Executor."""
        return _guarded(make_failure, self._native, array, dtype)

    def _native(self, array: Array, dtype: str) -> Any:
        # A copy: an implementation that writes its input must not write ours.
        return self._implementation.to_native(np.array(array, order="C"), dtype)

    def placed(
        self, array: Array, dtype: str, placements: Sequence[Placement], layout: Layout, make_failure: MakeFailure
    ) -> list[Any]:
        """See Executor."""
        make = partial(self.native, dtype=dtype, make_failure=make_failure)
        return [_where_possible(place, make, array, placement, layout) for placement in placements]

    def packed(
        self, arrays: Sequence[Array], dtype: str, packing: Packing, layout: Layout, make_failure: MakeFailure
    ) -> list[Any]:
        """See Executor."""
        pack, make = packing_of(packing, layout), partial(self.native, dtype=dtype, make_failure=make_failure)
        return (pack and _where_possible(pack, make, arrays)) or []

    def write(self, native: Any, numbers: Any, make_failure: MakeFailure) -> None:
        """See Executor."""
        _guarded(make_failure, lambda: native.__setitem__(..., numbers))

    def call(self, step: Step, arguments: Sequence[Any], options: Mapping[str, Any], make_failure: MakeFailure) -> Any:
        """See Executor."""
        self._before_a_call()
        return _guarded(make_failure, getattr(self._implementation, step), *arguments, **options)

    def call_method(self, native: Any, method: str, arguments: Sequence[Any], make_failure: MakeFailure) -> Any:
        """See Executor."""
        self._before_a_call()
        # Looked up only there: something without the method is one that raises.
        return _guarded(make_failure, methodcaller(method, *arguments), native)

    def call_at_once(self, step: Step, calls: Sequence[Sequence[Any]], make_failure: MakeFailure) -> list[Any]:
        """See Executor."""
        with ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(lambda call: self.call(step, call, {}, make_failure), calls))

    def call_concealed(self, step: Step, arguments: Sequence[Any], make_failure: MakeFailure) -> Any:
        """See Executor."""
        self._before_a_call()
        call = partial(getattr(self._implementation, step), *arguments)
        on_a_thread = Feature.THREADS in self._implementation.features
        return _guarded(make_failure, concealment.call_concealed, call, on_a_thread=on_a_thread)

    def changed_by(self, step: Step, arguments: Sequence[Any], make_failure: MakeFailure) -> list[str]:
        """See Executor."""
        return process_state.changed_by(lambda: self.call(step, arguments, {}, make_failure))

    def forbidden_calls_of(self, step: Step, arguments: Sequence[Any], make_failure: MakeFailure) -> list[str]:
        """See Executor."""
        without = self._implementation.without
        return forbidden_calls.forbidden_calls_of(lambda: self.call(step, arguments, {}, make_failure), without)

    def shortest_time(self, step: Step, calls: Sequence[Sequence[Any]], make_failure: MakeFailure) -> float:
        """See Executor."""
        return min(repeat(lambda: [self.call(step, call, {}, make_failure) for call in calls], number=1, repeat=TIMES))

    def parts(self, answer: Any, count: int, make_failure: MakeFailure) -> tuple[Any, ...]:
        """See Executor."""
        if not isinstance(answer, tuple | list) or len(answer) != count:
            raise make_failure(_kind(answer))
        return tuple(answer)

    def dtype_of(self, native: Any, make_failure: MakeFailure) -> str:
        """See Executor."""
        return _guarded(make_failure, lambda: str(getattr(native, "dtype", type(native).__name__)))

    def read(self, answers: Sequence[Any], make_failures: Sequence[MakeFailure], kinds: str = "f") -> list[Array]:
        """See Executor."""
        return [
            self._read(answer, make_failure, kinds) for answer, make_failure in zip(answers, make_failures, strict=True)
        ]

    def settle(self) -> None:
        """Do nothing: here everything is done at once."""

    def abandon(self) -> None:
        """Do nothing: here everything is done at once."""

    def rest(self) -> None:
        """Do nothing: this process is also that of others."""

    def _read(self, answer: Any, make_failure: MakeFailure, kinds: str) -> Array:
        if isinstance(answer, NOT_ARRAYS):
            raise make_failure(_kind(answer))
        if isinstance(answer, np.ma.MaskedArray) and np.ma.is_masked(answer):
            raise make_failure("an array in which numbers are masked")
        array = np.asarray(
            _guarded(
                lambda words: make_failure(f"{_kind(answer)} that to_numpy cannot read ({words})"),
                lambda: np.asarray(self._implementation.to_numpy(answer)),
            )
        )
        if array.dtype == object and array.shape == ():
            raise make_failure(f"{_kind(answer)}, which is no array")
        if array.dtype.kind not in kinds:
            raise make_failure(f"an array of dtype {array.dtype}")
        return array.astype(np.float64)


def _where_possible(view: Callable[..., T], *arguments: Any) -> T | None:
    """Return a view of a native array; None where its library has no such views."""
    # What goes wrong in `to_native` is raised as something else.
    with suppress(AttributeError, IndexError, OSError, RuntimeError, TypeError, ValueError):
        return view(*arguments)
    return None


def _guarded(make_failure: MakeFailure, function: Callable[..., T], *arguments: Any, **options: Any) -> T:
    try:
        return function(*arguments, **options)
    except (Exception, SystemExit) as error:
        raise make_failure(raised(error)) from error


def _kind(answer: Any) -> str:
    return "None" if answer is None else article(type(answer).__name__)
