"""Checks: how an answer is compared with the oracle, with another answer, or with zero.

A comparison is exact or uses the derived bound; there is no third way.
"""
