"""The defects that each law finds, of those that name it: on as many processes as there are processors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context

from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.law import Law
from attention_tests.engine.profiles import DEFAULT, QUICK, Profile
from attention_tests.engine.search import that_break
from attention_tests.execution.subject import Subject
from attention_tests.guards.process_state import put_back
from attention_tests.guards.warnings import unwarned
from tests.defects import DEFECTS, Defect


@dataclass(frozen=True)
class Kills:
    """The defects that name a law and that it finds at every dtype."""

    law: str
    named_quickly: frozenset[str]
    """Within the profile `quick`."""
    named: frozenset[str]
    """Within the profile `default`."""


def all_kills() -> list[Kills]:
    """Hold every defect against the law that it names."""
    # A law is a task, for what it draws and expects is known again for every defect. Forked, for laws do not pickle.
    with get_context("fork").Pool(os.cpu_count()) as pool:
        return pool.map(_kills_of, range(len(all_laws())), chunksize=1)


def _kills_of(number: int) -> Kills:
    law = all_laws()[number]
    named = [defect for defect in DEFECTS if defect.killed_by == law.name]
    with unwarned():
        return Kills(
            law.name,
            frozenset(defect.name for defect in named if all(_found(law, defect, QUICK))),
            frozenset(defect.name for defect in named if all(_found(law, defect, DEFAULT))),
        )


def _found(law: Law, defect: Defect, profile: Profile) -> Iterator[bool]:
    for dtype in defect.implementation.dtypes:
        subject = Subject(defect.implementation, dtype)
        if law.missing(subject):
            yield False
            continue
        # What one defect does to the process must not be found in the next.
        with put_back():
            yield any(that_break(law, subject, profile))
