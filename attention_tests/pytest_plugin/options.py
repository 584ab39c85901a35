"""The options of the suite, declared once: pytest reads them, and the command lists them."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from collections.abc import Callable

from attention_tests.engine.database import FOLDER
from attention_tests.engine.profiles import DEFAULT, GATE_SEED, PROFILES
from attention_tests.execution.isolation.process import Limits
from attention_tests.expectations.book import IN_THIS_FOLDER
from attention_tests.frameworks.found import FRAMEWORKS

BUDGET = "10m"
USUAL = Limits()


def declare(add: Callable[..., object]) -> None:
    """Declare the options with `add`: addoption of a group of pytest, or add_argument of one of argparse."""
    add(
        "--profile",
        default=DEFAULT.name,
        metavar="NAME",
        help=f"how many problems each property is tried on: {', '.join(PROFILES)} (default: %(default)s)",
    )
    add(
        "--dtype",
        action="append",
        metavar="DTYPE",
        help="verify at this dtype only (repeatable; default: all that are declared)",
    )
    add(
        "--seed",
        type=int,
        metavar="N",
        help=f"draw other problems than the gate does (default: {GATE_SEED}, and when exploring a new one)",
    )
    add(
        "--budget",
        metavar="TIME",
        help=f"with --profile explore: how long, such as 90s, 10m or 1h30m (default: {BUDGET})",
    )
    add(
        "--database",
        metavar="PLACE",
        help=f"with --profile explore: keep what is found in a folder or at redis://host:6379/0 (default: {FOLDER})",
    )
    add(
        "--expectations",
        metavar="FILE",
        help=f"what is expected of the run (default: {IN_THIS_FOLDER}, if there is one in this folder)",
    )
    add(
        "--update-expectations",
        action="store_true",
        help="write what this run shows into the expectations file (default: judge the run by it)",
    )
    add(
        "--all-failures",
        action="store_true",
        help="shrink and print every failure (default: the diagnosis, and one failure of each implementation)",
    )
    add(
        "--report",
        metavar="DIR",
        help="write reports into this folder: JSON, JUnit XML, Markdown, HTML (default: write none)",
    )
    add(
        "--resume",
        action="store_true",
        help="go on with the run that was killed, whose reports are in --report DIR (default: begin a new one)",
    )
    add(
        "--isolate",
        action=BooleanOptionalAction,
        default=None,
        help="run implementations in processes of their own (default: all but the NumPy and PyTorch ones of the gate)",
    )
    add(
        "--call-seconds",
        type=float,
        default=USUAL.seconds,
        metavar="N",
        help="how long an isolated call may take (default: %(default)g)",
    )
    add(
        "--memory",
        type=float,
        default=USUAL.gibibytes,
        metavar="GIB",
        help="how much memory an isolated implementation may take, 0 for any, as always with another --device than cpu "
        "(default: %(default)g GiB)",
    )
    add(
        "--arrays",
        default="",
        metavar="NAME",
        help=f"the arrays that a bare callable takes: {', '.join(FRAMEWORKS)} (default: what its source tells)",
    )
    add(
        "--device",
        default="cpu",
        metavar="NAME",
        help="where the arrays of a bare callable lie, such as cuda; with cuda, field (or no target) means PyTorch's "
        "kernels for a GPU (default: %(default)s)",
    )
