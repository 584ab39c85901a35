"""Reports: what a run leaves behind under `--report DIR`, for programs, for a CI system, and to look at.

A report is made of rows alone. This room knows no hooks of pytest; the plugin hands it the rows and writes its files.
"""
