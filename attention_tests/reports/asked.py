"""A summary of what each implementation was asked, counted from the calls of all rows of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from attention_tests.declare.features import Step
from attention_tests.engine.row import Row
from attention_tests.execution.calls import Calls
from attention_tests.execution.signatures import Signature
from attention_tests.reports.tables import in_order

INPUTS = "query", "key", "value"


class _Sizes(NamedTuple):
    """The sizes of a call: batch × heads of its queries, those of a key head, lengths and widths."""

    rows: int
    group: int
    queries: int
    keys: int
    d_k: int
    d_v: int


def asked_table(rows: Sequence[Row]) -> str:
    """Return what each implementation was asked, each under its name; empty where nothing was."""
    told = {name: asked_of(rows, name) for name in in_order(row.implementation for row in rows)}
    return "\n".join(line for name, lines in told.items() if lines for line in [name, *(f"  {one}" for one in lines)])


def asked_of(rows: Iterable[Row], implementation: str) -> list[str]:
    """Return what an implementation was asked, in a few lines; none where there was no call."""
    own = [row.calls for row in rows if row.implementation == implementation]
    count = sum(calls.count for calls in own)
    if not count:
        return []
    signatures = {(calls.layout, signature) for calls in own for signature in calls.signatures}
    placements = sorted({placement for calls in own for placement in calls.placements})
    return [
        f"calls: {count:,}, of {len(signatures):,} distinct signatures",
        *_of_step(Step.ATTENTION, signatures),
        *([f"memory: contiguous, {', '.join(placements)}"] if placements else []),
        *(f"gradients: {line}" for line in _of_step(Step.GRADIENT, signatures)),
        *_refused(own),
    ]


def _refused(calls: Iterable[Calls]) -> Iterator[str]:
    """Yield what a bare callable refused, a line for each step and options."""
    first, counts = dict[str, str](), Counter[str]()
    for call, refusals in (one for each in calls for one in each.refused.items()):
        first.setdefault(call, refusals.words)
        counts[call] += refusals.times
    yield from (f"refused {call}, {counts[call]:,} times: {words}" for call, words in first.items())


def _of_step(step: Step, signatures: Iterable[tuple[str, Signature]]) -> Iterator[str]:
    own = [(layout, signature) for layout, signature in signatures if signature.step == step]
    sizes = [sizes for layout, signature in own if (sizes := _sizes(layout, signature))]
    if not sizes:
        return
    rows, groups, queries, keys, d_k, d_v = zip(*sizes, strict=True)
    yield f"keys {_range(keys)}; queries {_range(queries)}; widths {_range(d_k)} (keys), {_range(d_v)} (values)"
    grouped = f"; up to {max(groups)} query heads for a key head" if max(groups) > 1 else ""
    yield f"batch × heads up to {max(rows):,}{grouped}"
    options = sorted({name for _, signature in own for name, _ in signature.options})
    yield f"options: {', '.join(options) or 'none'}"


def _sizes(layout: str, signature: Signature) -> _Sizes | None:
    """Return the sizes of a call of attention or of its gradient; None where its inputs have not the axes of it."""
    shapes = [shape for shape in signature.arguments[:3] if isinstance(shape, tuple) and len(shape) == len(layout)]
    if len(shapes) < len(INPUTS):
        return None
    query, key, value = ({"B": 1, "H": 1} | dict(zip(layout, shape, strict=True)) for shape in shapes)
    return _Sizes(
        rows=query["B"] * query["H"],
        group=query["H"] // max(1, key["H"]),
        queries=query["L"],
        keys=key["L"],
        d_k=key["D"],
        d_v=value["D"],
    )


def _range(sizes: Iterable[int]) -> str:
    least, most = min(sizes), max(sizes)
    return f"{least:,}…{most:,}" if most > least else f"{most:,}"
