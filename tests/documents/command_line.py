"""The reference of the command line, docs/reference/command-line.md, made of the options as they are declared.

python -m tests.documents.command_line
"""

from __future__ import annotations

import sys
from typing import Any

from tabulate import tabulate

from attention_tests import cli
from attention_tests.environment.suite import FOLDER
from attention_tests.pytest_plugin import options

PAGE = FOLDER / "docs" / "reference" / "command-line.md"
TEXT = """# Command line

Made by `make docs`.

    attention-tests TARGET... [options] [any option of pytest]
    attention-tests probe TARGET

A target is {targets}. Targets stand first.

{options}

Options of pytest are passed on to it: `-k softmax`, `-x`, `-n 2`, `--junitxml=FILE` and others.
`attention-tests --help` lists the known targets.

| exit code | |
|--:|---|
| 0 | every law passed, or did what was expected of it |
| 1 | one did not, or fewer laws got a verdict than are expected |
| 4 | nothing could be verified: one sentence says why |
"""


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")
    return 0


def page() -> str:
    """Return the page."""
    rows: list[tuple[str, str]] = []

    def add(flag: str, *, default: object = None, metavar: str = "", **declared: Any) -> None:
        value = metavar or " or ".join(declared.get("choices", ()))
        flags = f"{flag}, --no-{flag[2:]}" if flag == "--isolate" else flag
        rows.append(
            (
                f"`{flags} {value}`" if value else f"`{flags}`",
                _filled(declared["help"], default),
            )
        )

    options.declare(add)
    table = tabulate(rows, headers=["option", "is"], tablefmt="github", disable_numparse=True)
    return TEXT.format(targets=" ".join(cli.TARGET.split()), options=table)


def _filled(text: str, default: object) -> str:
    return text % {"default": default}


if __name__ == "__main__":
    sys.exit(main())
