"""Failures that are known, with the reason: of released libraries that break a law, and are not to be mended here."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from attention_tests.wording import unknown


@dataclass(frozen=True, kw_only=True)
class KnownFailure:
    """One law that one implementation is known to break, at some dtypes or at all (none named).

    `sometimes` is for what few problems show: a run that does not draw one of them passes, as it should.
    """

    implementation: str
    law: str
    reason: str
    dtypes: tuple[str, ...] = ()
    sometimes: bool = False

    def covers(self, implementation: str, dtype: str, law: str) -> bool:
        """Tell whether this is about a law on an implementation at a dtype."""
        return (self.implementation, self.law) == (implementation, law) and (not self.dtypes or dtype in self.dtypes)


@cache
def read(file: Path) -> tuple[KnownFailure, ...]:
    """Read the tables `[[known_failure]]` of a TOML file."""
    tables = tomllib.loads(file.read_text("utf-8"))["known_failure"]
    return tuple(KnownFailure(**table | {"dtypes": tuple(table.get("dtypes", ()))}) for table in tables)


def about(known: Iterable[KnownFailure], implementation: str, dtype: str, law: str) -> KnownFailure | None:
    """Return the entry about a law on an implementation at a dtype, if there is one."""
    return next((one for one in known if one.covers(implementation, dtype, law)), None)


def stale(known: Iterable[KnownFailure], implementations: Iterable[str], laws: Iterable[str]) -> list[str]:
    """Say of each entry that can never apply why not."""
    implementations, laws = list(implementations), list(laws)
    unknown_implementations = [one.implementation for one in known if one.implementation not in implementations]
    unknown_laws = [one.law for one in known if one.law not in laws]
    return [
        *(f"the implementation {unknown(name, implementations)}" for name in unknown_implementations),
        *(f"the law {unknown(name, laws)}" for name in unknown_laws),
    ]
