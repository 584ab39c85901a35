"""The command: `attention-tests TARGET... [options] [any option of pytest]`, and `attention-tests probe TARGET`."""

from __future__ import annotations

import os
import re
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Generator, Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import NoReturn

import pytest

from attention_tests.environment import suite
from attention_tests.text.wording import BadTarget, unknown

USAGE = """\
%(prog)s TARGET... [options] [any option of pytest]
       %(prog)s probe TARGET"""
ABOUT = """\
Hold an implementation of attention against its specification, or find out what it does and print the declaration.
Options of pytest are passed on to it: -k softmax, -x, -n 2, --junitxml=FILE and others."""
TARGET = """\
one of the known targets below; or field: all of these whose libraries are installed here, each in a process of its own;
or package.module:name or path/to/file.py:name: any callable of a query, a key and a value, over arrays of NumPy,
PyTorch, JAX or others; a class or a module of such; or an attention_tests.Implementation"""
EXIT_CODES = "exit code: 0 every property passed, 1 one did not, 4 nothing could be verified"

FOR_OTHER_TESTS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
"""Variables that are not read: what leaves out or shuffles somebody's tests must not do so to laws."""


class Parser(ArgumentParser):
    """A parser that refuses as pytest does, and in one sentence."""

    def error(self, message: str) -> NoReturn:
        """End the command."""
        self.exit(pytest.ExitCode.USAGE_ERROR, f"ERROR: {message}\n")


class Unrecognized:
    """A plugin that refuses an option which pytest does not recognize in one sentence, and without pytest's usage."""

    @pytest.hookimpl(wrapper=True)
    def pytest_cmdline_parse(self) -> Generator[None, pytest.Config, pytest.Config]:
        """Let pytest parse its options."""
        try:
            return (yield)
        except pytest.UsageError as error:
            found = re.search("unrecognized arguments: ([^ =\n]+)", str(error))
            if found is None:
                raise
            from attention_tests.pytest_plugin import options  # noqa: PLC0415 - as below

            flags: list[str] = []
            options.declare(lambda flag, **_: flags.append(flag))
            raise pytest.UsageError(f"the option {unknown(found[1], flags)}, and those of pytest") from None


def main(arguments: list[str] | None = None) -> int:
    """Run the command, and return its exit code. Raises SystemExit after help, the version, and what is refused."""
    suite.use_one_thread()
    arguments = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    sys.path.insert(0, str(suite.FOLDER))
    parser = _parser()
    # Only the targets are taken from here: pytest reads the options, and its own are unknown to this parser.
    targets: list[str] = parser.parse_known_args(arguments)[0].targets
    if arguments[0].startswith("-"):
        parser.error(f"name a target first, then the options: {parser.prog} numpy {' '.join(arguments)}")
    for clash in _clashes():
        parser.error(clash)
    if targets[0] == "probe":
        return _probe(parser, arguments[1:])
    return _verify(targets, arguments[len(targets) :])


def _parser() -> Parser:
    parser = Parser(
        prog="attention-tests",
        usage=USAGE,
        description=ABOUT,
        epilog=f"{_known_targets()}\n\n{EXIT_CODES}",
        formatter_class=RawDescriptionHelpFormatter,
        # What abbreviates an option of ours may be one of pytest's.
        allow_abbrev=False,
    )
    from attention_tests.pytest_plugin import options  # noqa: PLC0415 - finds the suite only once it is on the path

    parser.add_argument("targets", nargs="*", metavar="TARGET", help=TARGET)
    parser.add_argument("--version", action="version", version=f"%(prog)s {suite.version()}")
    options.declare(parser.add_argument_group("options of the suite").add_argument)
    return parser


def _known_targets() -> str:
    from attention_tests.pytest_plugin.registration import hand_in_implementations  # noqa: PLC0415 - as above
    from attention_tests.targets import entry_points  # noqa: PLC0415 - likewise
    from attention_tests.targets.registry import REGISTRY  # noqa: PLC0415 - likewise

    hand_in_implementations()
    names, indent = ", ".join((*REGISTRY.implementations.names(), *entry_points.names())), "  "
    width = get_terminal_size().columns
    lines = fill(names, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(["known targets:", lines, *(f"  ({sentence})" for sentence in entry_points.hidden())])


def _verify(targets: list[str], others: list[str]) -> int:
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
            *others,
            str(suite.FOLDER / "properties"),
        ],
        plugins=[Unrecognized()],
    )


def _probe(parser: Parser, arguments: list[str]) -> int:
    from attention_tests.engine.probe import probe  # noqa: PLC0415 - as above
    from attention_tests.execution.isolation import Isolation  # noqa: PLC0415 - likewise
    from attention_tests.pytest_plugin.registration import hand_in  # noqa: PLC0415 - likewise

    hand_in()

    if len(arguments) != 1:
        parser.error(f"probe one target: {parser.prog} probe package.module:callable")
    (target,) = arguments
    try:
        probed = probe(*Isolation().bring(target))
    except BadTarget as error:
        parser.error(str(error))
    if probed is None:
        parser.error(f"{target}: plain attention comes out in no layout; {parser.prog} {target} says how not")
    sys.stdout.write(probed.report())
    return pytest.ExitCode.OK


def _clashes() -> Iterator[str]:
    for name in suite.PACKAGES:
        found = PathFinder.find_spec(name, [str(Path.cwd())])
        # A folder without __init__.py may be anything; if the target needs it, the import of the target will say so.
        if found and found.origin and not Path(found.origin).is_relative_to(suite.FOLDER):
            yield (
                f"the suite has a package {name!r} of its own, which hides {found.origin}: "
                "rename yours, or run the command in another folder"
            )
