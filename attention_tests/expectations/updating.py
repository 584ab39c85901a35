"""Expectations after a run: what it showed takes the place of what was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.expectations.entries import TO_BE_WRITTEN, Declaration, Expectations, Finding, KnownFailure

HELD = (Verdict.PASS, Verdict.UNEXPECTED_PASS, Verdict.UNSUPPORTED)
AS_BEFORE = (Verdict.EXPECTED_FAILURE, Verdict.NOT_RUN)


def updated(
    old: Expectations, besides: Expectations, rows: Sequence[Row], now: Mapping[str, Declaration]
) -> Expectations:
    """Return what `old` should say after a run of implementations that declare what they do `now`.

    What is about others stays. What is expected `besides`, in another file, is not repeated.
    """
    new = {name: declaration for name, declaration in now.items() if name not in besides.declared}
    return Expectations(tuple(_known(old, rows, now)), old.problems, {**old.declared, **new})


def _known(old: Expectations, rows: Sequence[Row], now: Mapping[str, Declaration]) -> Iterator[KnownFailure]:
    verified = {(row.implementation, row.dtype) for row in rows}
    found = {}
    for one in old.known_failures:
        exists = one.implementation not in now or one.dtype in now[one.implementation].dtypes
        if not one.finding.applies or (exists and (one.implementation, one.dtype) not in verified):
            # Nothing at all was learnt about it.
            yield one
        else:
            found[one.key] = one
    for row in rows:
        still = _after(row, found.get(row.key))
        if still:
            yield still


def _after(row: Row, known: KnownFailure | None) -> KnownFailure | None:
    if row.verdict in AS_BEFORE:
        return known
    # A failure without a problem on which it happens could not be replayed.
    if row.verdict in HELD or not row.counterexample:
        return None
    same = known and known.finding.verdict == row.verdict
    return KnownFailure(
        finding=known.finding if known and same else Finding(reason=TO_BE_WRITTEN, verdict=row.verdict.value),
        law=row.law,
        implementation=row.implementation,
        dtype=row.dtype,
        counterexample=row.counterexample,
    )
