"""Kernels on a GPU, verified by the command as anyone's are: `make gpu`."""
