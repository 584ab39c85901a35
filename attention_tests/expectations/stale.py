"""Entries of an expectations file that can never apply, or say too little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import cast, get_type_hints

from attention_tests.declare.dialect import Dialect
from attention_tests.declare.implementation import Implementation
from attention_tests.engine.law import Law
from attention_tests.engine.plan_text import UnreadablePlan, read
from attention_tests.expectations.entries import TO_BE_WRITTEN, Expectations, KnownFailure
from attention_tests.text.wording import raised, unknown


def stale(
    expectations: Expectations, verified: Iterable[Implementation], laws: Mapping[str, Law], names: Iterable[str] = ()
) -> Iterator[str]:
    """Say of each entry why it can never apply: one sentence each.

    Of implementations that are not among the `verified` ones nothing more can be known than whether they are among
    `names`, if any are given.
    """
    known, names = expectations.known_failures, list(names)
    for law, plan in dict.fromkeys((one.law, one.counterexample) for one in known):
        if sentence := _of_plan(plan, law, laws):
            yield f"[[finding]], the case of {law}: {sentence}"
    for problem in expectations.problems:
        if sentence := _of_plan(problem.plan, problem.law, laws):
            yield f"[[problem]] of {problem.law}: {sentence}"
    for name in dict.fromkeys([*(one.implementation for one in known), *expectations.declared]):
        if names and name not in names:
            yield f"the implementation {unknown(name, names)}"
    by_name = {one.name: one for one in verified}
    found = (_of_case(one, by_name[one.implementation], laws) for one in known if one.implementation in by_name)
    yield from dict.fromkeys(filter(None, found))
    for (law, name, dtype), times in Counter(one.key for one in known if one.finding.applies).items():
        if times > 1:
            yield f"{name} ({dtype}) is known to break {law} by {times} cases: leave one"


def unexplained(expectations: Expectations) -> Iterator[str]:
    """Ask for the reason of each finding that has none yet, naming one of its cases."""
    for finding, one in {one.finding: one for one in reversed(expectations.known_failures)}.items():
        if finding.reason.strip() in ("", TO_BE_WRITTEN):
            yield f"[[finding]], the case of {one.law} on {one.implementation}: say why in `reason`"


def _of_case(one: KnownFailure, implementation: Implementation, laws: Mapping[str, Law]) -> str:
    about = f"[[finding]], the case of {one.law} on {one.implementation}"
    if one.dtype not in implementation.dtypes:
        return f"{about}: the dtype {unknown(one.dtype, implementation.dtypes)}"
    missing = one.law in laws and laws[one.law].missing(implementation)
    return f"{about}: the law does not apply, for the implementation {missing}" if missing else ""


def _of_plan(text: str, law: str, laws: Mapping[str, Law]) -> str:
    if law not in laws:
        return f"the law {unknown(law, laws)}"
    try:
        plan = text and read(text)
        built = plan and plan.build("float64", plan.depends_on, Dialect())
    except UnreadablePlan as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it becomes one sentence
        return f"{text} cannot be built: {raised(error)}"
    wanted = held_on(laws[law])
    fits = not text or isinstance(built, wanted)
    return "" if fits else f"{text} is a {type(built).__name__}, and the law is held on a {wanted.__name__}"


def held_on(law: Law) -> type:
    """Return the type of what the law's body takes besides the subject."""
    _, (_, kind), *_ = get_type_hints(law.body).items()
    return cast("type", kind)
