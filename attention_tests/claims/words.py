"""The lines that say what was found out about a bare callable: its answers, its dialect, and its refusals."""

from __future__ import annotations

from collections.abc import Iterator

from attention_tests.claims.asking import Refusal
from attention_tests.claims.finding import Claims
from attention_tests.declare.dialect import Alignment, Dialect, FullyMasked, Layout
from attention_tests.declare.domain import Domain
from attention_tests.declare.features import Feature, Step
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from attention_tests.declare.signature import OPTIONS

LAYOUTS = {
    Layout.BATCH_HEAD_LENGTH_WIDTH: "(batch, heads, length, width)",
    Layout.BATCH_LENGTH_HEAD_WIDTH: "(batch, length, heads, width)",
    Layout.LENGTH_WIDTH: "(length, width)",
    Layout.HEAD_LENGTH_WIDTH: "(heads, length, width)",
    Layout.LENGTH_HEAD_WIDTH: "(length, heads, width)",
}
ALIGNMENTS = {
    Alignment.TOP_LEFT: "top-left: the first query stands at the first key, as with PyTorch's is_causal",
    Alignment.BOTTOM_RIGHT: "bottom-right: the last query stands at the last key, as with flash-attention's causal",
}
FULLY_MASKED = {FullyMasked.ZEROS: "zeros", FullyMasked.NAN: "NaN", FullyMasked.MEAN: "the mean of the values"}
SHAPES = {
    Feature.HEADS: "many batches and heads",
    Feature.LENGTHS: "as many queries as keys, or not",
    Feature.VALUE_WIDTH: "values as wide as keys, or not",
    Feature.GROUPED_HEADS: "grouped heads",
    Feature.EMPTY: "sizes of zero",
}
UNASKED = (Feature.NON_FINITE, Feature.THREADS)
"""Features that no single call shows: they are verified of an `Implementation` that declares them."""


def said(claims: Claims) -> list[str]:
    """Return the lines that say what was found out."""
    implementation = claims.implementation
    dialect, supports = implementation.dialect, implementation.supports
    options = [name for name, feature in OPTIONS.items() if feature in supports]
    dtypes = [f"{dtype}{_inside(promised)}" for dtype, promised in implementation.dtypes.items()]
    gradients = "; gradients" if Step.GRADIENT in implementation.steps else ""
    return [
        f"answers {', '.join(dtypes)} in the layout {LAYOUTS[dialect.layout]}{gradients}",
        f"answers {', '.join(_shapes(implementation)) or 'one head'}",
        f"answers {', '.join(options) or 'no option'}{_together(implementation)}",
        *_domain(implementation.domain),
        *_dialect(dialect, supports),
        *(
            f"no convention explains what is answered of {what}: the laws ask for the usual"
            for what in claims.unexplained
        ),
        *(_refused(kind, refusal) for kind, refusal in claims.refused.items()),
        f"not asked, for no single call shows it: {', '.join(UNASKED)} (an Implementation may declare it)",
    ]


def _shapes(implementation: Implementation) -> Iterator[str]:
    for feature, words in SHAPES.items():
        if feature in implementation.supports:
            batches = feature is not Feature.HEADS or implementation.dialect.layout.has("B")
            yield words if batches else "many heads"


def _inside(promised: Precision) -> str:
    return " (float32 inside)" if promised == Precision.single() else ""


def _refused(kind: str, refusal: Refusal) -> str:
    each = f" ({', '.join(refusal.of)})" if refusal.of else ""
    return f"refuses {kind}{each}: {refusal.words}"


def _together(implementation: Implementation) -> str:
    return "; and those that hide keys together" if Feature.COMBINED_MASKS in implementation.supports else ""


def _domain(domain: Domain) -> Iterator[str]:
    told = {
        "widths": domain.widths,
        "widths of values": domain.value_widths,
        "batches": domain.batches,
        "key heads": domain.heads,
        "query heads for each key head": domain.groups,
    }
    limits = [f"{name} {', '.join(map(str, sorted(sizes)))}" for name, sizes in told.items() if sizes is not None]
    multiples = {"queries": domain.query_multiple, "keys": domain.key_multiple}
    limits += [f"{name} a multiple of {multiple}" for name, multiple in multiples.items() if multiple > 1]
    limits += [] if domain.more_queries else ["no more queries than keys"]
    limits += [] if domain.longest is None else [f"lengths up to {domain.longest}"]
    if limits:
        yield f"in a domain: {'; '.join(limits)}"


def _dialect(dialect: Dialect, supports: frozenset[Feature]) -> Iterator[str]:
    if Feature.MASK in supports:
        yield f"masks: True {'hides a key' if dialect.true_hides else 'lets a query attend to a key'}"
    if supports & {Feature.MASK, Feature.BIAS}:
        yield f"a query that sees no key gets {FULLY_MASKED[dialect.fully_masked]}"
    if dialect.no_keys:
        yield f"a query gets {FULLY_MASKED[dialect.no_keys]} where there are no keys"
    if supports & {Feature.CAUSAL, Feature.WINDOW} and Feature.LENGTHS in supports:
        yield f"causal: aligned {ALIGNMENTS[dialect.alignment]}"
