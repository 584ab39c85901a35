"""A bare callable claims what it answers; its dialect and its domain are found out; and no bug is declared away."""

from __future__ import annotations

from dataclasses import replace
from time import process_time
from typing import Any

import numpy as np
import pytest

from attention_tests import Alignment, Dialect, Feature, FullyMasked, Implementation, Layout, Precision
from attention_tests.claims.finding import Claims, found_out
from attention_tests.claims.words import said
from attention_tests.declare.domain import EVERYWHERE
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.search import hold
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.subject import Subject
from attention_tests.frameworks.found import Arrays, framework_for
from attention_tests.signatures.reading import from_callable
from tests.defects.correct import Array
from tests.defects.correct_layer import layer
from tests.support.bare import DOMAINS, RIGHT, WRONG, Kernel, last_key_twice, plain, same_lengths, within

LAWS = {law.name: law for law in all_laws()}


def claims_of(kernel: Kernel) -> Claims:
    claims = found_out(from_callable(kernel, "mine", framework_for(kernel, Arrays())))
    assert claims is not None
    return claims


def claimed(kernel: Kernel) -> Implementation:
    return claims_of(kernel).implementation


def verdicts_of(kernel: Kernel, laws: Any = LAWS) -> dict[str, Verdict]:
    subject = Subject(claimed(kernel), "float32")
    return {name: hold(LAWS[name], subject, QUICK).verdict for name in laws}


@pytest.mark.parametrize(
    ("kernel", "dialect"),
    [
        ("plain", Dialect()),
        ("torch_like", Dialect()),
        ("flash_like", Dialect(layout=Layout.BATCH_LENGTH_HEAD_WIDTH, alignment=Alignment.BOTTOM_RIGHT)),
        ("hides_where_true", Dialect(true_hides=True, fully_masked=FullyMasked.NAN)),
        ("bottom_right", Dialect(alignment=Alignment.BOTTOM_RIGHT)),
        ("length_first", Dialect(layout=Layout.BATCH_LENGTH_HEAD_WIDTH)),
        ("one_head", Dialect(layout=Layout.LENGTH_WIDTH)),
        ("heads_first", Dialect(layout=Layout.HEAD_LENGTH_WIDTH)),
        ("tokens_first", Dialect(layout=Layout.LENGTH_HEAD_WIDTH)),
    ],
)
def test_the_dialect_is_found_out(kernel: str, dialect: Dialect) -> None:
    assert claimed(RIGHT[kernel]).dialect == dialect


@pytest.mark.parametrize("kernel", RIGHT)
def test_a_right_callable_of_any_convention_passes_without_a_declaration(kernel: str) -> None:
    # The laws by which conventions differ; those of all others are the same for each.
    differ = [law for law in LAWS if any(word in law for word in ("mask", "bias", "zero", "causal", "query", "bound"))]
    laws = LAWS if kernel in {"plain", "flash_like"} else differ
    assert {*verdicts_of(RIGHT[kernel], laws).values()} == {Verdict.PASS, Verdict.UNSUPPORTED}


@pytest.mark.parametrize("kernel", WRONG)
def test_a_wrong_callable_fails_without_a_declaration(kernel: str) -> None:
    wrong, law = WRONG[kernel]
    assert verdicts_of(wrong, [law]) == {law: Verdict.FAIL}


def test_what_is_answered_is_claimed() -> None:
    features = claimed(layer).supports
    assert features == {*Feature} - {Feature.NON_FINITE, Feature.THREADS, Feature.MUTABLE}


@pytest.mark.parametrize(
    ("kernel", "takes", "leaves", "words"),
    [
        ("masks_are_conditions", Feature.MASK, Feature.BIAS, "numbers count as true or false"),
        ("masks_are_added", Feature.BIAS, Feature.MASK, "True counts as 1, which is added to the scores"),
    ],
)
def test_a_parameter_for_masks_and_biases_may_be_one_of_them(
    kernel: str, takes: Feature, leaves: Feature, words: str
) -> None:
    claims = claims_of(RIGHT[kernel])
    assert takes in claims.implementation.supports
    assert leaves not in claims.implementation.supports
    assert claims.refused[leaves].words == words


def test_float64_may_be_computed_in_float32_and_that_is_said() -> None:
    found = {name: claimed(RIGHT[name]).dtypes["float64"] for name in ("single_inside", "plain")}
    assert found == {"single_inside": Precision.single(), "plain": Precision.float64()}
    assert "answers float64 (float32 inside), float32" in said(claims_of(RIGHT["single_inside"]))[0]


def test_the_rows_of_hidden_keys_and_of_no_keys_may_differ() -> None:
    dialect = claimed(RIGHT["of_no_keys_zeros"]).dialect
    assert (dialect.fully_masked, dialect.no_keys) == (FullyMasked.NAN, FullyMasked.ZEROS)


