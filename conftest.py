pytest_plugins = ["attention_tests.plugin"]
