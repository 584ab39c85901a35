"""Every law there is, found in the modules of `properties`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from attention_tests.law import Law
from reference.document import CLAUSES


@cache
def all_laws() -> tuple[Law, ...]:
    """Return the laws in the order of the document's clauses, then of the files."""
    properties = importlib.import_module("properties")
    names = (name for _, name, _ in pkgutil.iter_modules(properties.__path__, "properties.") if ".test_" in name)
    tests = [member for name in names for member in vars(importlib.import_module(name)).values()]
    laws = {member.law.name: member.law for member in tests if isinstance(getattr(member, "law", None), Law)}
    order = list(CLAUSES)
    return tuple(sorted(laws.values(), key=lambda law: order.index(law.clause.id)))
