"""Verification from Python: one call that returns what the command would print."""
