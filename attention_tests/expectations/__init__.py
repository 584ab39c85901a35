"""What a project expects of a run: failures that are known, problems that are tried first, and how much is decided."""
