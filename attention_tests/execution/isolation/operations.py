"""Operations on the executor of another process: a batch of them makes one journey.

An operation is the name of a method of `LocalExecutor`, the number of the handle for what it makes, and its arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attention_tests.execution.in_process import LocalExecutor
from attention_tests.execution.isolation.wire import Done, Failed, Numbers
from attention_tests.text.wording import raised

SEVERAL = ("placed", "packed", "parts", "call_at_once")
"""The operations that make several things."""
SOME = ("placed", "packed")
"""Those of them that may make fewer: the numbers of the handles of what is there are sent back."""
ANSWERED = ("dtype_of", "shortest_time", "changed_by", "forbidden_calls_of")
"""The operations whose result is sent back, besides what is read."""

Operation = tuple[str, int, tuple[Any, ...]]


class Reference:
    """Stands for something that is kept, in the arguments of an operation."""

    def __init__(self, number: int) -> None:
        self.number = number


class _WentWrong(Exception):  # noqa: N818 - no error of ours
    """The implementation did something wrong: the words that say what."""


class Operations:
    """Performs operations on an executor, and keeps what they make."""

    def __init__(self, executor: LocalExecutor) -> None:
        self._executor = executor
        self._kept: dict[int, Any] = {}

    def perform(self, forgotten: Iterable[int] | None, operations: Iterable[Operation]) -> Done | Failed:
        """Perform some, up to the first that fails."""
        for number in tuple(self._kept) if forgotten is None else forgotten:
            self._kept.pop(number, None)
        answers: list[Any] = []
        for place, (name, number, arguments) in enumerate(operations):
            try:
                answers += self._perform(name, number, self._brought(arguments))
            except _WentWrong as went_wrong:
                return Failed(place, str(went_wrong))
            # Whatever else is raised was meant to end this process, which the implementation does not own.
            except BaseException as error:  # noqa: BLE001
                return Failed(place, raised(error))
        return Done(answers)

    def _perform(self, name: str, number: int, arguments: tuple[Any, ...]) -> Iterator[Any]:
        if name == "read":
            answer, kinds = arguments
            yield from map(Numbers.of, self._executor.read([answer], [_WentWrong], kinds))
        elif name in SEVERAL:
            made = getattr(self._executor, name)(*arguments, _WentWrong)
            self._kept.update(enumerate(made, number))
            if name in SOME:
                yield [str(handle) for handle, one in enumerate(made, number) if one is not None]
        elif name in ANSWERED:
            yield getattr(self._executor, name)(*arguments, _WentWrong)
        else:
            self._kept[number] = getattr(self._executor, name)(*arguments, _WentWrong)

    def _brought(self, value: Any) -> Any:
        if isinstance(value, Reference):
            return self._kept[value.number]
        if isinstance(value, tuple | list):
            return tuple(self._brought(one) for one in value)
        if isinstance(value, dict):
            return {name: self._brought(one) for name, one in value.items()}
        return value
