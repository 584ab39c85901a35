"""What a run says that the expectations file should say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.expectations.entries import TO_BE_WRITTEN, Decided, Expectations, KnownFailure, PinnedProblem
from attention_tests.expectations.shrinkage import decided
from reference.bounds.formats import FORMATS
from reference.document import CLAUSES

Entry = TypeVar("Entry", KnownFailure, Decided)

HELD = (Verdict.PASS, Verdict.UNEXPECTED_PASS, Verdict.UNSUPPORTED)
AS_BEFORE = (Verdict.EXPECTED_FAILURE, Verdict.NOT_RUN)


@dataclass(frozen=True)
class Ran:
    """What a run tells: its rows, and every dtype that its implementations declare, verified or not."""

    rows: Sequence[Row]
    declared: Mapping[str, Iterable[str]]

    def leaves_alone(self, implementation: str, dtype: str) -> bool:
        """Tell whether nothing at all is known of an implementation at a dtype, though there may be such a one."""
        verified = any((row.implementation, row.dtype) == (implementation, dtype) for row in self.rows)
        return not verified and dtype in self.declared.get(implementation, (dtype,))


def updated(old: Expectations, besides: Expectations, ran: Ran, *, whole: bool) -> Expectations:
    """Return what `old` should say after a run, sorted.

    What is about implementations that were not in the run stays, and so do counts where not the `whole` suite ran.
    What is expected `besides`, in another file, is not repeated.
    """
    return Expectations(
        tuple(sorted(_known_failures(old.known_failures, ran), key=_place)),
        tuple(sorted(old.problems, key=_place_of_problem)),
        tuple(sorted(_decided(old, besides, ran) if whole else old.decided, key=_place_of_counts)),
    )


def _known_failures(old: Iterable[KnownFailure], ran: Ran) -> Iterable[KnownFailure]:
    about = [one for one in _apart(old) if one.applies and not ran.leaves_alone(one.implementation, one.dtypes[0])]
    found = {(one.law, one.implementation, one.dtypes[0]): one for one in about}
    still = {}
    for row in ran.rows:
        known = found.get(row.key)
        if row.verdict in HELD or (row.verdict in AS_BEFORE and known is None):
            continue
        if known is None or row.verdict not in (*AS_BEFORE, known.verdict):
            known = _new(row)
        elif row.verdict is known.verdict:
            known = replace(known, counterexample=row.counterexample)
        # A failure without a problem on which it happens could not be replayed.
        if known.counterexample or row.verdict in AS_BEFORE:
            still[row.key] = replace(known, dtypes=(row.dtype,))
    return _together([*(one for one in _apart(old) if one not in about), *still.values()])


def _new(row: Row) -> KnownFailure:
    return KnownFailure(
        implementation=row.implementation,
        dtypes=(row.dtype,),
        law=row.law,
        reason=TO_BE_WRITTEN,
        verdict=row.verdict,
        counterexample=row.counterexample,
    )


def _decided(old: Expectations, besides: Expectations, ran: Ran) -> Iterable[Decided]:
    counts = decided(ran.rows)
    elsewhere = {(one.implementation, dtype) for one in besides.decided for dtype in one.dtypes}
    new = [
        Decided(implementation=name, dtypes=(dtype,), properties=properties)
        for name, dtype in dict.fromkeys((row.implementation, row.dtype) for row in ran.rows)
        if (name, dtype) not in elsewhere
        and (properties := {clause: counts[name, dtype, clause] for clause in CLAUSES if counts[name, dtype, clause]})
    ]
    others = (one for one in _apart(old.decided) if ran.leaves_alone(one.implementation, one.dtypes[0]))
    return _together([*others, *new])


def _apart(entries: Iterable[Entry]) -> list[Entry]:
    """Make an entry for each dtype."""
    return [replace(one, dtypes=(dtype,)) for one in entries for dtype in one.dtypes]


def _together(entries: Iterable[Entry]) -> list[Entry]:
    """Make one entry of those that differ in their dtypes alone."""
    groups: dict[str, list[Entry]] = {}
    for one in entries:
        groups.setdefault(repr(replace(one, dtypes=())), []).append(one)
    formats = list(FORMATS)
    return [
        replace(group[0], dtypes=tuple(formats[place] for place in _in_order(one.dtypes[0] for one in group)))
        for group in groups.values()
    ]


def _place(known: KnownFailure) -> tuple[str, str, list[int], str, str]:
    return known.implementation, known.law, _in_order(known.dtypes), known.versions, known.processor


def _place_of_problem(problem: PinnedProblem) -> tuple[str, str]:
    return problem.law, problem.plan


def _place_of_counts(one: Decided) -> tuple[str, list[int]]:
    return one.implementation, _in_order(one.dtypes)


def _in_order(dtypes: Iterable[str]) -> list[int]:
    return sorted(list(FORMATS).index(dtype) for dtype in dtypes)
