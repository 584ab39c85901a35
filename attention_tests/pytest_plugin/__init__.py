"""The pytest plugin: the only place with hooks of pytest, and with the state of one run.

It brings together what the rooms below it offer: targets, laws, expectations and reports. Only the command line imports
it, and `attention_tests` itself for `conformance`.
"""
