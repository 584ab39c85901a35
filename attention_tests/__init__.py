"""Hold an implementation of self-attention against its specification."""

from attention_tests.implementation import (
    Alignment,
    Dialect,
    Feature,
    Implementation,
    Layout,
    Step,
    Unseeing,
)
from attention_tests.one_line import conformance
from attention_tests.precision import Precision

__all__ = [
    "Alignment",
    "Dialect",
    "Feature",
    "Implementation",
    "Layout",
    "Precision",
    "Step",
    "Unseeing",
    "conformance",
]
