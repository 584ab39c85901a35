"""Attention of Keras, as an operation and as layers, on each of its backends."""
