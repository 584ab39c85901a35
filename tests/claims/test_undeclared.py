"""Calls that are not declared, and answered wrongly, are said; those outside of a domain are not made."""

from __future__ import annotations

from typing import Any

import pytest

from attention_tests import Dialect, Domain, Feature, Implementation, Layout
from attention_tests.claims.undeclared import undeclared
from tests.support import bare

DOMAINS = bare.DOMAINS | {
    "one batch, three heads": Domain(batches=frozenset({1}), heads=frozenset({3})),
    "queries and keys a multiple of 32": Domain(query_multiple=32, key_multiple=32),
}


def declared(kernel: bare.Kernel, domain: Domain) -> Implementation:
    return Implementation(name="mine", attention=kernel, supports=frozenset({Feature.HEADS}), domain=domain)


@pytest.mark.parametrize("domain", DOMAINS)
def test_nothing_is_asked_outside_of_the_domain(domain: str) -> None:
    assert not undeclared(declared(bare.within(DOMAINS[domain], bare.plain), DOMAINS[domain]))


def test_a_wrong_answer_to_what_is_not_declared_is_said() -> None:
    def ignores_causality(query: Any, key: Any, value: Any, *, causal: bool = False) -> Any:  # noqa: ARG001
        return bare.plain(query, key, value)

    (sentence,) = undeclared(declared(ignores_causality, Domain(widths=frozenset({64}))))
    assert "does not declare `causal`, and answers a call with `causal`, wrongly" in sentence


@pytest.mark.parametrize("supports", [frozenset(), frozenset({Feature.HEADS})], ids=["one head", "heads"])
@pytest.mark.parametrize(
    ("kernel", "layout"),
    [
        (bare.one_head, Layout.LENGTH_WIDTH),
        (bare.heads_first, Layout.HEAD_LENGTH_WIDTH),
        (bare.tokens_first, Layout.LENGTH_HEAD_WIDTH),
    ],
)
def test_nothing_is_asked_along_axes_that_there_are_none_of(
    kernel: bare.Kernel, layout: Layout, supports: frozenset[Feature]
) -> None:
    implementation = Implementation(name="mine", attention=kernel, supports=supports, dialect=Dialect(layout=layout))
    assert not undeclared(implementation)
