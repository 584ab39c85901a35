"""What an implementation declares, as plain data, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from attention_tests.implementation import Alignment, Dialect, Feature, Implementation, Layout, Step, Unseeing
from attention_tests.precision import Precision


def plain(implementation: Implementation) -> dict[str, Any]:
    """Write down what is declared."""
    return {
        "name": implementation.name,
        "steps": [step.value for step in Step if implementation.exposes(step)],
        "supports": sorted(implementation.supports),
        "dtypes": {dtype: asdict(precision) for dtype, precision in implementation.dtypes.items()},
        "dialect": asdict(implementation.dialect),
        "places": dict(implementation.places),
    }


def declared(record: Mapping[str, Any]) -> Implementation:
    """Make an implementation of what was declared, whose callables are elsewhere."""
    dialect = record["dialect"]
    steps: dict[str, Any] = {Step(step).value: _elsewhere for step in record["steps"]}
    return Implementation(
        name=record["name"],
        supports=frozenset(map(Feature, record["supports"])),
        dtypes={dtype: Precision(**precision) for dtype, precision in record["dtypes"].items()},
        dialect=Dialect(
            layout=Layout(dialect["layout"]),
            alignment=Alignment(dialect["alignment"]),
            true_hides=dialect["true_hides"],
            unseeing=Unseeing(dialect["unseeing"]),
            projected=dialect["projected"],
            projected=dialect["projected"],
        ),
        places=dict(record["places"]),
        **steps,
    )


def _elsewhere(*_arguments: object, **_options: object) -> None:
    raise RuntimeError("this implementation runs in another process, and is called there")
