from attention_tests.suite import use_one_thread

use_one_thread()
