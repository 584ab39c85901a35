"""Execution: where a kernel runs, and how arrays get there and back.

An executor makes native arrays, calls the kernel and reads its answers, in this process or in a process of its own
(`isolation`). It says what went wrong (`failures`) and knows no laws: nothing of `engine` or above may be imported.
"""
