"""The definition on Arb balls: attention and its gradient with certified error bounds, to prove the oracle with.

Only tests import it: it needs python-flint.
"""
