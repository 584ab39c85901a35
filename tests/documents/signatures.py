"""The reference of signatures, docs/reference/signatures.md, made of the conventions that are recognised.

python -m tests.documents.signatures
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tabulate import tabulate

from attention_tests.declare.dialect import Alignment
from attention_tests.environment.suite import FOLDER
from attention_tests.signatures.convention import Convention
from attention_tests.signatures.conventions import CONVENTIONS, PLAIN

PAGE = FOLDER / "docs" / "reference" / "signatures.md"
TEXT = """# Signatures that are recognised

Made by `make docs`. A bare callable is of the first of these conventions whose marks are all among the names of its
parameters. The order of axes, and where queries stand among the keys, are those of the convention, unless its answers
say otherwise.

{conventions}

## Parameters

What each parameter is given for an option of [`Implementation.attention`](../how-to/plug-in.md). Other parameters keep
their defaults. One that has none is refused in one sentence, but for a scale, which is then 1/√d_k.

{parameters}
"""


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")
    return 0


def page() -> str:
    """Return the page."""
    conventions = tabulate(map(_of_convention, CONVENTIONS), headers=HEADERS, tablefmt="github", disable_numparse=True)
    parameters = tabulate(_parameters(), headers=["convention", "parameter", "option", "as"], tablefmt="github")
    return TEXT.format(conventions=conventions, parameters=parameters)


HEADERS = ["convention", "marks", "axes", "causality"]


def _of_convention(convention: Convention) -> tuple[str, str, str, str]:
    marks = ", ".join(f"`{mark}`" for mark in sorted(convention.marks)) or "none: every other callable"
    axes = "found out" if convention.layout is None else convention.layout.value
    causality = "bottom-right" if convention.dialect.alignment is Alignment.BOTTOM_RIGHT else "top-left"
    return _named(convention), marks, axes, causality


def _named(convention: Convention) -> str:
    return f"`{convention.name}`" if convention is PLAIN else f"[`{convention.name}`]({convention.source})"


def _parameters() -> Iterator[tuple[str, str, str, str]]:
    for convention in CONVENTIONS:
        for parameter in convention.parameters:
            how = parameter.given.__doc__ or "as it is"
            told = how.removeprefix("Return ").partition(".")[0]
            yield f"`{convention.name}`", f"`{parameter.name}`", f"`{parameter.option}`", told
        for name, made in convention.always.items():
            told = (made.__doc__ or "").removeprefix("Tell ").partition(".")[0]
            yield f"`{convention.name}`", f"`{name}`", "always", told


if __name__ == "__main__":
    sys.exit(main())
