"""Targets: from a name on the command line to an `Implementation`.

A name is one that the suite ships, one that an installed package registers, or `package.module:attribute`. Nothing here
calls a kernel: that is the business of `execution`, which this room may not import.
"""
