"""The hooks of reports: rows are journalled as they are decided, and the reports written at the end."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from attention_tests.engine.row import Row
from attention_tests.expectations.book import IN_THIS_FOLDER, files_of
from attention_tests.pytest_plugin import junit
from attention_tests.pytest_plugin.progress import Progress
from attention_tests.pytest_plugin.run import Run
from attention_tests.pytest_plugin.summary import Summary, row_of
from attention_tests.reports import folder as files
from attention_tests.reports import journal
from attention_tests.reports.environment import digest, environment, libraries, versions
from attention_tests.reports.html import html
from attention_tests.reports.journal import CannotResume
from attention_tests.reports.json_report import json_text
from attention_tests.reports.markdown import markdown
from attention_tests.reports.report import BROKEN, Report

NOT_JUDGED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def configure(config: pytest.Config, run: Run, summary: Summary) -> None:
    """Prepare the folder of the reports, so that one that cannot be written is said before anything runs."""
    where, resumes = config.getoption("report"), config.getoption("resume")
    if resumes and where is None:
        raise pytest.UsageError("--resume goes on with a run whose reports are in a folder: name it with --report DIR")
    if config.getoption("collectonly"):
        return
    if hasattr(config, "workerinput"):
        run.decided |= journal.decided(Path(where) / files.JOURNAL) if resumes else {}
        return
    config.pluginmanager.register(Progress(config, run, summary), "attention-tests-progress")
    if where is None:
        return
    folder = Path(where).absolute()
    try:
        reports = Reports(config, folder, run, summary)
    except (CannotResume, files.CannotWrite) as error:
        raise pytest.UsageError(str(error)) from None
    junit.ask_for(config, folder)
    config.pluginmanager.register(reports, "attention-tests-reports")


class Reports:
    """Writes down each row as it is decided, and the reports at the end."""

    def __init__(self, config: pytest.Config, folder: Path, run: Run, summary: Summary) -> None:
        self.config, self.folder, self.run, self.summary = config, folder, run, summary
        self.asked = asked_of(config)
        self.failure = ""
        known = {**versions(), **self.asked, **kept_of(config, run)}
        ours, file = files.prepare(folder), folder / files.JOURNAL
        self.journal, decided = (
            journal.resume(file, known) if config.getoption("resume") else (journal.begin(file, known), {})
        )
        if ours:
            files.clear(folder)
        run.decided |= decided
        summary.rows |= decided

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write down what became of one property, at once."""
        row = row_of(report)
        if row is not None and row.key not in self.run.decided:
            self.journal.add(row)

    # Around everybody who may still change the exit code, and before the terminal says its last.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Write the reports."""
        yield
        self.journal.close()
        rows = self.summary.with_those_not_run()
        if session.exitstatus in NOT_JUDGED and any(row.verdict in BROKEN for row in rows):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        try:
            self._write(rows, int(session.exitstatus))
        except OSError as error:
            self.failure = f"the reports could not be written: {error.strerror}: {error.filename}"
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def _write(self, rows: list[Row], exit_code: int) -> None:
        report = Report(
            rows=rows,
            exit_code=exit_code,
            written=datetime.now(UTC).isoformat(timespec="seconds"),
            asked=self.asked,
            profile=self.run.profile,
            versions=versions(),
            environment=environment(),
            libraries={name: libraries(one) for name, one in self.run.implementations.items()},
            missing=self.run.missing,
            found_out=self.run.found_out,
            diagnoses=self.summary.failures.diagnoses,
            undeclared=self.run.undeclared,
            reproducers=files.write_reproducers(self.folder, rows),
        )
        for name, text in (
            (files.MARKDOWN, markdown(report)),
            (files.HTML, html(report)),
            (files.JSON, json_text(report)),
        ):
            files.write(self.folder / name, text)
        junit.add_totals(self.config, report.totals, report.diagnoses)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where the reports are."""
        terminalreporter.section("reports")
        terminalreporter.write_line(self.failure or str(self.folder / files.HTML))


def kept_of(config: pytest.Config, run: Run) -> dict[str, object]:
    """Return what decides about verdicts besides, and must be the same where a run goes on."""
    expectations = files_of(Path(config.getoption("expectations") or IN_THIS_FOLDER))
    written = b"".join(file.read_bytes() for file in expectations if file.is_file())
    options = {name: config.getoption(name) for name in ("isolate", "call_seconds", "memory")}
    made = run.implementations.values()
    return options | {
        "expectations of digest": sha256(written).hexdigest()[:12],
        "libraries": sorted({f"{name} {version}" for one in made for name, version in libraries(one).items()}),
        "source files of digest": [digest(one) for one in made],
    }


def asked_of(config: pytest.Config) -> dict[str, object]:
    """Return what decides about the verdicts of a run."""
    return {
        "targets": config.getoption("target") or [],
        "dtypes": config.getoption("dtype") or [],
        "profile": config.getoption("profile"),
        "seed": config.getoption("seed"),
    }
