"""A row of every report: one law on one implementation at one dtype, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from attention_tests.engine.law import Law
from attention_tests.engine.measurements import Measurements
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.execution.calls import Calls
from attention_tests.execution.subject import Subject
from attention_tests.text.wording import legible


@dataclass(frozen=True)
class Row:
    """One property on one implementation at one dtype, and what became of it."""

    law: str
    clause: str
    implementation: str
    dtype: str
    precision: str
    verdict: Verdict
    explanation: str = ""
    measured: Measurements = field(default_factory=dict)
    says: str = ""
    """The law in one sentence."""
    counterexample: str = ""
    """The plan of the problem that broke the law, as text that `attention_tests.engine.plan_text` reads."""
    reproducer: str = ""
    """A Python script that shows the failure, and ends with 1 where it does."""
    seconds: float = 0.0
    """The time that it took to decide."""
    place: str = ""
    """The source location of the callable that the law is about, as `file:line`."""
    calls: Calls = field(default_factory=Calls)
    """The calls that it took to decide."""

    @property
    def key(self) -> tuple[str, str, str]:
        """The key that no two rows of one run share: law, implementation and dtype."""
        return self.law, self.implementation, self.dtype

    @classmethod
    def of(  # noqa: PLR0913, PLR0917 - what became of it, and what it took
        cls,
        law: Law,
        subject: Subject,
        outcome: Outcome,
        seconds: float = 0.0,
        reproducer: str = "",
        calls: Calls | None = None,
    ) -> Row:
        """Write down what became of a law on a subject."""
        return cls(
            law=law.name,
            clause=law.clause.id,
            implementation=subject.implementation.name,
            dtype=subject.dtype,
            precision=subject.precision.name,
            verdict=outcome.verdict,
            explanation=legible(outcome.explanation),
            measured=outcome.measured,
            says=law.says,
            counterexample=outcome.counterexample,
            reproducer=reproducer,
            seconds=seconds,
            place=subject.implementation.places.get(law.steps[0], ""),
            calls=calls or Calls(),
        )

    def properties(self) -> list[tuple[str, object]]:
        """Return what a test report of pytest, and so JUnit XML, says of it besides its explanation."""
        plain = msgspec.to_builtins(self)
        said = [(name, plain[name]) for name in ("verdict", "clause", "implementation", "dtype", "precision")]
        return [*said, *self.measured.items()]