def test_what_no_convention_explains_is_said() -> None:
    unexplained = {name: claims_of(kernel).unexplained for name, (kernel, _) in WRONG.items()}
    assert unexplained["no_dialect"] == ["masks", "a query that sees no key"]
    assert "no convention explains what is answered of masks" in "\n".join(said(claims_of(WRONG["no_dialect"][0])))
    assert not any(claims_of(kernel).unexplained for kernel in RIGHT.values())


def test_a_right_callable_owes_no_bits_in_another_order_of_heads() -> None:
    def by_the_last_digit(query: Array, key: Array, value: Array) -> Array:
        output = layer(query, key, value)
        output[:, 0] = np.nextafter(output[:, 0], np.inf, dtype=output.dtype)
        return output

    law = "test_reordering_heads_reorders_outputs_exactly"
    assert verdicts_of(by_the_last_digit, [law]) == {law: Verdict.PASS}
    declared = replace(claimed(by_the_last_digit), refuses=False)
    assert hold(LAWS[law], Subject(declared, "float32"), QUICK).verdict is Verdict.FAIL


def test_what_is_refused_is_not_claimed_and_is_said_in_its_own_words() -> None:
    claims = claims_of(within(EVERYWHERE, plain))
    assert Feature.EMPTY not in claims.implementation.supports
    refusal = claims.refused["size of zero"]
    assert "not for Sizes(" in refusal.words
    assert refusal.of == ["batch", "heads", "queries", "keys", "d_v"]


def test_options_that_are_refused_together_are_not_asked_together_and_do_not_fail() -> None:
    claims = claims_of(RIGHT["torch_like"])
    assert {Feature.MASK, Feature.BIAS, Feature.CAUSAL} <= claims.implementation.supports
    assert Feature.COMBINED_MASKS not in claims.implementation.supports
    assert "a mask or causality, not both" in claims.refused["mask with causal"].words
    assert "attn_mask is given once" in claims.refused["mask with bias"].words


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_domain_is_learnt_from_refusals(domain: str) -> None:
    assert claimed(within(DOMAINS[domain], plain)).domain == DOMAINS[domain]


IN_A_DOMAIN = (
    "test_every_element_is_inside_the_derived_bound",
    "test_every_key_of_a_key_head_is_counted_once",
    "test_a_query_gets_the_value_of_the_key_that_it_asks_for",
)


@pytest.mark.parametrize("domain", DOMAINS)
def test_within_its_domain_a_right_kernel_passes_and_a_wrong_one_fails(domain: str) -> None:
    right, wrong = (verdicts_of(within(DOMAINS[domain], kernel), IN_A_DOMAIN) for kernel in (plain, last_key_twice))
    assert Verdict.PASS in right.values()
    assert {*right.values()} <= {Verdict.PASS, Verdict.UNSUPPORTED}
    assert Verdict.FAIL in wrong.values()


def test_equal_lengths_are_a_feature_that_is_not_claimed() -> None:
    right, wrong = same_lengths(plain), same_lengths(last_key_twice)
    assert Feature.LENGTHS not in claimed(right).supports
    assert {*verdicts_of(right, IN_A_DOMAIN).values()} == {Verdict.PASS}
    assert Verdict.FAIL in verdicts_of(wrong, IN_A_DOMAIN).values()


def test_a_call_that_is_refused_is_no_failure_and_a_law_that_is_refused_altogether_says_so() -> None:
    def not_seven(query: Any, key: Any, value: Any) -> Any:
        if key.shape[-2] == 7:
            raise ValueError("seven is not supported")
        return layer(query, key, value)

    def not_with_itself(query: Any, key: Any, value: Any) -> Any:
        if query.shape[-2] > 1 and np.array_equal(query, key):
            raise ValueError("not with itself")
        return layer(query, key, value)

    assert verdicts_of(not_seven, [IN_A_DOMAIN[0]]) == {IN_A_DOMAIN[0]: Verdict.PASS}
    law = LAWS["test_a_token_need_not_attend_most_to_itself"]
    outcome = hold(law, Subject(claimed(not_with_itself), "float32"), QUICK)
    assert outcome.verdict in {Verdict.UNSUPPORTED, Verdict.PASS}


def test_what_answers_nothing_claims_nothing() -> None:
    def broken(_query: Any, _key: Any, _value: Any) -> Any:
        raise ValueError("no kernel for this device")

    assert found_out(from_callable(broken, "mine", framework_for(broken, Arrays()))) is None


def test_finding_out_takes_less_than_two_seconds() -> None:
    # Of this process: what else runs on the machine does not count.
    start = process_time()
    claims_of(layer)
    assert process_time() - start < 2
