"""Laws of self-attention, each one a pytest function that holds for every correct implementation.

Laws are the functions of the modules `test_*`, which import `drawing` (the problems), `checks` (the comparisons) and
`reference`, never one another and never an implementation.
"""

from pkgutil import iter_modules

LAWS = tuple(name for _, name, _ in iter_modules(__path__, f"{__name__}.") if ".test_" in name)
"""The modules of laws."""
_PLANS = ("options", "plans", "exact", "scatter", "few_keys", "memory", "histories", "gradients", "claims")
PLANS = tuple(f"{__name__}.drawing.{name}" for name in _PLANS)
"""The modules of plans: what a counterexample is written as."""
