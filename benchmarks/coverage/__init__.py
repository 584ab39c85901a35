"""Coverage: what an implementation is asked, counted from the calls that arrive there.

    python -m benchmarks.coverage TARGET [--dtype float32] [--profile default]

holds a target against every law that applies, and prints how often each class of each factor was asked (`factors`), and
which of the pairs and triples that are required (`required`) never were. It ends with 1 where there is one.
"""
