"""Validation of a declaration, before any of it is believed.

Not with msgspec: it looks at no object that is made already, and says what is wrong but not what to give instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields

from attention_tests.declare.dialect import Dialect
from attention_tests.declare.features import Feature, Step
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from attention_tests.text.wording import article, unknown
from reference.bounds.formats import FORMATS

DTYPES = ("float64", "float32", "float16", "bfloat16")
LONGEST_NAME = 200
FORMATS_OF_A_PRECISION = ("accumulate", "scores", "weights", "inputs", "prescale")


def problems_of(implementation: Implementation) -> Iterator[str]:
    """Say what is wrong with the declarations, a sentence each."""
    yield from _name(implementation.name)
    yield from _callables(implementation)
    yield from _words(implementation)
    dtypes: object = implementation.dtypes
    if not isinstance(dtypes, Mapping) or not dtypes:
        yield 'dtypes must map the names of dtypes to Precisions, as in {"float32": Precision.float32()}'
        return
    for dtype, precision in dtypes.items():
        if dtype not in DTYPES:
            yield f"dtypes: {unknown(str(dtype), DTYPES)}"
        yield from _precision(dtype, precision)


def _name(name: object) -> Iterator[str]:
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
        yield f"name is {str(name)[:LONGEST_NAME]!r}: give one to {LONGEST_NAME} characters that can be seen"


def _callables(implementation: Implementation) -> Iterator[str]:
    if not implementation.steps:
        yield f"there is nothing to verify: give the Implementation one of {', '.join(Step)}"
    for name in [*implementation.steps, "to_native", "to_numpy"]:
        member = getattr(implementation, name)
        if not callable(member):
            yield f"{name} is {article(type(member).__name__)}, which cannot be called: give a function"


def _words(implementation: Implementation) -> Iterator[str]:
    for feature in implementation.supports:
        if feature not in set(Feature):
            yield f"supports: {unknown(str(feature), Feature)}"
    if implementation.compiled and implementation.cache is not None:
        yield "compiled=True limits what is compiled, which a cache that grows does not: declare the cache without it"
    without: object = implementation.without
    if isinstance(without, str) or not isinstance(without, Collection):
        yield 'without must be a set of names of packages, as in frozenset({"torch"})'
    places: object = implementation.places
    if not isinstance(places, Mapping):
        yield 'places must say where callables are written, as in {"attention": "csrc/flash.cu:120"}'
    if not isinstance(implementation.dialect, Dialect):
        yield f"dialect is {article(type(implementation.dialect).__name__)}: give a Dialect"
        return
    for field in fields(Dialect):
        word, kind = getattr(implementation.dialect, field.name), type(field.default)
        if not isinstance(word, kind):
            yield f"dialect: {field.name}={word!r} is no {kind.__name__}: give one of {kind.__module__}.{kind.__name__}"
    if implementation.dialect.causal_windows and Feature.CAUSAL not in implementation.supports:
        yield "dialect: causal_windows=True asks for windows with causal=True: add Feature.CAUSAL to supports"


def _precision(dtype: str, precision: object) -> Iterator[str]:
    if not isinstance(precision, Precision):
        yield f"dtypes: {dtype} promises {article(type(precision).__name__)}: give a Precision"
        return
    for field in fields(precision):
        format_ = getattr(precision, field.name)
        if field.name in FORMATS_OF_A_PRECISION and format_ is not None and format_ not in FORMATS:
            yield f"dtypes: the Precision {precision.name!r} has {field.name}={unknown(str(format_), FORMATS)}"
    merges: object = precision.merges
    if not isinstance(merges, int) or merges < 0:
        yield f"dtypes: the Precision {precision.name!r} has merges={merges!r}: give how many there may be, from 0 on"
