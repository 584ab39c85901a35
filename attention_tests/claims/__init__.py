"""Claims: what a bare callable answers, it claims; what it raises on, it refuses.

Nothing here decides about right and wrong: what is claimed is held against every law that is about it.
"""
