import os

# As in conftest.py: what is measured is one core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
