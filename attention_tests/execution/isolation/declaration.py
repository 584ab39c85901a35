"""What an implementation declares, as plain data, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from attention_tests.declare.dialect import Dialect
from attention_tests.declare.features import Feature, Step
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision


def plain(implementation: Implementation) -> dict[str, Any]:
    """Write down what is declared."""
    return {
        "name": implementation.name,
        "steps": [step.value for step in implementation.steps],
        "supports": sorted(implementation.supports),
        "dtypes": {dtype: asdict(precision) for dtype, precision in implementation.dtypes.items()},
        "dialect": asdict(implementation.dialect),
        "without": sorted(implementation.without),
        "immutable": implementation.immutable,
        "places": dict(implementation.places),
        "target": implementation.target,
        "parameters": implementation.parameters and dict(implementation.parameters),
    }


def declared(record: Mapping[str, Any]) -> Implementation:
    """Make an implementation of what was declared, whose callables are elsewhere."""
    # The kind of a word of the dialect is that of its default.
    kinds: dict[str, Any] = {word.name: type(word.default) for word in fields(Dialect)}
    dialect = {name: kind(record["dialect"][name]) for name, kind in kinds.items()}
    steps: dict[str, Any] = {Step(step).value: _elsewhere for step in record["steps"]}
    return Implementation(
        name=record["name"],
        supports=frozenset(map(Feature, record["supports"])),
        dtypes={dtype: Precision(**precision) for dtype, precision in record["dtypes"].items()},
        dialect=Dialect(**dialect),
        without=frozenset(record["without"]),
        immutable=record["immutable"],
        places=record["places"],
        target=record["target"],
        parameters=record["parameters"],
        **steps,
    )


def _elsewhere(*_arguments: object, **_options: object) -> None:
    raise RuntimeError("this implementation runs in another process, and is called there")
