"""Write the documents that are made from the code: which laws there are, and which defects they find.

python -m tests.documents.catalogue
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence

from tabulate import tabulate

from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.law import Law
from attention_tests.engine.profiles import DEFAULT, QUICK
from attention_tests.environment.suite import FOLDER
from reference.document import CLAUSES, Clause
from tests.defects import DEFECTS, Defect
from tests.documents.kills import Kills, all_kills

PROPERTIES, FOUND = FOLDER / "docs" / "reference" / "laws.md", FOLDER / "docs" / "reference" / "defects.md"

OF_PROPERTIES = """# The laws

Made by `make docs`. To an implementation that does not declare what a law needs, the law is *unsupported*. A law is
there because of the defects that name it, wrong implementations in `tests/defects/`: [the table](defects.md).
"""
OF_DEFECTS = f"""# Planted defects, and the laws that find them

Made by `make docs`. A defect is attention with one thing wrong, and names the law that must find it. *default* and
*quick*: whether that law is broken at every dtype, within {DEFAULT.examples} problems and within {QUICK.examples}.
"""
OF_LAWS = f"""
## What each law finds

How many defects name the law, and how many of them it finds within {QUICK.examples} problems.
"""


def main() -> int:
    """Write both documents, and tell how long it took."""
    start = time.monotonic()
    PROPERTIES.write_text(properties(), "utf-8")
    FOUND.write_text(defects(all_kills()), "utf-8")
    sys.stdout.write(
        f"{PROPERTIES.relative_to(FOLDER)} and {FOUND.relative_to(FOLDER)}, {time.monotonic() - start:.0f} s\n"
    )
    return 0


def properties() -> str:
    """Return the laws, clause by clause."""
    return "\n".join([OF_PROPERTIES, *map(_of_clause, CLAUSES.values())])


def _of_clause(clause: Clause) -> str:
    laws = [law for law in all_laws() if law.clause is clause]
    rows = [[_code(law.name), law.says, _needs(law), _code(*_named_by(law))] for law in laws]
    return (
        f"## {clause.id}\n\n§{clause.section}, {clause.kind}, {clause.standing}: {clause.says} {clause.note}\n\n"
        f"{_table(rows, 'law', 'in a sentence', 'needs', 'defects that name it')}\n"
    )


def _needs(law: Law) -> str:
    needs = _code(*law.steps, *law.features)
    return f"{needs}, one of {_code(*sorted(law.any_of))}" if law.any_of else needs


def _named_by(law: Law) -> list[str]:
    return [defect.name for defect in DEFECTS if defect.killed_by == law.name]


def defects(kills: Sequence[Kills]) -> str:
    """Return which defect dies of the law that it names, and how many each law finds."""
    of_laws = [[_code(one.law), len(one.named), len(one.named_quickly)] for one in kills]
    return "\n".join(
        [
            OF_DEFECTS,
            _summary(kills),
            _table(_rows(kills), *STATIC, "default", "quick"),
            OF_LAWS,
            _table(of_laws, "law", "defects", "quickly"),
            "",
        ]
    )


STATIC = ("defect", "breaks", "stands for", "law that it names")


def static(defect: Defect) -> list[str]:
    """Return what the table of defects says of one without holding it against any law."""
    return [_code(defect.name), defect.clause, defect.stands_for, _code(defect.killed_by)]


def _rows(kills: Sequence[Kills]) -> list[list[object]]:
    named = frozenset().union(*(one.named for one in kills))
    quickly = frozenset().union(*(one.named_quickly for one in kills))
    return [[*static(defect), _dies(defect, named), _dies(defect, quickly)] for defect in DEFECTS]


def _dies(defect: Defect, dead: frozenset[str]) -> str:
    return "yes" if defect.name in dead else "no"


def _summary(kills: Sequence[Kills]) -> str:
    named = sum(len(one.named_quickly) for one in kills)
    share = f"{named} of {len(DEFECTS)} ({named / len(DEFECTS):.1%})"
    return f"Within {QUICK.examples} problems, {share} die of the law that they name.\n"


def _code(*names: str) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(rows: Iterable[Sequence[object]], *headers: str) -> str:
    return tabulate(rows, headers=headers, tablefmt="github")


if __name__ == "__main__":
    sys.exit(main())
