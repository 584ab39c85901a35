"""Signatures that people have: what the parameters of a callable mean, by the convention that their names are of."""
