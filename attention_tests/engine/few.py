"""Few signatures for what is compiled: the calls of a fixed list, and of each law the problems that make such calls.

A kernel that is compiled for its shapes takes a second for a new one, and no time for other numbers. So the list says
which calls are made, whatever is asked first and by however many workers; what a law draws is given the sizes of the
list, and what is not on it is not asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from attention_tests.declare.features import Feature, Step
from attention_tests.engine.calls import Call
from attention_tests.engine.few_calls import CALLS
from attention_tests.engine.law import Stream
from attention_tests.engine.profiles import PROFILES, Profile
from attention_tests.execution.subject import Subject

ENOUGH = 30
"""The number of problems, at most, that are made of one list of sizes."""
TRIES = 200
"""The number of problems that are drawn to find them, about."""


@lru_cache(maxsize=64)
def calls_for(features: frozenset[Feature], steps: Collection[Step], at_most: int) -> tuple[Call, ...]:
    """Return the first `at_most` different calls of the list that an implementation can answer."""
    fitted = (call.fitted(features) for call in CALLS if call.step in steps)
    return tuple(dict.fromkeys(call for call in fitted if call is not None))[:at_most]


def as_asked(subject: Subject, profile: Profile) -> Subject:
    """Return the subject, admitting only the calls of the list if it is compiled for them; the same one each time."""
    return subject.keeping(_as_asked, len(PROFILES))(subject, profile)


def _as_asked(subject: Subject, profile: Profile) -> Subject:
    calls = calls_of(subject, profile)
    if calls is None:
        return subject
    return subject.admitting(frozenset(call.signature(subject.implementation.dialect) for call in calls))


def calls_of(subject: Subject, profile: Profile) -> tuple[Call, ...] | None:
    """Return the calls that are asked of a subject; None where it is any."""
    if not subject.implementation.compiled or profile.signatures is None:
        return None
    return calls_for(subject.features, subject.steps, profile.signatures)


def not_asked(subject: Subject, profile: Profile) -> str:
    """Say in one sentence why no problem of a law was asked of a subject."""
    return (
        f"{subject.implementation.name} is compiled for each shape, and none of the {profile.signatures} signatures "
        "that it is asked for at this profile fits this law; --profile explore asks for any"
    )


def fitted(
    stream: Stream, plans: Sequence[Any], calls: Sequence[Call], features: frozenset[Feature]
) -> tuple[Any, ...]:
    """Return the plans of a stream in the sizes of `calls`, of those that make one of the calls, each call in turn.

    Plans that have no other sizes stay as they are.
    """
    if not hasattr(plans[0], "fitted"):
        return tuple(map(stream.narrow, plans))
    asked, lists = frozenset(call.drawn for call in calls), dict[Call, dict[Any, None]]()
    # What has no elements is only made of another problem.
    models = [call for call in calls if all(call.sizes)]
    if stream.narrows:
        # The law chooses the options.
        models = list({call.sizes: call for call in models}.values())
    for model in models:
        sized = [plan for plan in (plan.fitted(model) for plan in plans) if plan is not None]
        found = 0
        for candidate in map(stream.narrow, _again_and_again(sized) if stream.narrows else sized):
            made = candidate.call(features)
            if made in asked:
                found += candidate not in lists.setdefault(made, {})
                lists[made][candidate] = None
            if found >= ENOUGH:
                break
    in_turn = (plan for turn in zip_longest(*lists.values()) for plan in turn if plan is not None)
    return tuple(dict.fromkeys(in_turn))


def _again_and_again(plans: Sequence[Any]) -> Iterator[Any]:
    """Yield the plans, and again with other numbers, by which a law chooses other options."""
    turns = range(0, TRIES if plans else 0, max(1, len(plans)))
    return (plan.with_seed(plan.seed + turn) if turn and plan.seed else plan for turn in turns for plan in plans)
