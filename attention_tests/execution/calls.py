"""Calls of an implementation: how many, of which signatures, and with inputs in which places in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attention_tests.execution.signatures import Signature, contiguous, signature_of


@dataclass(frozen=True)
class Calls:
    """The calls that it took to decide about a law."""

    count: int = 0
    signatures: list[Signature] = field(default_factory=list)
    """Those that were new to the process: together with those of all other laws, each that there was."""
    placements: list[str] = field(default_factory=list)
    """The places in memory that were new to it, in words."""
    layout: str = "BHLD"


class Account:
    """Counts what one implementation is asked at one dtype."""

    def __init__(self, layout: str) -> None:
        self._layout = layout
        self._count = 0
        self._known: set[Signature | str] = set()
        self._signatures: list[Signature] = []
        self._placements: list[str] = []

    def add(
        self,
        step: str,
        arguments: Sequence[Any],
        options: Mapping[str, Any],
        times: int = 1,
        place_of: Callable[[Any], str] = contiguous,
    ) -> None:
        """Count a call."""
        self._count += times
        signature = signature_of(step, arguments, options, place_of)
        if signature not in self._known:
            self._known.add(signature)
            self._signatures.append(signature)

    def add_placements(self, placements: Iterable[str]) -> None:
        """Keep the places in memory of inputs."""
        new = [str(one) for one in dict.fromkeys(placements) if one not in self._known]
        self._known.update(new)
        self._placements += new

    def taken(self) -> Calls:
        """Return the calls since this was called before."""
        calls = Calls(self._count, self._signatures, self._placements, self._layout)
        self._count, self._signatures, self._placements = 0, [], []
        return calls
