"""Hold an implementation of self-attention against its specification."""

from attention_tests.implementation import Dialect, Feature, Implementation, Layout, Precision, Step

__all__ = ["Dialect", "Feature", "Implementation", "Layout", "Precision", "Step"]
