"""The probe: what a callable does, found out by asking it, the laws that it breaks, and the declaration to copy.

`attention-tests probe TARGET` prints it. What is answered stays in the declaration, also where it is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from enum import StrEnum

from tabulate import tabulate

from attention_tests.claims.finding import Claims, found_out
from attention_tests.claims.words import said
from attention_tests.declare.dialect import Dialect, Layout
from attention_tests.declare.domain import Domain
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.law import Law
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.search import that_break
from attention_tests.execution.executor import Executor
from attention_tests.execution.in_process import LocalExecutor
from attention_tests.execution.subject import Subject
from attention_tests.frameworks.framework import DTYPES
from attention_tests.guards.warnings import unwarned


@dataclass(frozen=True)
class Probed:
    """The claims of a callable, in the arithmetic that it meets, and the laws that it breaks."""

    claims: Claims
    broken: dict[str, list[str]]
    """The dtypes at which a law is broken, by its name."""

    @property
    def declaration(self) -> Implementation:
        """The declaration that it makes by answering."""
        return self.claims.implementation

    def report(self) -> str:
        """Say what was found out, which laws are broken, and write the declaration to copy."""
        lines = [(law, ", ".join(dtypes)) for law, dtypes in self.broken.items()]
        broken = f"{tabulate(lines, headers=['breaks', 'at'])}\n\n" if lines else ""
        found = "\n".join(said(self.claims))
        return f"{found}\n\n{broken}{declared(self.declaration)}\n"


def probe(given: Implementation, executor: Executor | None = None) -> Probed | None:
    """Find out what an implementation answers, whatever it declares; None if it answers nothing at all.

    `executor` runs the implementation; None: this process does.
    """
    executor = executor or LocalExecutor(given)
    undeclared = {dtype: Precision.undeclared(dtype) for dtype in (given.dtypes if given.layouts else DTYPES)}
    layouts = given.layouts or tuple(Layout)
    claims = found_out(replace(given, supports=frozenset(Feature), dtypes=undeclared, layouts=layouts), executor)
    if claims is None:
        return None
    broken, met = dict[str, list[str]](), dict[str, Precision]()
    for dtype, promised in claims.implementation.dtypes.items():
        ladder = Precision.ladder(dtype)
        stricter = ladder[: ladder.index(promised)]
        laws = list(_broken(claims.implementation, dtype, promised, executor, all_laws()))
        kept = [law for law in all_laws() if law not in laws]
        met[dtype] = next(
            (one for one in stricter if not any(_broken(claims.implementation, dtype, one, executor, kept))), promised
        )
        for law in laws:
            broken.setdefault(law.name, []).append(dtype)
    return Probed(replace(claims, implementation=replace(claims.implementation, dtypes=met)), broken)


def _broken(
    claimed: Implementation, dtype: str, precision: Precision, executor: Executor, laws: Iterable[Law]
) -> Iterator[Law]:
    """Yield those of the laws that are broken in an arithmetic."""
    subject = Subject(replace(claimed, dtypes={dtype: precision}), dtype, executor)
    with unwarned():
        yield from (law for law in laws if not law.missing(subject) and any(that_break(law, subject, QUICK)))


def declared(implementation: Implementation) -> str:
    """Write what an implementation declares, as Python."""
    features = [f"        Feature.{feature.name}," for feature in Feature if feature in implementation.supports]
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
        f"    dialect=Dialect({_but_defaults(implementation.dialect, Dialect())}),",
        f"    domain=Domain({_but_defaults(implementation.domain, Domain())}),",
        ")",
    ]
    return "\n".join(lines)


def _but_defaults(declared: Dialect | Domain, plain: Dialect | Domain) -> str:
    told = {one.name: getattr(declared, one.name) for one in fields(declared)}
    return ", ".join(f"{name}={_as_code(word)}" for name, word in told.items() if word != getattr(plain, name))


def _constructor(precision: Precision, dtype: str) -> str:
    return f'{precision.name}("{dtype}")' if precision.name in {"flash", "eager", "pure"} else f"{precision.name}()"


def _as_code(word: object) -> str:
    return f"{type(word).__name__}.{word.name}" if isinstance(word, StrEnum) else repr(word)
