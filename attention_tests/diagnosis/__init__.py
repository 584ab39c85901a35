"""Failures in short: what an implementation computes instead, and the one counterexample that is shown.

This room imports the reproducers, the engine and the rooms below it, never expectations or reports.
"""
