"""The coverage floor: every law that applies to what was declared when the file was written must have a verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from attention_tests.declare.implementation import Implementation
from attention_tests.engine.law import Law
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.expectations.entries import Declaration

UNDECIDED = (Verdict.UNSUPPORTED, Verdict.NOT_RUN)
LAWS_TO_NAME = 3


def below_floor(
    declared: Mapping[str, Declaration],
    laws: Iterable[Law],
    rows: Iterable[Row],
    now: Mapping[str, Implementation],
    dtypes: Collection[str] = (),
) -> Iterator[str]:
    """Say which laws have no verdict though they applied to what was `declared`, and why they have none `now`.

    All dtypes are judged, or those of `dtypes`.
    """
    rows = tuple(rows)
    decided = {row.key for row in rows if row.verdict not in UNDECIDED}
    unsupported = {row.key for row in rows if row.verdict is Verdict.UNSUPPORTED}
    places: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for name, before in declared.items():
        for law in laws:
            for dtype in before.dtypes:
                key = law.name, name, dtype
                judged = not law.missing(before) and (not dtypes or dtype in dtypes)
                asked_less = key in unsupported and _is_asked_less(law, now.get(name))
                if judged and not asked_less and key not in decided:
                    places[name, _why(law, dtype, now.get(name))].append((dtype, law.name))
    for (name, why), found in places.items():
        at, without = (list(dict.fromkeys(words)) for words in zip(*found, strict=True))
        more = f" and {len(without) - LAWS_TO_NAME} more" if len(without) > LAWS_TO_NAME else ""
        yield f"{name} ({', '.join(at)}) {why}: no verdict on {', '.join(without[:LAWS_TO_NAME])}{more}"


def _is_asked_less(law: Law, now: Implementation | None) -> bool:
    """Tell whether a law has no verdict because what is compiled is asked for few signatures."""
    return now is not None and now.compiled and not law.missing(now)


def _why(law: Law, dtype: str, now: Implementation | None) -> str:
    if now is None:
        return "is not in the run"
    if dtype not in now.dtypes:
        return "is not declared any more"
    return law.missing(now) or "was not held against every law"
