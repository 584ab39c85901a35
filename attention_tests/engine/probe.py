"""The probe: what a callable does, found out by the laws under every declaration that it could make.

`attention-tests probe TARGET` prints it, and the declaration to copy. Nothing is guessed from a name or a signature: a
feature is supported if every law that needs it holds, in one of the dialects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from itertools import product

from tabulate import tabulate

from attention_tests.declare.dialect import Alignment, Dialect, FullyMasked, Layout
from attention_tests.declare.features import Feature, Step
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.law import Law
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.search import that_break
from attention_tests.execution.executor import Executor
from attention_tests.execution.in_process import LocalExecutor
from attention_tests.execution.subject import Subject
from attention_tests.guards.warnings import unwarned

DTYPES = ("float64", "float32", "bfloat16", "float16")

ORDER = (
    Feature.LENGTHS,
    Feature.VALUE_WIDTH,
    Feature.HEADS,
    Feature.SCALE,
    Feature.GROUPED_HEADS,
    Feature.MASK,
    Feature.BIAS,
    Feature.CAUSAL,
    Feature.WINDOW,
    Feature.COMBINED_MASKS,
    Feature.NON_FINITE,
    Feature.SOFTCAP,
    Feature.LOG_SUM_EXP,
    Feature.DROPOUT,
    Feature.EMPTY,
    Feature.THREADS,
)
"""Features in an order in which those that others build on come first."""


@dataclass
class Probed:
    """A declaration that holds, and why it is no larger."""

    declaration: Implementation
    broken: dict[Feature, list[str]] = field(default_factory=dict)
    """For each feature that is not supported, the laws that it broke in the dialect that broke the fewest."""

    def report(self) -> str:
        """Say what was found, feature by feature, and write the declaration to copy."""
        lines = [(feature, *self._found(feature)) for feature in ORDER]
        return f"{tabulate(lines, headers=['feature', 'supported', 'breaks'])}\n\n{declared(self.declaration)}\n"

    def _found(self, feature: Feature) -> tuple[str, str]:
        if feature in self.declaration.supports:
            return "yes", ""
        first, *more = self.broken[feature] or ["(no law applies without what it builds on)"]
        return "no", first + (f" and {len(more)} more" if more else "")


def declared(implementation: Implementation) -> str:
    """Write what an implementation declares, as Python."""
    dialect = implementation.dialect
    conventions = {one.name: getattr(dialect, one.name) for one in fields(Dialect)}
    told = [f"{name}={_as_code(word)}" for name, word in conventions.items() if word != getattr(Dialect(), name)]
    features = [f"        Feature.{feature.name}," for feature in ORDER if feature in implementation.supports]
    dtypes = [
        f'        "{dtype}": Precision.{_constructor(precision, dtype)},'
        for dtype, precision in implementation.dtypes.items()
    ]
    lines = [
        "Implementation(",
        f"    name={implementation.name!r},",
        "    attention=...,",
        "    supports=frozenset({",
        *features,
        "    }),",
        "    dtypes={",
        *dtypes,
        "    },",
        f"    dialect=Dialect({', '.join(told)}),",
        ")",
    ]
    return "\n".join(lines)


def _constructor(precision: Precision, dtype: str) -> str:
    return f'{precision.name}("{dtype}")' if precision.name in {"flash", "eager", "pure"} else f"{precision.name}()"


def _as_code(word: object) -> str:
    return f"{type(word).__name__}.{word.name}" if isinstance(word, StrEnum) else repr(word)


def probe(given: Implementation, executor: Executor | None = None) -> Probed | None:
    """Find the largest declaration under which no law of the whole function is broken; None if there is none at all.

    `executor` runs the implementation; None: this process does.
    """
    executor = executor or LocalExecutor(given)
    plain = next(_plain(given, executor), None)
    if plain is None:
        return None
    probed = Probed(plain)
    for feature in ORDER:
        _try(probed, feature, executor)
    return probed


def _plain(given: Implementation, executor: Executor) -> Iterator[Implementation]:
    """Yield the layouts in which plain attention comes out, with the dtypes and the precisions that it meets."""
    for layout in Layout:
        bare = replace(given, supports=frozenset(), dialect=Dialect(layout=layout))
        dtypes = {dtype: met for dtype in DTYPES if (met := strictest_met(bare, dtype, executor))}
        if dtypes:
            yield replace(bare, dtypes=dtypes)


def strictest_met(implementation: Implementation, dtype: str, executor: Executor) -> Precision | None:
    """Return the strictest usual precision that every plain law holds under."""
    for precision in Precision.ladder(dtype):
        candidate = replace(implementation, dtypes={dtype: precision})
        if next(_broken(candidate, laws_for(frozenset()), executor), None) is None:
            return precision
    return None


def _try(probed: Probed, feature: Feature, executor: Executor) -> None:
    known = probed.declaration.supports
    laws = [law for law in laws_for(known | {feature}) if feature in law.features]
    tried = [replace(probed.declaration, supports=known | {feature}, dialect=one) for one in _dialects(probed, feature)]
    broken = [(list(_broken(candidate, laws, executor)), candidate) for candidate in tried]
    fewest, best = min(broken, key=lambda one: len(one[0]))
    if fewest or not laws:
        probed.broken[feature] = fewest
    else:
        probed.declaration = best


def _dialects(probed: Probed, feature: Feature) -> Iterator[Dialect]:
    """Yield the dialects that a feature can be of, the declared one first, where it is not known yet."""
    dialect, known = probed.declaration.dialect, probed.declaration.supports
    if feature is Feature.MASK:
        for true_hides, fully_masked in product((False, True), FullyMasked):
            yield replace(dialect, true_hides=true_hides, fully_masked=fully_masked)
    elif (feature is Feature.CAUSAL) or (feature is Feature.WINDOW and Feature.CAUSAL not in known):
        for alignment, fully_masked in product(
            Alignment, (dialect.fully_masked,) if Feature.MASK in known else FullyMasked
        ):
            yield replace(dialect, alignment=alignment, fully_masked=fully_masked)
    elif feature is Feature.WINDOW:
        yield dialect
        yield replace(dialect, causal_windows=True)
    else:
        yield dialect


def laws_for(features: frozenset[Feature]) -> list[Law]:
    """Return the laws of the whole function that need no other features; none of them measures time."""
    return [
        law
        for law in all_laws()
        if law.steps == (Step.ATTENTION,)
        and set(law.features) <= features | {Feature.MUTABLE}
        and (not law.any_of or law.any_of & features)
        and law.clause.id != "matrix-is-faster"
    ]


def _broken(implementation: Implementation, laws: Sequence[Law], executor: Executor) -> Iterator[str]:
    """Yield the names of the laws that are broken at any of the dtypes."""
    subjects = [Subject(implementation, dtype, executor) for dtype in implementation.dtypes]
    return (law.name for law in laws if any(_breaks(law, subject) for subject in subjects))


def _breaks(law: Law, subject: Subject) -> bool:
    # Whether arrays can be written is not found out by trying.
    immutable = Feature.MUTABLE in law.features and subject.implementation.immutable
    with unwarned():
        return not immutable and any(that_break(law, subject, QUICK))
