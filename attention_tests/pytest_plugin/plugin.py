"""The pytest plugin: runs each law on each subject, and turns outcomes into reports."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import cast

import msgspec
import pytest

from attention_tests.engine.law import Law
from attention_tests.engine.profiles import PROFILES, profile_named
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.execution.subject import Subject
from attention_tests.pytest_plugin import options, reports
from attention_tests.pytest_plugin.annotations import Annotations, wanted
from attention_tests.pytest_plugin.decide import decide
from attention_tests.pytest_plugin.isolation import isolation_of
from attention_tests.pytest_plugin.parametrized import end_as
from attention_tests.pytest_plugin.registration import hand_in
from attention_tests.pytest_plugin.run import RUN, Run
from attention_tests.pytest_plugin.summary import ROW, Summary, row_of
from attention_tests.pytest_plugin.workers import hand_on, seed_of
from attention_tests.reproducers import reproducer
from attention_tests.text.wording import raised, unknown

pytest_plugins = [
    "attention_tests.pytest_plugin.expectations",
    "attention_tests.pytest_plugin.exploring",
    "attention_tests.pytest_plugin.turns",
]

WORDS = {
    Verdict.UNSUPPORTED: ("unsupported", "u", "UNSUPPORTED"),
    Verdict.ERROR: ("error", "E", "ERROR"),
    Verdict.CRASH: ("crashes", "C", "CRASH"),
    Verdict.TIMEOUT: ("timeouts", "T", "TIMEOUT"),
    Verdict.EXPECTED_FAILURE: ("expected failures", "x", "EXPECTED FAILURE"),
    Verdict.UNEXPECTED_PASS: ("unexpected passes", "X", "UNEXPECTED PASS"),
}
"""What pytest says of verdicts that it does not know: in the count, in the line of progress, and with -v."""

_ROW = pytest.StashKey[Row]()
"""Where a test keeps what was decided."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options, and the one that the command makes of each of its targets."""
    group = parser.getgroup("attention-tests")
    group.addoption(
        "--target",
        action="append",
        metavar="TARGET",
        help="what to verify: a known name, field for all, package.module:callable (repeatable; default: the gate's)",
    )
    options.declare(group.addoption)


def pytest_configure(config: pytest.Config) -> None:
    """Resolve the targets that were named, so that a wrong one is said before anything runs."""
    hand_in()
    profile = config.getoption("profile")
    if profile not in PROFILES:
        raise pytest.UsageError(f"--profile: {unknown(profile, PROFILES)}")
    hand_on(config)
    config.stash[RUN] = Run(
        profile_named(profile, seed_of(config)),
        device=config.getoption("device"),
        isolation=isolation_of(config),
        # What is expected is stored with its smallest problem.
        shrinking=config.getoption("all_failures") or config.getoption("update_expectations"),
    )
    summary = Summary(config.stash[RUN])
    config.pluginmanager.register(summary, "attention-tests-summary")
    if wanted():
        config.pluginmanager.register(Annotations(summary), "attention-tests-annotations")
    if any(map(config.getoption, ("target", "dtype", "report"))):
        _bring_in(config)
    reports.configure(config, config.stash[RUN], summary)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of every property for every implementation at every dtype."""
    if not hasattr(metafunc.function, "law"):
        return
    if not metafunc.config.stash[RUN].subjects:
        _bring_in(metafunc.config)
    subjects = metafunc.config.stash[RUN].subjects
    metafunc.parametrize("subject", subjects, ids=repr)


def _bring_in(config: pytest.Config) -> None:
    config.stash[RUN].load_targets(config.getoption("target") or (), config.getoption("dtype") or ())


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a property: its outcome becomes the report's, in words of ours and without a traceback."""
    law: Law | None = getattr(pyfuncitem.function, "law", None)
    if law is None:
        return None
    subject = cast("Subject", pyfuncitem.funcargs["subject"])
    try:
        row = _row(law, subject, pyfuncitem.config.stash[RUN])
    except Exception as error:
        sentence = f"the suite itself went wrong: {raised(error)}"
        pyfuncitem.stash[_ROW] = Row.of(law, subject, Outcome(Verdict.ERROR, sentence))
        raise
    pyfuncitem.stash[_ROW] = row
    pyfuncitem.user_properties += row.properties()
    end_as(row.verdict, row.explanation)
    return True


def _row(law: Law, subject: Subject, run: Run) -> Row:
    decided = run.decided.get((law.name, subject.implementation.name, subject.dtype))
    if decided:
        return decided
    start = time.perf_counter()
    outcome = decide(law, subject, run)
    program = reproducer(law, subject, outcome)
    return Row.of(law, subject, outcome, time.perf_counter() - start, program, subject.account.taken())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the row travel with the report, also between the processes of pytest-xdist."""
    report = yield
    if call.when == "call" and _ROW in item.stash:
        setattr(report, ROW, msgspec.to_builtins(item.stash[_ROW]))
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Say our words for what pytest has none for."""
    row = row_of(report)
    return None if row is None else WORDS.get(row.verdict)
