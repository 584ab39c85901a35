"""Documents that are made of the code, each by a command, and the tests that they are up to date."""

from attention_tests.environment.suite import use_one_thread
from attention_tests.pytest_plugin.registration import hand_in

use_one_thread()
hand_in()
