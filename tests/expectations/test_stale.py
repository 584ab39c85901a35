"""An entry that can never apply is an error, and says why."""

from __future__ import annotations

from dataclasses import astuple, replace
from pathlib import Path

import pytest

from attention_tests import Implementation
from attention_tests.declare.dialect import Dialect
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.law import Law
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.search import corpus
from attention_tests.environment import suite
from attention_tests.expectations.book import Book, shipped
from attention_tests.expectations.entries import (
    TO_BE_WRITTEN,
    BadExpectations,
    Declaration,
    Expectations,
    Finding,
    KnownFailure,
    PinnedProblem,
)
from attention_tests.expectations.reading import read_file
from attention_tests.expectations.stale import held_on, stale, unexplained
from implementations import SHIPPED
from tests.support import targets

LAWS = {law.name: law for law in all_laws()}
LAW = "test_every_element_is_inside_the_derived_bound"
MINE = Implementation(name="mine", attention=targets.attention)
SO = Finding(reason="so")
KNOWN = KnownFailure(finding=SO, implementation="mine", dtype="float32", law=LAW, counterexample="Plan(keys=7)")
DECLARED = Declaration.of(MINE)


def of(expectations: Expectations, *names: str) -> list[str]:
    return list(stale(expectations, [MINE], LAWS, names))


def book(*known: KnownFailure) -> Book:
    return Book(SHIPPED.expectations.with_name("mine.toml"), Expectations(known), Expectations())


def test_the_shipped_entries_are_not_stale() -> None:
    loaded = [SHIPPED.load(name) for name in SHIPPED.gate()]
    assert shipped().known_failures
    assert not list(stale(shipped(), loaded, LAWS, SHIPPED.names()))
    assert not list(unexplained(shipped()))


def test_the_documented_entries_are_not_stale(tmp_path: Path) -> None:
    _, _, text = (suite.FOLDER / "docs" / "how-to" / "expectations.md").read_text("utf-8").partition("```toml\n")
    (tmp_path / "documented.toml").write_text(text.partition("```")[0], "utf-8")
    documented = read_file(tmp_path / "documented.toml")
    assert [len(entries) for entries in astuple(documented)] == [3, 1, 1]
    assert not of(documented)
    assert not list(unexplained(documented))


def test_an_entry_that_can_apply_is_not_stale() -> None:
    expectations = Expectations((KNOWN,), (PinnedProblem(law=LAW, plan="Plan()"),), {"mine": DECLARED})
    assert not of(expectations)
    assert not of(expectations, "mine")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"law": f"{LAW}s"}, f"did you mean {LAW!r}"),
        ({"dtype": "float16"}, "the dtype 'float16' is not known: did you mean 'float"),
        ({"law": "test_every_scale_is_used", "counterexample": ""}, "the implementation does not declare `scale`"),
        ({"counterexample": "Plan("}, "'Plan(' is no plan"),
        ({"counterexample": "Plan(regimes=('nromal',))"}, "cannot be built: KeyError"),
        ({"counterexample": "SentencePlan()"}, "is a Sentence, and the law is held on a Problem"),
    ],
)
def test_a_known_failure_that_cannot_occur_is_named(changes: dict[str, object], words: str) -> None:
    (sentence,) = of(Expectations((replace(KNOWN, **changes),)))  # type: ignore[arg-type]
    assert sentence.startswith("[[finding]], the case of test_")
    assert words in sentence


def test_entries_outside_the_run_are_checked_for_law_and_plan_only() -> None:
    other = replace(KNOWN, implementation="theirs", dtype="float16")
    assert not of(Expectations((other,), declared={"theirs": DECLARED}))
    assert len(of(Expectations((replace(other, law="test_of_nothing"),)))) == 1
    assert len(of(Expectations((replace(other, counterexample="Plan("),)))) == 1


def test_a_name_that_no_shipped_implementation_has_is_named() -> None:
    other = Expectations((replace(KNOWN, implementation="nmupy"),))
    (sentence,) = of(other, "numpy", "torch")
    assert "did you mean 'numpy'" in sentence
    (sentence,) = of(Expectations(declared={"nmupy": DECLARED}), "numpy", "torch")
    assert "did you mean 'numpy'" in sentence


def test_a_pinned_problem_that_can_never_be_tried_is_named() -> None:
    plans = (PinnedProblem(law="test_of_nothing", plan="Plan()"), PinnedProblem(law=LAW, plan="HistoryPlan()"))
    unknown, unfit = of(Expectations(problems=plans))
    assert "[[problem]] of test_of_nothing: the law 'test_of_nothing' is not known" in unknown
    assert "is a History, and the law is held on a Problem" in unfit


def test_a_duplicate_entry_is_named() -> None:
    again = replace(KNOWN, finding=Finding(reason="another"))
    (sentence,) = of(Expectations((KNOWN, replace(again, dtype="float64"), again)))
    assert sentence == f"mine (float32) is known to break {LAW} by 2 cases: leave one"
    assert not of(Expectations((KNOWN, replace(again, finding=Finding(reason="another", versions="numpy<1")))))


def test_what_is_wrong_with_several_cases_is_said_once() -> None:
    dtypes = tuple(replace(KNOWN, law="test_of_nothing", dtype=dtype) for dtype in MINE.dtypes)
    others = tuple(replace(one, implementation="theirs") for one in dtypes)
    (sentence,) = of(Expectations(dtypes + others))
    assert sentence.startswith("[[finding]], the case of test_of_nothing: the law 'test_of_nothing' is not known")


@pytest.mark.parametrize("reason", ["", "  ", TO_BE_WRITTEN])
def test_a_finding_needs_a_reason(reason: str) -> None:
    without = replace(KNOWN, finding=Finding(reason=reason))
    with pytest.raises(BadExpectations, match="say why in `reason`"):
        book(without).sound([MINE], updating=False)
    assert book(without).sound([MINE], updating=True).known_failures == (without,)


def test_a_finding_is_asked_for_its_reason_once() -> None:
    without = Finding(reason=TO_BE_WRITTEN)
    cases = tuple(replace(KNOWN, finding=without, law=law) for law in (LAW, "test_every_scale_is_used"))
    (sentence,) = unexplained(Expectations((KNOWN, *cases)))
    assert sentence == f"[[finding]], the case of {LAW} on mine: say why in `reason`"


def test_an_update_does_without_what_can_never_apply() -> None:
    gone = replace(KNOWN, dtype="float16")
    with pytest.raises(BadExpectations, match=r"mine.toml: \[\[finding\]\], the case of test_.* on mine: the dtype"):
        book(KNOWN, gone).sound([MINE], updating=False)
    assert book(KNOWN, gone).sound([MINE], updating=True).known_failures == (KNOWN,)


@pytest.mark.parametrize("law", all_laws(), ids=lambda law: law.name)
def test_every_law_accepts_what_its_own_plans_build(law: Law) -> None:
    plan = corpus(law.given, QUICK)[0]
    assert isinstance(plan.build("float64", plan.depends_on, Dialect()), held_on(law))
