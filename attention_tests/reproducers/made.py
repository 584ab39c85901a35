"""Objects that an executor made, with their names in the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from attention_tests.reproducers.program import Expression, Piece, Variable
from attention_tests.reproducers.sources import scalar_source

ARRAY = "array"
"""What an array is called that no call takes."""


@dataclass(frozen=True, eq=False)
class Made:
    """Something that the other executor made, and how the program calls it: one object may have come back twice."""

    native: Any
    piece: Piece

    @property
    def shape(self) -> tuple[int, ...]:
        """That of an array."""
        shape: tuple[int, ...] = self.native.shape
        return shape


def argument_source(x: Any, name: str) -> Piece:
    """Write a number, or the variable of something that was made before, whose use is now known."""
    if not isinstance(x, Made):
        return scalar_source(x)
    if isinstance(x.piece, Variable) and x.piece.hint == ARRAY:
        x.piece.hint = name
    return x.piece


def argument_sources(names: Sequence[str], arguments: Sequence[Any]) -> list[Piece]:
    """Write the arguments of a call, whose parameters have these names."""
    return [argument_source(argument, name) for name, argument in zip(names, arguments, strict=True)]


def native_of(x: Any) -> Any:
    """Return what the other executor made, or a number as it is."""
    return x.native if isinstance(x, Made) else x


def natives_of(arguments: Sequence[Any]) -> list[Any]:
    """Return all of it that the other executor made."""
    return list(map(native_of, arguments))


def parts_of(natives: Sequence[Any], whole: Piece) -> list[Made]:
    """Name the parts of a tuple."""
    return [Made(one, Expression((whole, f"[{place}]"))) for place, one in enumerate(natives)]
