"""Expectations: the failures that are known, the problems that are tried first, and the laws that must get a verdict.

It imports the engine, and is imported by reports and by the plugin. It knows no hooks of pytest.
"""
