"""Calls of an implementation: how many, of which signatures, and with inputs in which places in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from attention_tests.execution.signatures import Signature, contiguous, signature_of


class Refusals(NamedTuple):
    """The calls that were refused, of one step with the same options."""

    times: int
    words: str
    """The first exception, in words."""


@dataclass(frozen=True)
class Calls:
    """The calls that it took to decide about a law."""

    count: int = 0
    signatures: list[Signature] = field(default_factory=list)
    """Those that were new to the process: together with those of all other laws, each that there was."""
    placements: list[str] = field(default_factory=list)
    """The places in memory that were new to it, in words."""
    layout: str = "BHLD"
    refused: dict[str, Refusals] = field(default_factory=dict)
    """The refused calls of a bare callable, by step and options."""


class Account:
    """Counts what one implementation is asked at one dtype."""

    def __init__(self, layout: str) -> None:
        self._layout = layout
        self._count = 0
        self._known: set[Signature | str] = set()
        self._signatures: list[Signature] = []
        self._placements: list[str] = []
        self._refused: dict[str, Refusals] = {}

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

    def refuse(self, step: str, options: Mapping[str, Any], words: str) -> None:
        """Count a call, which was added, as refused in these words."""
        call = f"{step} with {', '.join(sorted(options))}" if options else step
        times, first = self._refused.get(call, (0, words))
        self._refused[call] = Refusals(times + 1, first)

    def add_placements(self, placements: Iterable[str]) -> None:
        """Keep the places in memory of inputs."""
        new = [str(one) for one in dict.fromkeys(placements) if one not in self._known]
        self._known.update(new)
        self._placements += new

    def taken(self) -> Calls:
        """Return the calls since this was called before."""
        calls = Calls(self._count, self._signatures, self._placements, self._layout, self._refused)
        self._count, self._signatures, self._placements, self._refused = 0, [], [], {}
        return calls
