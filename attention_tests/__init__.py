"""Hold an implementation of self-attention against its specification."""

from attention_tests.declare.dialect import Alignment, Dialect, FullyMasked, Layout
from attention_tests.declare.domain import Domain
from attention_tests.declare.features import Feature, Step
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from attention_tests.pytest_plugin.conformance import conformance
from attention_tests.verification.verify import verify

__all__ = [
    "Alignment",
    "Dialect",
    "Domain",
    "Feature",
    "FullyMasked",
    "Implementation",
    "Layout",
    "Precision",
    "Step",
    "conformance",
    "verify",
]
