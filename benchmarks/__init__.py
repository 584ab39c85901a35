"""Measurements: commands that print or write numbers about the suite and about what it verifies."""

from attention_tests.environment.suite import use_one_thread
from attention_tests.pytest_plugin.registration import hand_in

# Before PyTorch is imported.
use_one_thread()
hand_in()
