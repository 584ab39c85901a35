"""An executor in another process: what a law need not wait for is asked together with what comes next.

See `attention_tests.execution.executor` for the methods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from attention_tests.declare.dialect import Layout
from attention_tests.declare.features import Step
from attention_tests.execution.executor import MakeFailure
from attention_tests.execution.failures import Crashed
from attention_tests.execution.isolation.operations import Reference
from attention_tests.execution.isolation.process import Process
from attention_tests.execution.isolation.wire import Done, Failed, Numbers
from attention_tests.execution.placement import Packing, Placement

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

T = TypeVar("T")


class Kept:
    """Something that the other process keeps for as long as this object lives."""

    def __init__(self, number: int, table: _Table) -> None:
        self.number = number
        self.shape: tuple[int, ...] = ()
        self.dtype = ""
        self._table = table

    def __reduce__(self) -> tuple[type[Reference], tuple[int]]:
        return Reference, (self.number,)

    def __del__(self) -> None:
        if self._table.forgotten is not None:
            self._table.forgotten.append(self.number)


class _Table:
    """The handles of one try of a law. Numbers start anew with each, so that equal questions are equal bytes."""

    def __init__(self) -> None:
        self.next = 0
        self.forgotten: list[int] | None = None
        """Handles that are not needed any more; None: all that was kept before this try."""

    def reserve(self, count: int) -> int:
        first = self.next
        self.next += count
        return first


class RemoteExecutor:
    """An implementation in another process. Raises also Crashed and TimedOut, from any method."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._table = _Table()
        self._operations: list[tuple[str, int, tuple[Any, ...]]] = []
        self._blames: list[MakeFailure] = []

    @property
    def losses(self) -> int:
        """The number of processes lost so far."""
        return self._process.losses

    def native(self, array: Array, dtype: str, make_failure: MakeFailure) -> Kept:
        """Ask for it."""
        (native,) = self._later("native", 1, make_failure, array, dtype)
        native.shape, native.dtype = array.shape, dtype
        return native

    def placed(
        self, array: Array, dtype: str, placements: Sequence[Placement], layout: Layout, make_failure: MakeFailure
    ) -> Sequence[Kept | None]:
        """Ask for them, and wait to know which there are."""
        views = self._later("placed", len(placements), make_failure, array, dtype, placements, layout)
        return self._those_there(views, [array] * len(placements), dtype)

    def packed(
        self, arrays: Sequence[Array], dtype: str, packing: Packing, layout: Layout, make_failure: MakeFailure
    ) -> Sequence[Kept]:
        """Ask for them, and wait to know whether there are any."""
        slices = self._later("packed", len(arrays), make_failure, arrays, dtype, packing, layout)
        return [one for one in self._those_there(slices, arrays, dtype) if one]

    def _those_there(self, views: Sequence[Kept], arrays: Sequence[Array], dtype: str) -> list[Kept | None]:
        for view, array in zip(views, arrays, strict=True):
            view.shape, view.dtype = array.shape, dtype
        there = self._answered(list)
        return [view if str(view.number) in there else None for view in views]

    def write(self, native: Any, numbers: Any, make_failure: MakeFailure) -> None:
        """Ask for it."""
        self._later("write", 1, make_failure, native, numbers)

    def call(self, step: Step, arguments: Sequence[Any], options: Mapping[str, Any], make_failure: MakeFailure) -> Kept:
        """Ask for it."""
        (answer,) = self._later("call", 1, make_failure, step, tuple(arguments), options)
        return answer

    def call_method(self, native: Any, method: str, arguments: Sequence[Any], make_failure: MakeFailure) -> Kept:
        """Ask for it."""
        (answer,) = self._later("call_method", 1, make_failure, native, method, tuple(arguments))
        return answer

    def call_at_once(self, step: Step, calls: Sequence[Sequence[Any]], make_failure: MakeFailure) -> Sequence[Kept]:
        """Ask for them."""
        return self._later("call_at_once", len(calls), make_failure, step, calls)

    def call_concealed(self, step: Step, arguments: Sequence[Any], make_failure: MakeFailure) -> Kept:
        """Ask for it."""
        (answer,) = self._later("call_concealed", 1, make_failure, step, tuple(arguments))
        return answer

    def changed_by(self, step: Step, arguments: Sequence[Any], make_failure: MakeFailure) -> Sequence[str]:
        """Ask, and wait."""
        return self._names("changed_by", step, arguments, make_failure)

    def forbidden_calls_of(self, step: Step, arguments: Sequence[Any], make_failure: MakeFailure) -> Sequence[str]:
        """Ask, and wait."""
        return self._names("forbidden_calls_of", step, arguments, make_failure)

    def _names(self, operation: str, step: Step, arguments: Sequence[Any], make_failure: MakeFailure) -> Sequence[str]:
        self._later(operation, 1, make_failure, step, tuple(arguments))
        return self._answered(list)

    def shortest_time(self, step: Step, calls: Sequence[Sequence[Any]], make_failure: MakeFailure) -> float:
        """Have it measured over there."""
        self._later("shortest_time", 1, make_failure, step, calls)
        return self._answered(float)

    def parts(self, answer: Any, count: int, make_failure: MakeFailure) -> Sequence[Kept]:
        """Ask for them."""
        return self._later("parts", count, make_failure, answer, count)

    def dtype_of(self, native: Any, make_failure: MakeFailure) -> str:
        """Ask, and wait."""
        self._later("dtype_of", 1, make_failure, native)
        return self._answered(str)

    def read(self, answers: Sequence[Any], make_failures: Sequence[MakeFailure], kinds: str = "f") -> Sequence[Array]:
        """Ask for the numbers, and wait for them."""
        for answer, make_failure in zip(answers, make_failures, strict=True):
            self._later("read", 1, make_failure, answer, kinds)
        return [self._of_kind(Numbers, answer).array() for answer in self._settled(len(answers))]

    def settle(self) -> None:
        """Wait until everything that was asked for is done."""
        if self._operations:
            self._settled(0)

    def abandon(self) -> None:
        """Leave what was asked for and is not done."""
        self._operations, self._blames, self._table = [], [], _Table()

    def rest(self) -> None:
        """End the process, which starts again when it is asked."""
        self._process.end()

    def _later(self, operation: str, makes: int, make_failure: MakeFailure, *arguments: Any) -> list[Kept]:
        first = self._table.reserve(makes)
        self._operations.append((operation, first, arguments))
        self._blames.append(make_failure)
        return [Kept(number, self._table) for number in range(first, first + makes)]

    def _answered(self, kind: type[T]) -> T:
        (answer,) = self._settled(1)
        return self._of_kind(kind, answer)

    def _of_kind(self, kind: type[T], answer: Any) -> T:
        if not isinstance(answer, kind):
            raise Crashed(f"{self._process.target}: its process sent something else than what was asked for")
        return answer

    def _settled(self, count: int) -> list[Any]:
        operations, make_failures = self._operations, self._blames
        forgotten, self._table.forgotten = self._table.forgotten, []
        self._operations, self._blames = [], []
        match self._process.ask((forgotten, operations)):
            case Done(answers) if len(answers) == count:
                return answers
            case Failed(place, words) if 0 <= place < len(make_failures):
                raise make_failures[place](words)
            case _:
                raise Crashed(f"{self._process.target}: its process sent an answer to another question")
