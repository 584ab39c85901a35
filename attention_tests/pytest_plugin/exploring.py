"""The hooks of exploring: the shares of workers, and the problems to pin of those that were found."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pytest
import tomlkit

from attention_tests.engine.budget import BadBudget, Budget, seconds_of
from attention_tests.engine.database import FOLDER, BadDatabase, opened
from attention_tests.engine.explore import PROBLEMS, Exploration
from attention_tests.engine.profiles import EXPLORE
from attention_tests.engine.row import Row
from attention_tests.expectations.entries import BROKEN
from attention_tests.pytest_plugin.decide import is_explored
from attention_tests.pytest_plugin.options import BUDGET
from attention_tests.pytest_plugin.portions import equal_portions
from attention_tests.pytest_plugin.run import RUN, Run
from attention_tests.pytest_plugin.summary import Summary
from attention_tests.pytest_plugin.workers import SEED

LOST = "attention-tests: why the database was lost"
"""What a worker of pytest-xdist says at its end."""


# Last, for the run must be there, and what cannot be verified needs no database.
@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Open the database and begin to explore, where that is what the run is for."""
    run = config.stash[RUN]
    if run.profile.name != EXPLORE.name:
        for option in ("budget", "database"):
            if config.getoption(option) is not None:
                raise pytest.UsageError(f"--{option} is for exploring: add --profile explore, or leave it out")
        return
    try:
        budget, database = seconds_of(_asked(config, "budget", BUDGET)), opened(_asked(config, "database", FOLDER))
    except (BadBudget, BadDatabase) as error:
        raise pytest.UsageError(str(error)) from None
    run.exploration = Exploration(Budget(budget), run.profile, database)
    summary = config.pluginmanager.get_plugin("attention-tests-summary")
    assert isinstance(summary, Summary)
    config.pluginmanager.register(Exploring(config, run, run.exploration, summary), "attention-tests-exploring")


def _asked(config: pytest.Config, option: str, otherwise: str) -> str:
    asked: str | None = config.getoption(option)
    return otherwise if asked is None else asked


class Exploring:
    """Shares the budget out, and says at the end what was tried and found."""

    def __init__(self, config: pytest.Config, run: Run, exploration: Exploration, summary: Summary) -> None:
        self.config, self.run, self.exploration, self.summary = config, run, exploration, summary
        self.explored: set[str] = set()
        self.lost: list[str] = []
        self.uneven = False
        """Whether workers take properties as pytest-xdist gives them, and not equally many."""
        self.worker: dict[str, Any] | None = getattr(config, "workerinput", None)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """Print the seed before anything runs: a run that is killed can be repeated, too."""
        terminal: pytest.TerminalReporter | None = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal and self.worker is None:
            explored = self.exploration
            terminal.write_line(f"exploring for {explored.budget.seconds:g} s from seed {explored.profile.seed}")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put first what is explored, so that nothing else takes time from the budget, and count it."""
        items.sort(key=lambda item: not self._takes_a_share(item))
        self.explored = {item.nodeid for item in items if self._takes_a_share(item)}
        workers = self.worker["workercount"] if self.worker else 1
        self.exploration.budget.properties = math.ceil(len(self.explored) / workers)

    def _takes_a_share(self, item: pytest.Item) -> bool:
        law = getattr(getattr(item, "function", None), "law", None)
        return law is not None and is_explored(law, item.callspec.params["subject"], self.run)  # type: ignore[attr-defined]  # each has one

    def pytest_runtest_logstart(self) -> None:
        """Start the clock with the first property."""
        self.run.deadline = self.exploration.budget.begin()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Leave what is left to the properties that are to come."""
        if nodeid in self.explored:
            self.exploration.budget.properties -= 1

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker the seed, for otherwise each would draw its own."""
        node.workerinput[SEED] = self.exploration.profile.seed

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Deal the properties out evenly, unless another way was asked for."""
        if config.getoption("dist") != "load":
            return None
        scheduler = equal_portions(config, log)
        self.uneven = scheduler is None
        return scheduler

    def pytest_sessionfinish(self) -> None:
        """Say whether the database was lost, also from a worker of pytest-xdist."""
        if self.worker is None:
            self.lost.append(self.exploration.database.lost)
        else:
            self.config.workeroutput[LOST] = self.exploration.database.lost  # type: ignore[attr-defined]  # a worker has one

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear from a worker whether the database was lost; one that crashed says nothing."""
        self.lost.append(getattr(node, "workeroutput", {}).get(LOST, ""))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print how to do it again, and what to add to the pinned corpus."""
        rows, seed = self.summary.rows.values(), self.exploration.profile.seed
        tried = sum(int(row.measured.get(PROBLEMS, 0)) for row in rows)
        terminalreporter.ensure_newline()
        terminalreporter.section("explored")
        terminalreporter.write_line(f"{tried} problems; --seed {seed} tries the same again")
        if self.uneven:
            terminalreporter.write_line("this pytest-xdist deals properties out itself: their shares are not equal")
        for sentence in dict.fromkeys(filter(None, self.lost)):
            terminalreporter.write_line(f"the database was lost on the way, and what was found since: {sentence}")
        found = pinned(rows, seed)
        if found:
            terminalreporter.section("found by exploring: to pin it, add to attention-tests.toml")
            terminalreporter.write_line(found)


def pinned(rows: Iterable[Row], seed: int) -> str:
    """Write the problems that broke a law as entries of the pinned corpus, in TOML."""
    broken = ((row.law, row.counterexample) for row in rows if row.verdict in BROKEN and row.counterexample)
    note = f"found by explore, seed {seed}"
    problems = [{"law": law, "plan": plan, "note": note} for law, plan in dict.fromkeys(broken)]
    return tomlkit.dumps({"problem": problems}).strip() if problems else ""
