"""Bounds: how far a correct answer may stray from the exact one, derived from the arithmetic that is declared.

Each module holds one inequality. Like all of `reference`, it imports nothing else of the project.
"""
