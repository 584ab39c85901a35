"""Entries of an expectations file that can never apply, or say too little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast, get_type_hints

from attention_tests.declare.dialect import Dialect
from attention_tests.declare.implementation import Implementation
from attention_tests.engine.law import Law
from attention_tests.engine.plan_text import UnreadablePlan, read
from attention_tests.execution.subject import Subject
from attention_tests.expectations.entries import TO_BE_WRITTEN, Expectations, KnownFailure
from attention_tests.text.wording import raised, unknown
from reference.document import CLAUSES


def stale(
    expectations: Expectations, verified: Iterable[Implementation], laws: Mapping[str, Law], names: Iterable[str] = ()
) -> Iterator[str]:
    """Say of each entry why it can never apply: one sentence each.

    Of implementations that are not among the `verified` ones nothing more can be known than whether they are among
    `names`, if any are given.
    """
    by_name, names = {one.name: one for one in verified}, list(names)
    for known in expectations.known_failures:
        for sentence in _of_known_failure(known, by_name.get(known.implementation), laws, names):
            yield _about(known, sentence)
    for problem in expectations.problems:
        for sentence in _of_plan(problem.plan, problem.law, laws):
            yield f"[[problem]] of {problem.law}: {sentence}"
    for decided in expectations.decided:
        if names and decided.implementation not in names:
            yield f"[[decided]]: the implementation {unknown(decided.implementation, names)}"
        for clause in set(decided.properties) - set(CLAUSES):
            yield f"[[decided]] of {decided.implementation}: the clause {unknown(clause, CLAUSES)}"
    yield from _twice(expectations)


def unexplained(expectations: Expectations) -> Iterator[str]:
    """Ask for the reason of each known failure that has none yet."""
    for known in expectations.known_failures:
        if known.reason.strip() in ("", TO_BE_WRITTEN):
            yield _about(known, "say why in `reason`")


def _about(known: KnownFailure, sentence: str) -> str:
    return f"[[known_failure]] of {known.implementation}, {known.law}: {sentence}"


def _of_known_failure(
    known: KnownFailure, implementation: Implementation | None, laws: Mapping[str, Law], names: list[str]
) -> Iterator[str]:
    if names and known.implementation not in names:
        yield f"the implementation {unknown(known.implementation, names)}"
    yield from _of_plan(known.counterexample, known.law, laws)
    if implementation is None:
        return
    for dtype in known.dtypes:
        if dtype not in implementation.dtypes:
            yield f"the dtype {unknown(dtype, implementation.dtypes)}"
        elif known.law in laws and (missing := laws[known.law].missing(Subject(implementation, dtype))):
            yield f"the law does not apply, for the implementation {missing}"
            break


def _of_plan(text: str, law: str, laws: Mapping[str, Law]) -> Iterator[str]:
    if law not in laws:
        yield f"the law {unknown(law, laws)}"
    elif text:
        yield from _unfit(text, laws[law])


def _unfit(text: str, law: Law) -> Iterator[str]:
    try:
        plan = read(text)
    except UnreadablePlan as error:
        yield str(error)
        return
    try:
        built = plan.build("float64", plan.depends_on, Dialect())
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it becomes one sentence
        yield f"{text} cannot be built: {raised(error)}"
        return
    if not isinstance(built, held_on(law)):
        yield f"{text} is a {type(built).__name__}, and the law is held on a {held_on(law).__name__}"


def held_on(law: Law) -> type:
    """Return the type of what the law's body takes besides the subject."""
    _, (_, kind), *_ = get_type_hints(law.body).items()
    return cast("type", kind)


def _twice(expectations: Expectations) -> Iterator[str]:
    known = (
        (one.implementation, dtype, f"is known to break {one.law}")
        for one in expectations.known_failures
        for dtype in one.dtypes
        if one.applies
    )
    decided = ((one.implementation, dtype, "is decided") for one in expectations.decided for dtype in one.dtypes)
    counts: Counter[Any] = Counter([*known, *decided])
    for (implementation, dtype, what), times in counts.items():
        if times > 1:
            yield f"{implementation} ({dtype}) {what} by {times} entries: leave one"
