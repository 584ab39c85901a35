"""What a run leaves behind under `--report DIR`: for programs, for a CI system, for its job summary, and to look at."""
