"""The expectations that hold in one run: those that the suite ships, and those of the user's own file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from attention_tests.declare.implementation import Implementation
from attention_tests.engine.catalogue import all_laws
from attention_tests.expectations.entries import BadExpectations, Expectations
from attention_tests.expectations.reading import read_file
from attention_tests.expectations.stale import stale, unexplained
from attention_tests.targets.registry import REGISTRY

IN_THIS_FOLDER = Path("attention-tests.toml")


@cache
def shipped() -> Expectations:
    """Return what is expected of the implementations that the suite ships."""
    return read_file(REGISTRY.implementations.expectations)


@dataclass(frozen=True)
class Book:
    """A file of expectations, and those that hold besides it."""

    file: Path
    written: Expectations
    """What the file says."""
    besides: Expectations

    @classmethod
    def open(cls, named: str | None, *, updating: bool) -> Book:
        """Read the file that is named, or the one in this folder if there is one.

        Raises BadExpectations with one sentence.
        """
        file = Path(named or IN_THIS_FOLDER)
        if named and not updating and not file.exists():
            raise BadExpectations(f"there is no file {named}: check its name, or let --update-expectations write it")
        written = read_file(file) if file.exists() else Expectations()
        return cls(file, written, Expectations() if _is_shipped(file) else shipped())

    def sound(self, verified: Iterable[Implementation], *, updating: bool) -> Expectations:
        """Return all that is expected. Of a file that is to be updated, leave out what can never apply.

        Raises BadExpectations, a sentence for each entry, if one can never apply or has no reason.
        """
        if self.written == Expectations():
            return self.besides
        verified, laws = list(verified), {law.name: law for law in all_laws()}
        if updating:
            apart = (replace(one, dtypes=(dtype,)) for one in self.written.known_failures for dtype in one.dtypes)
            alone = (Expectations(known_failures=(one,)) for one in apart)
            sound = (one.known_failures[0] for one in alone if not [*stale(one, verified, laws)])
            return replace(self.written, known_failures=tuple(sound), decided=()) + self.besides
        names = REGISTRY.implementations.names() if _is_shipped(self.file) else ()
        sentences = [*unexplained(self.written), *stale(self.written, verified, laws, names)]
        if sentences:
            raise BadExpectations("\n".join(f"{self.file}: {sentence}" for sentence in sentences))
        return self.written + self.besides


def _is_shipped(file: Path) -> bool:
    return file.resolve() == REGISTRY.implementations.expectations.resolve()
