"""The default run is the same every time: neither the order of a set nor the process nor the clock has a say."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import cycle, product
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy, integers

from attention_tests import Implementation
from attention_tests.engine import search
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.drawing import drive
from attention_tests.engine.profiles import DEFAULT, QUICK
from attention_tests.engine.row import Row
from attention_tests.engine.search import corpus, hold
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.environment import suite
from attention_tests.execution.in_process import LocalExecutor
from attention_tests.execution.subject import Subject
from implementations import SHIPPED
from tests.support import targets

FEW = (
    "test_every_element_is_inside_the_derived_bound",
    "test_output_lies_within_the_range_of_the_values",
    "test_same_call_gives_same_bits",
    "test_softmax_normalises_the_exponentials",
)
LAWS = all_laws()
HAND_IN = "from attention_tests.pytest_plugin.registration import hand_in; hand_in()"
"""The statement by which a process without pytest hands in the laws."""
RANDOM_ON_PURPOSE = {"test_a_problem_drawn_anew_is_computed_correctly"}
"""A kernel that knows the answers to all problems of the gate is found only on one that nobody could know."""


def told() -> str:
    """Return all that this process draws, and what becomes of a few laws on what is right and what is wrong."""
    plans = {law.name: list(map(repr, corpus(law.given, QUICK))) for law in LAWS}
    functions = (targets.attention, targets.forgets_the_scale, targets.raises_on_seven_keys)
    subjects = [Subject(Implementation(name=one.__name__, attention=one), "float32") for one in functions]
    held = product([law for law in LAWS if law.name in FEW], subjects)
    rows = [msgspec.to_builtins(Row.of(law, subject, hold(law, subject, QUICK))) for law, subject in held]
    return json.dumps({"plans": plans, "rows": rows})


@pytest.fixture(scope="module")
def two_processes() -> list[dict[str, Any]]:
    """Return what two processes tell that run at the same time, and in which sets have another order."""
    program = f"{HAND_IN}; from tests.engine.test_deterministic import told; print(told())"
    environment = os.environ | {"PYTHONPATH": str(suite.FOLDER)}
    started = [
        Popen([sys.executable, "-c", program], env=environment | {"PYTHONHASHSEED": order}, stdout=PIPE, text=True)  # noqa: S603
        for order in ("1", "2")
    ]
    return [json.loads(process.communicate()[0]) for process in started]


def test_two_processes_draw_the_same_plans(two_processes: list[dict[str, Any]]) -> None:
    one, other = (told["plans"] for told in two_processes)
    assert len(one) == len(LAWS)
    assert all(one.values())
    assert {name for name in one if one[name] != other[name]} == RANDOM_ON_PURPOSE


def test_two_processes_print_the_same_verdicts(two_processes: list[dict[str, Any]]) -> None:
    one, other = (told["rows"] for told in two_processes)
    assert {row["verdict"] for row in one} >= {Verdict.PASS, Verdict.FAIL, Verdict.ERROR, Verdict.UNSUPPORTED}
    assert one == other


def test_the_order_of_sets_differs_between_the_processes() -> None:
    program = "print(list({'query', 'key', 'value', 'mask', 'bias', 'scale', 'head', 'weight'}))"
    command = [sys.executable, "-c", program]
    orders = [
        subprocess.run(command, env={"PYTHONHASHSEED": order}, capture_output=True, check=True).stdout  # noqa: S603
        for order in ("1", "2")
    ]
    assert orders[0] != orders[1]


def drawn_by_the_suite(strategy: SearchStrategy[int]) -> list[int]:
    numbers: list[int] = []
    drive(strategy, DEFAULT, (Phase.generate,), numbers.append)
    return numbers


def drawn_by_hypothesis_alone(strategy: SearchStrategy[int]) -> list[int]:
    numbers: list[int] = []

    @settings(max_examples=DEFAULT.examples, phases=(Phase.generate,), database=None)
    @seed(DEFAULT.seed)
    @given(strategy)
    def run(number: int) -> None:
        numbers.append(number)

    run()
    return numbers


# Hypothesis likes to try numbers that it reads in our code. Once it alone no longer does, nobody needs to keep it.
@pytest.mark.parametrize(
    ("drawn", "first", "same"), [(drawn_by_the_suite, 1000, True), (drawn_by_hypothesis_alone, 3000, False)]
)
def test_numbers_in_the_source_of_an_implementation_do_not_change_what_is_drawn(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    drawn: Callable[[SearchStrategy[int]], list[int]],
    first: int,
    *,
    same: bool,
) -> None:
    numbers = range(first, first + 1000)
    before = drawn(integers(numbers[0], numbers[-1]))
    (tmp_path / f"kernel_of_{first}.py").write_text(f"BLOCKS = {list(numbers)}")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module(f"kernel_of_{first}")
    assert (drawn(integers(numbers[0], numbers[-1])) == before) is same


@pytest.mark.parametrize("name", ["forgets_the_scale", "raises_on_seven_keys", "attention"])
def test_time_to_shrink_changes_what_is_printed_and_no_verdict(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = _outcome(name)
    monkeypatch.setattr(search, "SECONDS_TO_SHRINK", 0.0)
    hasty = _outcome(name)
    assert hasty.verdict is patient.verdict
    assert hasty.measured == patient.measured
    assert (hasty.explanation != patient.explanation) is (patient.verdict is not Verdict.PASS)


def test_how_long_a_call_takes_is_measured_and_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = cycle([1.0, 4.0])
    monkeypatch.setattr(LocalExecutor, "shortest_time", lambda *_: next(seconds))
    (law,) = (law for law in LAWS if law.clause.id == "matrix-is-faster")
    outcome = hold(law, Subject(SHIPPED.load("numpy"), "float32"), QUICK)
    assert outcome.verdict is Verdict.PASS
    assert "0.25" in outcome.measured.values()


def _outcome(name: str) -> Outcome:
    law = next(law for law in LAWS if law.name == FEW[0])
    return hold(law, Subject(Implementation(name=name, attention=getattr(targets, name)), "float32"), QUICK)
