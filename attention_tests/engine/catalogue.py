"""The catalogue: every law, in the order of the document."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from attention_tests.engine.law import Law
from attention_tests.targets.registry import REGISTRY
from reference.document import CLAUSES


@cache
def all_laws() -> tuple[Law, ...]:
    """Return the laws in the order of the document's clauses, then of the files."""
    tests = [member for name in REGISTRY.laws for member in vars(import_module(name)).values()]
    laws = {member.law.name: member.law for member in tests if isinstance(getattr(member, "law", None), Law)}
    order = list(CLAUSES)
    return tuple(sorted(laws.values(), key=lambda law: order.index(law.clause.id)))
