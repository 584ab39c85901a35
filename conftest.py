from attention_tests.environment.suite import use_one_thread

use_one_thread()

pytest_plugins = ["attention_tests.pytest_plugin.plugin"]
