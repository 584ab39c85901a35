from attention_tests.suite import use_one_thread

use_one_thread()

pytest_plugins = ["attention_tests.plugin"]
