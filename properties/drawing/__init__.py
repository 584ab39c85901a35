"""Drawing: the problems that laws are held on, as plans that Hypothesis draws and as arrays that plans build.

It knows no implementation and compares nothing.
"""
