from attention_tests.cli import main

raise SystemExit(main())
