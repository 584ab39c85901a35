"""A plugin that takes away the private names of other packages that the suite uses, as a later version of them may."""

from __future__ import annotations

from attention_tests.engine import drawing
from attention_tests.pytest_plugin import portions

GONE = "a_name_that_is_gone"


def pytest_configure() -> None:
    """Take them away in a run that asked for this plugin."""
    drawing.READ = portions.SCOPE = GONE
