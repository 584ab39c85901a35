"""Explanations: wrong attentions, each a sentence and what a kernel that computes it would answer.

An explanation that predicts every answer of an implementation, the right ones too, is the diagnosis of its failures.
"""

from explanations.diagnose import diagnose

__all__ = ["diagnose"]
