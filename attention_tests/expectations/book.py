"""The expectations of one run: those that the suite ships, and those of the user's own file."""

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
from attention_tests.expectations.writing import write_file
from attention_tests.targets.registry import REGISTRY

IN_THIS_FOLDER = Path("attention-tests.toml")


@cache
def shipped() -> Expectations:
    """Return what is expected of the implementations that the suite ships."""
    return sum(map(read_file, files_of(REGISTRY.implementations.expectations)), Expectations())


def files_of(place: Path) -> list[Path]:
    """Return the files of expectations in a place: those of the folder that the suite ships, or the one that it is."""
    return sorted(place.glob("*.toml")) if _is_shipped(place) else [place] if place.exists() else []


@dataclass(frozen=True)
class Book:
    """A file of expectations, or the folder that the suite ships, and those that hold besides."""

    place: Path
    written: Expectations
    """The entries of this place."""
    besides: Expectations

    @classmethod
    def open(cls, named: str | None, *, updating: bool) -> Book:
        """Read the file that is named, or the one in this folder if there is one.

        Raises BadExpectations with one sentence.
        """
        place = Path(named or IN_THIS_FOLDER)
        if named and not updating and not place.exists():
            raise BadExpectations(f"there is no file {named}: check its name, or let --update-expectations write it")
        written = sum(map(read_file, files_of(place)), Expectations())
        return cls(place, written, Expectations() if _is_shipped(place) else shipped())

    def sound(self, verified: Iterable[Implementation], *, updating: bool) -> Expectations:
        """Return all that is expected. Of a file that is to be updated, leave out what can never apply.

        Raises BadExpectations, a sentence for each entry, if one can never apply or has no reason.
        """
        if self.written == Expectations():
            return self.besides
        verified, laws = list(verified), {law.name: law for law in all_laws()}
        if updating:
            known = self.written.known_failures
            sound = tuple(one for one in known if not [*stale(Expectations((one,)), verified, laws)])
            return replace(self.written, known_failures=sound) + self.besides
        names = REGISTRY.implementations.names() if _is_shipped(self.place) else ()
        sentences = [*unexplained(self.written), *stale(self.written, verified, laws, names)]
        if sentences:
            raise BadExpectations("\n".join(f"{self.place}: {sentence}" for sentence in sentences))
        return self.written + self.besides

    def write(self, new: Expectations) -> None:
        """Write the file; of what the suite ships, one for each library, and one for the problems, if there are any."""
        if not _is_shipped(self.place):
            write_file(self.place, new)
            return
        parts = {library: new.about(names) for library, names in REGISTRY.implementations.libraries().items()}
        for name, part in (parts | {"problems": Expectations(problems=new.problems)}).items():
            if part != Expectations():
                write_file(self.place / f"{name}.toml", part)


def _is_shipped(place: Path) -> bool:
    return place.resolve() == REGISTRY.implementations.expectations.resolve()
