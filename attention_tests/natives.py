"""From float64 arrays to an implementation's own: its dtype, its layout, its meaning of a mask, any place in memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np

from attention_tests.implementation import Implementation, Layout
from attention_tests.verdict import ImplementationRaised
from attention_tests.wording import raised

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


@contextmanager
def unwarned() -> Iterator[None]:
    """Run code that is not ours: it is judged by its answers, not by what it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Natives:
    """Makes the arrays that one implementation takes at one dtype, out of float64 arrays that are exact in it.

    Every method raises `ImplementationRaised` if `to_native` did.
    """

    def __init__(self, implementation: Implementation, dtype: str) -> None:
        self.implementation = implementation
        self.dtype = dtype
        self._layout = implementation.dialect.layout

    def __repr__(self) -> str:
        return f"{self.implementation.name}-{self.dtype}"

    def give(self, array: Array) -> Any:
        """Turn an array (batch, heads, length, width) into a native one in the implementation's layout."""
        return self.native(self._laid_out(array))

    def give_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Turn the masks and biases among the options into native ones, and leave the rest."""
        return {name: self._give_option(name, option) for name, option in options.items()}

    def _give_option(self, name: str, option: Any) -> Any:
        if not isinstance(option, np.ndarray):
            return option
        if self._layout is Layout.LENGTH_WIDTH and option.ndim == 4:
            option = option[0, 0]
        if name == "mask":
            return self.native(~option if self.implementation.dialect.true_hides else option, "bool")
        return self.native(option)

    def option_views(self, name: str, option: Array | None, shape: tuple[int, ...]) -> Iterator[Any]:
        """Turn a mask or a bias into native ones of the same meaning that lie otherwise in memory.

        Copied for every query, with gaps, transposed, and repeated without being copied.
        """
        whole = np.broadcast_to(np.asarray(option), shape)
        yield self._give_option(name, whole)
        yield self._give_option(name, np.repeat(whole, 2, axis=-1))[..., ::2]
        yield self._give_option(name, whole.swapaxes(-1, -2)).swapaxes(-1, -2)
        once = self._give_option(name, np.array(whole[:1, :1]))
        if self._layout is not Layout.LENGTH_WIDTH and (whole == whole[:1, :1]).all():
            yield np.broadcast_to(once, shape) if isinstance(once, np.ndarray) else once.expand(shape)

    def read_option(self, option: Any) -> Array:
        """Turn a native mask or bias back into numbers: 1 where a mask is True."""
        return np.asarray(self.implementation.to_numpy(option)).astype(np.float64)

    def views(self, array: Array) -> Iterator[Any]:
        """Turn an array into native ones of the same numbers that lie otherwise in memory.

        With gaps between the columns, with gaps between the rows, transposed, and, as only NumPy can, backwards.
        """
        laid_out = self._laid_out(array)
        yield self.native(np.repeat(laid_out, 2, axis=-1))[..., ::2]
        yield self.native(np.repeat(laid_out, 2, axis=-2))[..., ::2, :]
        yield self.native(laid_out.swapaxes(-1, -2)).swapaxes(-1, -2)
        backwards = self.native(laid_out[..., ::-1])
        if isinstance(backwards, np.ndarray):
            yield backwards[..., ::-1]

    def write(self, native: Any, array: Array) -> None:
        """Write other numbers into a native array."""
        numbers = self.give(array)
        try:
            native[...] = numbers
        except Exception as error:
            raise ImplementationRaised(
                f"{self}: writing into an array that to_native made raised {raised(error)}"
            ) from error

    def _laid_out(self, array: Array) -> Array:
        if self._layout is Layout.LENGTH_WIDTH:
            one_head: Array = array[0, 0]
            return one_head
        return array.swapaxes(1, 2) if self._layout is Layout.BATCH_LENGTH_HEAD_WIDTH else array

    def native(self, array: Array, dtype: str | None = None) -> Any:
        """Turn an array of any axes into a native one, in another `dtype` where one is named."""
        dtype = dtype or self.dtype
        try:
            # A copy: an implementation that writes its input must not write ours.
            return self.implementation.to_native(np.array(array, order="C"), dtype)
        except (Exception, SystemExit) as error:
            given = f"given a {array.dtype} array of shape {array.shape} and {dtype!r}"
            raise ImplementationRaised(f"{self}: to_native, {given}, raised {raised(error)}") from error
