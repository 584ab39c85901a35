"""A run that decides less than what was declared asks for says so, and why, and no other run does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attention_tests import Implementation
from attention_tests.declare.features import Feature, Step
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.law import Law
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.expectations.book import shipped
from attention_tests.expectations.entries import Declaration
from attention_tests.expectations.floor import below_floor
from implementations import SHIPPED
from tests.support import targets

MINE = Implementation(
    name="mine", attention=targets.attention, softmax=targets.attention, supports=frozenset({Feature.SCALE})
)
BEFORE = Declaration.of(MINE)
LAWS = {law.name: law for law in all_laws()}
SOFTMAX, SCALE = "test_softmax_normalises_the_exponentials", "test_every_scale_is_used"
UNDECIDED = (Verdict.UNSUPPORTED, Verdict.NOT_RUN)


def row(law: str, dtype: str, verdict: Verdict) -> Row:
    clause = LAWS[law].clause.id
    return Row(law=law, clause=clause, implementation="mine", dtype=dtype, precision="-", verdict=verdict)


def rows_of(*dtypes: str, without: tuple[str, ...] = (), verdict: Verdict = Verdict.PASS) -> list[Row]:
    return [row(law, dtype, verdict) for law in LAWS if law not in without for dtype in dtypes]


def told(
    rows: list[Row], now: Implementation | None = MINE, dtypes: tuple[str, ...] = (), laws: tuple[str, ...] = (*LAWS,)
) -> list[str]:
    asked = [LAWS[law] for law in laws]
    return list(below_floor({"mine": BEFORE}, asked, rows, {now.name: now} if now else {}, dtypes))


def applies(law: Law) -> bool:
    return not law.missing(MINE)


@pytest.mark.parametrize("declared", [MINE, replace(MINE, immutable=True)], ids=["views", "no views"])
def test_a_law_asks_the_same_of_what_was_written_down(declared: Implementation) -> None:
    written = Declaration.of(declared)
    missing = {law.name: law.missing(declared) for law in all_laws()}
    assert {law.name: law.missing(written) for law in all_laws()} == missing
    assert any(missing.values())
    assert not all(missing.values())


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict not in UNDECIDED])
def test_every_decided_verdict_counts(verdict: Verdict) -> None:
    assert not told(rows_of("float64", "float32", verdict=verdict))


@pytest.mark.parametrize("verdict", UNDECIDED)
def test_undecided_verdicts_do_not_count(verdict: Verdict) -> None:
    rows = rows_of("float64", "float32", without=(SOFTMAX,))
    undecided = [row(SOFTMAX, "float64", Verdict.PASS), row(SOFTMAX, "float32", verdict)]
    assert told(rows + undecided) == [f"mine (float32) was not held against every law: no verdict on {SOFTMAX}"]


def test_laws_that_never_applied_need_no_verdict() -> None:
    unsupported = tuple(law.name for law in all_laws() if not applies(law))
    assert unsupported
    assert not told(rows_of("float64", "float32", without=unsupported))


def test_a_feature_that_is_gone_is_named() -> None:
    less = replace(MINE, supports=frozenset())
    rows = [one for one in rows_of("float64", "float32") if not LAWS[one.law].missing(less)]
    without = [law.name for law in all_laws() if Feature.SCALE in law.features and applies(law)]
    sentence = "mine (float64, float32) does not declare `scale`: no verdict on "
    assert told(rows, less, laws=(SCALE, SOFTMAX)) == [f"{sentence}{SCALE}"]
    sentence_of_all, sentence_of_either = told(rows, less)
    assert sentence_of_all == f"{sentence}{', '.join(without[:3])} and {len(without) - 3} more"
    either = "test_a_scale_or_grouped_heads_work_with_one_other_option"
    assert (
        sentence_of_either
        == f"mine (float64, float32) declares none of `grouped_heads`, `scale`: no verdict on {either}"
    )


def test_a_step_that_is_gone_is_named() -> None:
    less = replace(MINE, softmax=None)
    rows = [one for one in rows_of("float64", "float32") if not LAWS[one.law].missing(less)]
    (sentence,) = told(rows, less)
    assert sentence.startswith(f"mine (float64, float32) exposes no `{Step.SOFTMAX}`: no verdict on ")


def test_a_missing_dtype_is_reported() -> None:
    less = replace(MINE, dtypes={"float64": MINE.dtypes["float64"]})
    assert told(rows_of("float64"), less, laws=(SCALE, SOFTMAX)) == [
        f"mine (float32) is not declared any more: no verdict on {SCALE}, {SOFTMAX}"
    ]


def test_a_missing_implementation_is_reported() -> None:
    assert told([], None, laws=(SCALE,)) == [f"mine (float64, float32) is not in the run: no verdict on {SCALE}"]


def test_a_law_that_is_new_is_asked_for_although_nothing_was_written_down_of_it() -> None:
    rows = rows_of("float64", "float32", without=(SCALE,))
    assert not told(rows, laws=(SOFTMAX,))
    assert told(rows, laws=(SOFTMAX, SCALE))


@pytest.mark.parametrize("name", SHIPPED.gate())
def test_what_the_gate_declares_is_pinned(name: str) -> None:
    assert shipped().declared[name] == Declaration.of(SHIPPED.load(name))


def test_whatever_needs_no_gpu_is_pinned() -> None:
    assert set(shipped().declared) == set(SHIPPED.names()) - set(SHIPPED.on_a_gpu())


def test_deselected_laws_are_not_checked() -> None:
    assert not told(rows_of("float64"), dtypes=("float64",))
    assert told(rows_of("float64"), dtypes=("float32",))
    assert not list(below_floor({}, all_laws(), [], {"mine": MINE}))
