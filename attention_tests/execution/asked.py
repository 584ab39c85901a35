"""What an implementation was asked: its calls, their signatures, and the places in memory that its inputs had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attention_tests.execution.signatures import Signature, signature_of


@dataclass(frozen=True)
class Asked:
    """The calls of one law, or of several."""

    calls: int = 0
    signatures: list[Signature] = field(default_factory=list)
    """Those that were new to the process: together with those of all other laws, each that there was."""
    placements: list[str] = field(default_factory=list)
    """The places in memory that were new to it, in words."""
    layout: str = "BHLD"


class Account:
    """Counts what one implementation is asked at one dtype."""

    def __init__(self, layout: str) -> None:
        self._layout = layout
        self._calls = 0
        self._known: set[Signature | str] = set()
        self._signatures: list[Signature] = []
        self._placements: list[str] = []

    def add(self, step: str, arguments: Sequence[Any], options: Mapping[str, Any], times: int = 1) -> None:
        """Count a call."""
        self._calls += times
        signature = signature_of(step, arguments, options)
        if signature not in self._known:
            self._known.add(signature)
            self._signatures.append(signature)

    def add_placements(self, placements: Iterable[str]) -> None:
        """Keep the places in memory of inputs."""
        new = [str(placement) for placement in placements if placement not in self._known]
        self._known.update(new)
        self._placements += new

    def taken(self) -> Asked:
        """Return what was asked since this was called before."""
        asked = Asked(self._calls, self._signatures, self._placements, self._layout)
        self._calls, self._signatures, self._placements = 0, [], []
        return asked
