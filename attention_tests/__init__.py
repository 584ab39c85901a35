"""Hold an implementation of self-attention against its specification."""

from attention_tests.implementation import (
    Alignment,
    Dialect,
    Feature,
    Implementation,
    Layout,
    Precision,
    Step,
    Unseeing,
)

__all__ = ["Alignment", "Dialect", "Feature", "Implementation", "Layout", "Precision", "Step", "Unseeing"]
