"""The pytest plugin: brings implementations and properties together, and turns outcomes into reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, cast

import pytest

import implementations
from attention_tests import known_failures
from attention_tests.catalogue import all_laws
from attention_tests.law import Law
from attention_tests.profiles import DEFAULT, PROFILES, Profile, profile_named
from attention_tests.report import Row, clause_table, findings, promise_table
from attention_tests.search import expect_failure, hold
from attention_tests.subject import Subject
from attention_tests.target import resolve, subjects_of, trial
from attention_tests.verdict import Outcome, Verdict
from attention_tests.wording import BadTarget, unknown

KEY = "attention-tests"


@dataclass
class Run:
    """What is verified in this run, and what became of it so far."""

    profile: Profile
    subjects: list[Subject] = field(default_factory=list)
    unverifiable: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


RUN = pytest.StashKey[Run]()

WORDS = {
    Verdict.UNSUPPORTED: ("unsupported", "u", "UNSUPPORTED"),
    Verdict.ERROR: ("error", "E", "ERROR"),
    Verdict.EXPECTED_FAILURE: ("expected failures", "x", "EXPECTED FAILURE"),
    Verdict.UNEXPECTED_PASS: ("unexpected passes", "X", "UNEXPECTED PASS"),
}
"""What pytest says of verdicts that it does not know: in the count, in the line of progress, and with -v."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of the suite."""
    group = parser.getgroup(KEY, "attention-tests")
    group.addoption(
        "--target",
        action="append",
        metavar="TARGET",
        help="what to verify: a known name, or package.module:callable (repeatable; default: all that is known)",
    )
    group.addoption("--dtype", action="append", metavar="DTYPE", help="verify at this dtype only (repeatable)")
    group.addoption(
        "--profile",
        default=DEFAULT.name,
        help=f"how many problems each property is tried on: {', '.join(PROFILES)} (default: %(default)s)",
    )
    group.addoption("--seed", type=int, metavar="N", help="draw other problems than the gate does")


def pytest_configure(config: pytest.Config) -> None:
    """Resolve the targets that were named, so that a wrong one is said before anything runs."""
    profile = config.getoption("profile")
    if profile not in PROFILES:
        raise pytest.UsageError(f"--profile: {unknown(profile, PROFILES)}")
    config.stash[RUN] = Run(profile_named(profile, config.getoption("seed")))
    config.pluginmanager.register(Summary(config.stash[RUN]), "attention-tests-summary")
    if config.getoption("target") or config.getoption("dtype"):
        _bring_in(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of every property for every implementation at every dtype."""
    if not hasattr(metafunc.function, "law"):
        return
    if not metafunc.config.stash[RUN].subjects:
        _bring_in(metafunc.config)
    subjects = metafunc.config.stash[RUN].subjects
    metafunc.parametrize("subject", subjects, ids=repr)


def _bring_in(config: pytest.Config) -> None:
    run = config.stash[RUN]
    try:
        found = [resolve(target) for target in config.getoption("target") or _installed(run)]
        run.subjects = subjects_of(found, tuple(config.getoption("dtype") or ()))
    except BadTarget as error:
        raise pytest.UsageError(str(error)) from None
    run.unverifiable = {repr(subject): sentence for subject in run.subjects if (sentence := trial(subject))}
    if len(run.unverifiable) == len(run.subjects):
        raise pytest.UsageError("nothing could be verified: " + next(iter(run.unverifiable.values())))


def _installed(run: Run) -> list[str]:
    names = []
    for name in implementations.names():
        try:
            resolve(name)
        except BadTarget as error:
            run.missing.append(str(error))
        else:
            names.append(name)
    return names


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a property: its outcome becomes the report's, in words of ours and without a traceback."""
    law: Law | None = getattr(pyfuncitem.function, "law", None)
    if law is None:
        return None
    subject = cast("Subject", pyfuncitem.funcargs["subject"])
    run = pyfuncitem.config.stash[RUN]
    unverifiable = run.unverifiable.get(repr(subject))
    outcome = Outcome(Verdict.ERROR, unverifiable) if unverifiable else _outcome(law, subject, run.profile)
    row = _row(law, subject, outcome)
    # A row travels between the processes of pytest-xdist, which knows plain types only.
    pyfuncitem.user_properties.append((KEY, asdict(row) | {"verdict": row.verdict.value}))
    if outcome.verdict is Verdict.UNSUPPORTED:
        pytest.skip(outcome.explanation)
    if outcome.verdict is Verdict.EXPECTED_FAILURE:
        pytest.xfail(outcome.explanation)
    if outcome.verdict is not Verdict.PASS:
        pytest.fail(outcome.explanation, pytrace=False)
    return True


def _outcome(law: Law, subject: Subject, profile: Profile) -> Outcome:
    entries = known_failures.read(implementations.KNOWN_FAILURES)
    known = known_failures.about(entries, subject.implementation.name, subject.dtype, law.name)
    return expect_failure(law, subject, known, profile) if known else hold(law, subject, profile)


def _row(law: Law, subject: Subject, outcome: Outcome) -> Row:
    return Row(
        law=law.name,
        clause=law.clause.id,
        implementation=subject.implementation.name,
        dtype=subject.dtype,
        precision=subject.precision.name,
        verdict=outcome.verdict,
        explanation=outcome.explanation,
        measured=outcome.measured,
    )


def _row_of(report: pytest.TestReport) -> Row | None:
    record = cast("dict[str, Any] | None", next((value for key, value in report.user_properties if key == KEY), None))
    return None if record is None else Row(**record | {"verdict": Verdict(record["verdict"])})


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Say our words for what pytest has none for."""
    row = _row_of(report) if report.when == "call" else None
    if row is None:
        return None
    return WORDS.get(row.verdict)


class Summary:
    """Gathers the rows of all processes, and prints the tables."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rows: dict[tuple[str, str, str], Row] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what became of one property."""
        row = _row_of(report) if report.when == "call" else None
        if row is not None:
            self.rows[row.law, row.implementation, row.dtype] = row

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Print the tables of verdicts, what was found out about the claims, and what could not be verified."""
        if self.rows and not self.run.subjects:
            # Only the workers of pytest-xdist have collected anything.
            _bring_in(config)
        rows = [] if config.getoption("collectonly") else self.with_those_not_run()
        for title, text in (
            ("verdicts: properties of each clause", clause_table(rows)),
            ("promises", promise_table(rows)),
            ("the document's claims", "\n".join(findings(rows))),
            ("not run", "\n".join(self.run.missing)),
        ):
            if text and (rows or self.run.missing):
                terminalreporter.section(title)
                terminalreporter.write_line(text)

    def with_those_not_run(self) -> list[Row]:
        """Return a row for each property that was there to run, also if it did not: deselected, or not reached."""
        return [
            self.rows.get((law.name, subject.implementation.name, subject.dtype))
            or _row(law, subject, Outcome(Verdict.NOT_RUN))
            for subject in self.run.subjects
            for law in all_laws()
        ]
