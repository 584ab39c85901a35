"""Counting: an implementation whose calls are written down as they arrive, held against every law that applies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from attention_tests import Implementation, Step
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import Profile
from attention_tests.engine.search import hold
from attention_tests.execution.signatures import Signature, signature_of
from attention_tests.execution.subject import Subject
from benchmarks.coverage.call import Array, Call, call_of
from benchmarks.coverage.factors import classes_of
from benchmarks.coverage.required import TRIPLES, Meeting

STEPS = (Step.ATTENTION, Step.GRADIENT)


class Asked:
    """The calls that were made, their signatures, and the number of times that classes met."""

    def __init__(self) -> None:
        self.calls = 0
        self.signatures: set[Signature] = set()
        self._alike: Counter[tuple[tuple[str, tuple[str, ...]], ...]] = Counter()

    def add(self, call: Call, signature: Signature | None = None) -> None:
        """Count a call."""
        self.calls += 1
        self.signatures |= {signature} if signature else set()
        self._alike[tuple((factor, tuple(names)) for factor, names in classes_of(call).items())] += 1

    @property
    def classes(self) -> Counter[tuple[str, str]]:
        """The number of calls of each class of each factor."""
        counted: Counter[tuple[str, str]] = Counter()
        for classes, times in self._alike.items():
            for factor, names in classes:
                counted.update(dict.fromkeys(((factor, name) for name in names), times))
        return counted

    def missing(self, meetings: Iterable[Meeting]) -> list[Meeting]:
        """Return those of the meetings that no call had."""
        met: set[Meeting] = set()
        for classes in self._alike:
            named = [(factor, name) for factor, names in classes for name in names]
            met.update(combinations(named, 2))
            of = dict(classes)
            for one, two, three in TRIPLES:
                met.update(((one, a), (two, b), (three, c)) for a in of[one] for b in of[two] for c in of[three])
        return [meeting for meeting in meetings if meeting not in met]


def recorded(implementation: Implementation, asked: Asked) -> Implementation:
    """Return the implementation with callables that count their calls."""

    def recording(step: Step, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arrays: Any, **options: Any) -> Any:
            answer = function(*arrays, **options)
            if all(len(getattr(array, "shape", ())) == len(layout) and 0 not in array.shape for array in arrays[:3]):
                seen = call_of(step, arrays, options, layout, implementation.to_numpy)
                if step is Step.GRADIENT and can_flow(seen) and not flows(answer, implementation.to_numpy):
                    seen = replace(seen, observed="gradients of zero")
                asked.add(seen, signature_of(step, arrays, options))
            return answer

        return call

    layout, (attention, gradient) = implementation.dialect.layout, (implementation.attention, implementation.gradient)
    return replace(
        implementation,
        attention=attention and recording(Step.ATTENTION, attention),
        gradient=gradient and recording(Step.GRADIENT, gradient),
    )


def can_flow(call: Call) -> bool:
    """Tell whether the gradient of a query or a key can be other than zero: not for a single key or a scale of zero."""
    return call.keys > 1 and call.options.get("scale") != 0


def flows(gradients: Sequence[Any], to_numpy: Callable[[Any], Array]) -> bool:
    """Tell whether a query or a key has a gradient: a kernel that forgets both is right where there is none."""
    return any(np.any(to_numpy(gradient)) for gradient in gradients[:2])


def ask(implementation: Implementation, dtype: str, profile: Profile) -> Asked:
    """Hold an implementation against every law that applies, and return what it was asked."""
    asked = Asked()
    subject = Subject(recorded(implementation, asked), dtype)
    for law in all_laws():
        if not law.missing(subject) and {*law.steps} <= {*STEPS}:
            hold(law, subject, profile)
    return asked
