"""Frameworks: how the arrays of a library are made and read, for a callable that says no more than that it takes them.

Each library has a module that imports it, which happens only when a target needs it.
"""
