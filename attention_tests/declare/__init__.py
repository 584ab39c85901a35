"""Declarations: what an implementation says about itself, and whether that makes sense.

A plug-in imports this room where the suite's own packages cannot be imported. So of the project it imports the wording
of messages and, only to check a declaration, the reference.
"""
