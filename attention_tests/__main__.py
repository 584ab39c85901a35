"""The command: `attention-tests TARGET... [pytest options]`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from itertools import takewhile
from pathlib import Path
from textwrap import fill

import pytest

from attention_tests.environment import suite

USAGE = """\
usage: attention-tests TARGET... [pytest options]
       attention-tests probe TARGET

Hold an implementation of attention against its specification, or find out what it does and print the declaration.

TARGET is one of
{names}
or field, all of these whose libraries are installed here, each in a process of its own,
or package.module:callable, any callable attention(query, key, value) over NumPy arrays (batch, heads, length, width),
or package.module:name of an attention_tests.Implementation.

  --profile quick|default|explore   how many problems each property is tried on
  --dtype DTYPE                     only this dtype (repeatable)
  --seed N                          draw other problems than the gate does
  --profile explore --budget 10m    draw new problems at random, for ten minutes; --database PLACE keeps what is found
  --expectations FILE               what is known to fail, and how much is to be decided (default: attention-tests.toml)
  --update-expectations             write that file
  -k softmax, -x, -n 2, ...         any option of pytest
  --version                         print the version

exit code: 0 every property passed, 1 one did not, 4 nothing could be verified
"""

FOR_OTHER_TESTS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
"""Variables that are not read: what leaves out or shuffles somebody's tests must not do so to laws."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command, and return its exit code: 0 all pass, 1 a property failed, 4 nothing could be verified."""
    arguments = sys.argv[1:] if arguments is None else arguments
    targets = list(takewhile(lambda argument: not argument.startswith("-"), arguments))
    if not arguments or {"-h", "--help"} & set(arguments):
        return _say(_usage())
    if arguments == ["--version"]:
        return _say(f"attention-tests {suite.version()}\n")
    if not targets:
        return _refuse(f"name a target first, then the options: attention-tests numpy {' '.join(arguments)}")
    for clash in _clashes():
        return _refuse(clash)
    if targets[0] == "probe":
        return _probe(targets[1:])
    return _verify(targets, arguments[len(targets) :])


def _verify(targets: list[str], options: list[str]) -> int:
    for name in FOR_OTHER_TESTS:
        os.environ.pop(name, None)
    return pytest.main(
        [
            # The caller's folder is the root, so that tests are named without the way to the suite.
            f"--rootdir={Path.cwd()}",
            f"--config-file={suite.CONFIGURATION}",
            "--no-header",
            "--show-capture=no",
            # The properties hold no assert statement: rewriting them is a second of nothing.
            "--assert=plain",
            # Likewise for plugins that happen to be installed; any can be named with -p.
            "--disable-plugin-autoload",
            "-pxdist",
            "-pno:cacheprovider",
            *(f"--target={target}" for target in targets),
            *options,
            str(suite.FOLDER / "properties"),
        ]
    )


def _probe(targets: list[str]) -> int:
    sys.path.insert(0, str(suite.FOLDER))
    suite.use_one_thread()
    from attention_tests.engine.probe import probe  # noqa: PLC0415 - finds the suite only once it is on the path
    from attention_tests.execution.isolation import Isolation  # noqa: PLC0415 - likewise
    from attention_tests.pytest_plugin.registration import hand_in  # noqa: PLC0415 - likewise
    from attention_tests.text.wording import BadTarget  # noqa: PLC0415 - likewise

    hand_in()
    if len(targets) != 1:
        return _refuse("probe one target: attention-tests probe package.module:callable")
    try:
        probed = probe(*Isolation().bring(targets[0]))
    except BadTarget as error:
        return _refuse(str(error))
    if probed is None:
        return _refuse(
            f"{targets[0]}: plain attention comes out in no layout; attention-tests {targets[0]} says how not"
        )
    return _say(probed.report())


def _clashes() -> Iterator[str]:
    for name in suite.PACKAGES:
        found = PathFinder.find_spec(name, [str(Path.cwd())])
        # A folder without __init__.py may be anything; if the target needs it, the import of the target will say so.
        if found and found.origin and not Path(found.origin).is_relative_to(suite.FOLDER):
            yield (
                f"the suite has a package {name!r} of its own, which hides {found.origin}: "
                "rename yours, or run the command in another folder"
            )


def _usage() -> str:
    sys.path.insert(0, str(suite.FOLDER))
    from attention_tests.pytest_plugin.registration import hand_in_implementations  # noqa: PLC0415 - found only now
    from attention_tests.targets import entry_points  # noqa: PLC0415 - likewise
    from attention_tests.targets.registry import REGISTRY  # noqa: PLC0415 - likewise

    hand_in_implementations()
    names = ", ".join((*REGISTRY.implementations.names(), *entry_points.names()))
    lines = fill(names, 120, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return USAGE.format(names="\n".join([lines, *(f"  ({sentence})" for sentence in entry_points.hidden())]))


def _say(text: str) -> int:
    sys.stdout.write(text)
    return pytest.ExitCode.OK


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"ERROR: {sentence}\n")
    return pytest.ExitCode.USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
