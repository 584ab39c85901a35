"""The surroundings of a run: where the suite's files lie, and what the processor is and can do.

It imports nothing of the project, and may be imported where NumPy is all that is installed.
"""
