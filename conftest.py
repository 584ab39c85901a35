import os

# One thread, unless the caller asks for more: how many there are decides how sums are split, and so the bits of an
# answer; and the threads of two workers of pytest-xdist would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = ["attention_tests.plugin"]
