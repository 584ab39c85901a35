"""The report of a kernel that was verified from Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

import msgspec

from attention_tests.diagnosis.shown import Failures
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.reports.asked import asked_of
from attention_tests.reports.report import BROKEN
from attention_tests.reports.tables import PROMISES, broken_laws, counts, promises

HELD = (Verdict.PASS, *BROKEN)
"""The verdicts of laws that applied."""

PLAIN = "test_every_element_is_inside_the_derived_bound"
"""The law that says whether a kernel is right where nothing is special."""
OUTSIDE = frozenset(
    {
        "test_a_call_has_read_its_inputs_when_it_returns",
        "test_a_call_leaves_process_global_state_unchanged",
        "test_no_forbidden_library_is_called",
    }
)
"""The laws that a kernel breaks only by reaching for what is not its own, or by answering later than it returns."""
WHERE_IT_IS_TESTED = frozenset(
    {
        "test_a_problem_drawn_anew_is_computed_correctly",
        "test_an_answer_does_not_depend_on_the_caller",
        "test_every_one_of_many_repeated_calls_is_right",
        "test_new_numbers_in_the_same_buffers_give_new_outputs",
    }
)
"""The laws that a kernel which keeps the plain one breaks only by being right where, or when, it is tested."""


@dataclass(frozen=True)
class Report:
    """The laws that a kernel was held against, and what became of each."""

    name: str
    """The name of the kernel."""
    rows: Sequence[Row]
    """One for each law and dtype."""
    said: Sequence[str] = ()
    """The claims of a bare callable, line by line."""
    refusal: str = ""
    """The reason why nothing could be verified; empty where something was."""
    of_failures: Failures = field(default_factory=Failures)
    """The causes of the failures, and the one that is shown, shrunk."""

    @property
    def passed(self) -> bool:
        """Whether something was verified, and every law that applied was kept."""
        return not self.refusal and not self.failures and any(row.verdict is Verdict.PASS for row in self.rows)

    @property
    def diagnosis(self) -> str:
        """The cause: an attention that is computed instead, and on what grounds; empty where none is known."""
        return "\n".join(map(str, self.of_failures.diagnoses))

    @property
    def failures(self) -> list[Row]:
        """The laws that were broken, each with its explanation: one of them shrunk, the others as they were found."""
        return [row for row in self.rows if row.verdict in BROKEN]

    @property
    def score(self) -> float:
        """The share of the laws that applied which were kept, from 0 to 1; 0 where the kernel pretends.

        Each law counts once for each dtype. At a dtype at which even plain problems are answered wrongly, none counts
        as kept: that is how a kernel looks that pretends without success. Where nothing could be verified it is 0.
        """
        applied = [row for row in self.rows if row.verdict in HELD]
        wrong = {row.dtype for row in self.failures if row.law == PLAIN}
        kept = [row for row in applied if row.verdict is Verdict.PASS and row.dtype not in wrong]
        return 0.0 if self.pretends or not applied else len(kept) / len(applied)

    @property
    def pretends(self) -> bool:
        """Whether it reaches for what is not its own, answers too late, or is right only where it is tested."""
        # A crash is no answer that pretends.
        broken = {(row.law, row.dtype) for row in self.failures if row.verdict is Verdict.FAIL}
        return any(
            law in OUTSIDE or (law in WHERE_IT_IS_TESTED and (PLAIN, dtype) not in broken) for law, dtype in broken
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything in types that JSON knows."""
        return {
            "name": self.name,
            "passed": self.passed,
            "score": self.score,
            "pretends": self.pretends,
            "refusal": self.refusal,
            "said": list(self.said),
            "diagnoses": [asdict(one) for one in self.of_failures.diagnoses],
            "asked": asked_of(self.rows, self.name),
            "totals": {str(verdict): count for verdict, count in self._totals.items()},
            "failures": [msgspec.to_builtins(row) for row in self.failures],
        }

    def __str__(self) -> str:
        """Say in a few lines what became of it."""
        lines = [f"{self.name}: {self._in_short}", *(f"  {line}" for line in self.said)]
        lines += [self.diagnosis] if self.diagnosis else []
        lines += [f"\n{row.law} [{row.dtype}]\n{row.explanation}" for row in self.of_failures.shown]
        lines += ["", *broken_laws(self.rows)] if self.failures else []
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the same for a notebook."""
        found = "".join(f"<li>{escape(line)}</li>" for line in self.said)
        failures = "".join(
            f"<details><summary><b>{escape(row.law)}</b>, {escape(row.dtype)}: {escape(row.says)}</summary>"
            f"<pre>{escape(row.explanation)}</pre></details>"
            for row in self.failures
        )
        head = "".join(f"<th>{escape(name)}</th>" for name in PROMISES)
        lines = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in line)}</tr>" for line in promises(self.rows)
        )
        table = f"<table><tr>{head}</tr>{lines}</table>" if self.rows else ""
        short = f"<p><b>{escape(self.name)}</b>: {escape(self._in_short)}</p>"
        short += f"<p>{escape(self.diagnosis)}</p>" if self.diagnosis else ""
        return f"<div>{short}<ul>{found}</ul>{table}{failures}</div>"

    @property
    def _totals(self) -> dict[Verdict, int]:
        return counts(row.verdict for row in self.rows)

    @property
    def _in_short(self) -> str:
        counted = ", ".join(f"{count} {verdict}" for verdict, count in self._totals.items())
        return self.refusal or f"{'passed' if self.passed else 'failed'} (score {self.score:.3g}): {counted}"
