"""The laws of self-attention, each one a pytest function that holds for every correct implementation."""
