"""The command: `attention-tests TARGET [pytest options]`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

USAGE = """\
usage: attention-tests TARGET [pytest options]

Hold an implementation of attention against its specification.

TARGET is one of
  {names}
or package.module:callable, any callable attention(query, key, value) over NumPy arrays (batch, heads, length, width),
or package.module:name of an attention_tests.Implementation.

  --profile quick|default|explore   how many problems each property is tried on
  --dtype DTYPE                     only this dtype (repeatable)
  --seed N                          draw other problems than the gate does
  -k softmax, -x, -n 2, ...         any option of pytest
"""

PACKAGE = Path(__file__).parent


def suite() -> Path:
    """Return the folder of the suite: inside the package where it was installed, around it in a checkout."""
    inside = PACKAGE / "suite"
    return inside if inside.is_dir() else PACKAGE.parent


def main(arguments: list[str] | None = None) -> int:
    """Run the command, and return its exit code: 0 all pass, 1 a property failed, 4 nothing could be verified."""
    target, *options = sys.argv[1:] if arguments is None else arguments or ["--help"]
    folder = suite()
    if target in ("-h", "--help"):
        sys.path.insert(0, str(folder))
        from implementations import names  # noqa: PLC0415 - found only once the suite is on the path

        sys.stdout.write(USAGE.format(names=", ".join(names())))
        return pytest.ExitCode.OK
    return pytest.main(
        [
            f"--rootdir={folder}",
            f"--config-file={folder / 'pyproject.toml'}",
            "-p",
            "no:cacheprovider",
            f"--target={target}",
            *options,
            str(folder / "properties"),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
