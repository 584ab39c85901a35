"""The executor protocol: what makes native arrays, calls an implementation, and reads what comes back.

What it returns is opaque to the rest of the suite, which may live in another process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np

from attention_tests.declare.dialect import Layout
from attention_tests.declare.features import Step
from attention_tests.execution.placement import Packing, Placement

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
T = TypeVar("T")

MakeFailure = Callable[[str], Exception]
"""Makes the exception for something that went wrong, of the words that say what."""

TIMES = 10
"""The number of times that calls are made, of which the shortest time is measured."""


class Executor(Protocol):
    """One implementation at one dtype. What goes wrong is raised as `make_failure` makes it, at once or later."""

    @property
    def losses(self) -> int:
        """The number of processes lost so far."""

    def native(self, array: Array, dtype: str, make_failure: MakeFailure) -> Any:
        """Turn an array of any axes into a native one."""

    def placed(
        self, array: Array, dtype: str, placements: Sequence[Placement], layout: Layout, make_failure: MakeFailure
    ) -> Sequence[Any]:
        """Turn an array, its axes in the order of `layout`, into native ones of the same numbers, one a placement.

        None is in the place of one that the library of the arrays, the layout or the shape does not allow.
        """

    def packed(
        self, arrays: Sequence[Array], dtype: str, packing: Packing, layout: Layout, make_failure: MakeFailure
    ) -> Sequence[Any]:
        """Turn arrays, their axes in the order of `layout`, into native slices of one buffer; empty where it cannot."""

    def write(self, native: Any, numbers: Any, make_failure: MakeFailure) -> None:
        """Write the numbers of one native array into another."""

    def call(self, step: Step, arguments: Sequence[Any], options: Mapping[str, Any], make_failure: MakeFailure) -> Any:
        """Call what the implementation exposes as `step`."""

    def call_method(self, native: Any, method: str, arguments: Sequence[Any], make_failure: MakeFailure) -> Any:
        """Call a method of something that was returned."""

    def call_at_once(self, step: Step, calls: Sequence[Sequence[Any]], make_failure: MakeFailure) -> Sequence[Any]:
        """Call what the implementation exposes as `step` from as many threads as there are calls."""

    def call_concealed(self, step: Step, arguments: Sequence[Any], make_failure: MakeFailure) -> Any:
        """Call what the implementation exposes as `step`, without a sign of who calls."""

    def changed_by(self, step: Step, arguments: Sequence[Any], make_failure: MakeFailure) -> Sequence[str]:
        """Name what a call changes in its process, besides making an answer."""

    def forbidden_calls_of(self, step: Step, arguments: Sequence[Any], make_failure: MakeFailure) -> Sequence[str]:
        """Name the functions that a call calls, although the implementation declares to do without them."""

    def shortest_time(self, step: Step, calls: Sequence[Sequence[Any]], make_failure: MakeFailure) -> float:
        """Make the calls ten times over, and return the seconds of the shortest time.

        Whatever else a machine does only adds to it, and so does warming up, which the first of the ten is for.
        """

    def parts(self, answer: Any, count: int, make_failure: MakeFailure) -> Sequence[Any]:
        """Take a tuple of `count` apart."""

    def dtype_of(self, native: Any, make_failure: MakeFailure) -> str:
        """Return the name of a native array's dtype."""

    def read(self, answers: Sequence[Any], make_failures: Sequence[MakeFailure], kinds: str = "f") -> Sequence[Array]:
        """Turn what was returned into float64 arrays; with `kinds="fb"` a mask may be read, 1 where it is True."""

    def settle(self) -> None:
        """Wait until everything that was asked for is done: a law is kept only then."""

    def abandon(self) -> None:
        """Leave what was asked for and is not done: a law is broken without it."""

    def rest(self) -> None:
        """Give back what it takes of the machine, until it is asked again."""
