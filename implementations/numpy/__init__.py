"""Attention in NumPy, written by the suite itself."""
