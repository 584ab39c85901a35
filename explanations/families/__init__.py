"""Families of explanations, a module each."""
