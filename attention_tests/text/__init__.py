"""Words of messages and source text of values: wording, and NumPy literals that give the same bits.

The lowest room: it imports nothing of the project.
"""
