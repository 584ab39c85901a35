"""The engine: the only place that reaches a verdict.

A law, the problems it is tried on, the search for one that breaks it, and shrinking. It knows nothing of pytest, of
what is expected of a run, or of reports: those rooms import this one.
"""
