"""Conversion of float64 arrays to an implementation's own: dtype, layout, meaning of a mask, place in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from attention_tests.declare.dialect import Layout
from attention_tests.declare.implementation import Implementation
from attention_tests.execution.calls import Account
from attention_tests.execution.executor import Executor, MakeFailure
from attention_tests.execution.failures import ImplementationRaised, NotAsked, WrongForm
from attention_tests.execution.in_process import LocalExecutor
from attention_tests.execution.placement import NEAR, Packing, Placement

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


class ArrayConversion:
    """Makes the arrays that one implementation takes at one dtype, out of float64 arrays that are exact in it.

    Every method raises `ImplementationRaised` if `to_native` did.
    """

    def __init__(self, implementation: Implementation, dtype: str, executor: Executor | None = None) -> None:
        self.implementation = implementation
        self.dtype = dtype
        self.executor: Executor = executor or LocalExecutor(implementation)
        self._layout = implementation.dialect.layout
        self.account = Account(self._layout)

    def __repr__(self) -> str:
        return f"{self.implementation.name}-{self.dtype}"

    def give(self, array: Array) -> Any:
        """Turn an array (batch, heads, length, width) into a native one in the implementation's layout."""
        return self.native(self._laid_out(array))

    def give_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Turn the masks and biases among the options into native ones, and leave the rest."""
        return {
            name: self._native_option(name, option) if isinstance(option, np.ndarray) else option
            for name, option in options.items()
        }

    def _native_option(self, name: str, option: Array) -> Any:
        return self.native(self._laid_out_option(name, option), self._dtype_of_option(name))

    def _laid_out_option(self, name: str, option: Array) -> Array:
        if option.ndim == 4:
            option = self._layout.of_scores(option)
        return ~option if name == "mask" and self.implementation.dialect.true_hides else option

    def _dtype_of_option(self, name: str) -> str:
        return "bool" if name == "mask" else self.dtype

    def option_views(
        self, name: str, option: Array | None, shape: tuple[int, ...], placements: Sequence[Placement] = NEAR
    ) -> Iterator[Any]:
        """Turn a mask or a bias into native ones of the same meaning: copied for every query, and in `placements`."""
        whole = np.broadcast_to(np.asarray(option), shape)
        yield self._native_option(name, whole)
        yield from (view for view in self.option_placed(name, whole, placements) if view is not None)

    def option_placed(self, name: str, option: Array, placements: Sequence[Placement]) -> Sequence[Any]:
        """Turn a mask or a bias (batch, heads, n_q, n_k) into native ones, one a placement; None is one it cannot have.

        Their axes are in this order in every layout, for those of queries and keys stand where others have columns.
        """
        laid_out, dtype = self._laid_out_option(name, option), self._dtype_of_option(name)
        layout = Layout("".join(axis for axis in Layout.BATCH_HEAD_LENGTH_WIDTH if axis in self._layout))
        return self.executor.placed(laid_out, dtype, placements, layout, self._failure_of_to_native(laid_out, dtype))

    def read_option(self, option: Any) -> Array:
        """Turn a native mask or bias back into numbers: 1 where a mask is True."""
        (numbers,) = self.executor.read([option], [lambda words: WrongForm(f"{self}: an option became {words}")], "fb")
        return numbers

    def placed(self, array: Array, placements: Sequence[Placement] = NEAR) -> Sequence[Any]:
        """Turn an array (batch, heads, length, width) into native ones, one a placement; None is one it cannot have."""
        laid_out = self._laid_out(array)
        make_failure = self._failure_of_to_native(laid_out, self.dtype)
        views = self.executor.placed(laid_out, self.dtype, placements, self._layout, make_failure)
        self.account.add_placements(
            placement for view, placement in zip(views, placements, strict=True) if view is not None
        )
        return views

    def packed(self, arrays: Sequence[Array], packing: Packing) -> Sequence[Any]:
        """Turn arrays (batch, heads, length, width) into native slices of one buffer; empty where it cannot be.

        They differ in no axis but the one along which they are packed.
        """
        laid_out = [self._laid_out(array) for array in arrays]
        make_failure = self._failure_of_to_native(laid_out[0], self.dtype)
        slices = self.executor.packed(laid_out, self.dtype, packing, self._layout, make_failure)
        self.account.add_placements([packing] if slices else [])
        return slices

    def write(self, native: Any, array: Array) -> None:
        """Write other numbers into a native array."""
        self.executor.write(
            native,
            self.give(array),
            lambda words: ImplementationRaised(f"{self}: writing into an array that to_native made raised {words}"),
        )

    def _laid_out(self, array: Array) -> Array:
        for axis, what, size in zip("BH", ("batches", "heads"), array.shape, strict=False):
            if size != 1 and not self._layout.has(axis):
                raise NotAsked(f"{self}: there is no axis for {size} {what}")
        laid_out: Array = self._layout.arranged(array)
        return laid_out

    def native(self, array: Array, dtype: str | None = None) -> Any:
        """Turn an array of any axes into a native one, in another `dtype` where one is named."""
        dtype = dtype or self.dtype
        return self.executor.native(array, dtype, self._failure_of_to_native(array, dtype))

    def _failure_of_to_native(self, array: Array, dtype: str) -> MakeFailure:
        def make_failure(words: str) -> Exception:
            given = f"given a {array.dtype} array of shape {array.shape} and {dtype!r}"
            return ImplementationRaised(f"{self}: to_native, {given}, raised {words}")

        return make_failure
