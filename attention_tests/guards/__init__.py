"""Side effects that a kernel must not have.

Process-global state that a call leaves changed, calls that are forbidden, and answers that depend on being tested. A
guard wraps one call and knows neither laws nor verdicts: it imports only `declare` and the rooms below that.
"""
