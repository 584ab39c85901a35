"""Attention of PyTorch: its operators, fused kernels, layers, flex attention, and compiled functions."""
