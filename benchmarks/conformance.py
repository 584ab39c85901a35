"""The conformance of libraries, from the reports of several environments: docs/reference/conformance.md and README.md.

python -m benchmarks.conformance REPORT... [--oldest REPORT...]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tabulate import tabulate

from attention_tests.declare.features import Feature, Step
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.environment.suite import FOLDER
from attention_tests.reports.report import grouped
from attention_tests.reports.tables import PROMISES, WORST_FIRST, counts, in_order, largest_error, promises, worst_of
from benchmarks.verified import Ran, Verified, all_verified, not_run
from reference.document import CLAUSES

PAGE, README = FOLDER / "docs" / "reference" / "conformance.md", FOLDER / "README.md"
FINDINGS = FOLDER / "docs" / "findings"
BEGIN, END = "<!-- conformance -->", "<!-- /conformance -->"

ABILITIES = (*Feature, Step.GRADIENT, Step.CACHE)
NOTHING = "–"

INTRODUCTION = """# How libraries conform

Made of reports. `make field` verifies every library in an environment of its own, and writes this page of all of them;
`python -m benchmarks.conformance REPORT...` writes it of any. *known*: expected failures, each of a [finding][all].
**Bold**: what fails, crashes, hangs or raises and is not known to, what passes and is known to fail, and what did not
run. Under *Clauses* and *Features*, a property counts once, with the worst of its verdicts over the dtypes; a number
alone counts those that pass, and – says that nothing of it is declared. Elsewhere a property counts at each dtype.

[all]: ../findings/
"""

OF_OLDEST = """\
The oldest that `pyproject.toml` admits, on fewer problems: `nox -s oldest`. What breaks here and not above was mended
since, and what passes unexpectedly is broken since.

"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the reports, and write the page and the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conformance", description=(__doc__ or "").split(":")[0])
    parser.add_argument("reports", nargs="+", type=Path, metavar="REPORT", help="a report.json, or a folder of one")
    parser.add_argument(
        "--oldest", nargs="+", default=[], type=Path, metavar="REPORT", help="likewise, of the oldest versions"
    )
    given = parser.parse_args(arguments)
    reports, oldest = ([Ran.read(place) for place in places] for places in (given.reports, given.oldest))
    PAGE.write_text(page(reports, oldest), "utf-8")
    README.write_text(with_table(README.read_text("utf-8"), by_library(all_verified(reports))), "utf-8")
    sys.stdout.write(f"{PAGE} and the table of {README}\n")
    return 0


def page(reports: Sequence[Ran], oldest: Sequence[Ran] = ()) -> str:
    """Return the page: how each implementation does, by clause and by feature, what was found, and what ran."""
    verified = all_verified(reports)
    parts = {
        "Implementations": of_implementations(verified),
        "Clauses": of_clauses(verified),
        "Features": of_abilities(verified),
        "Arithmetic": of_arithmetic(verified),
        "Findings": of_findings(verified),
        "Oldest versions": OF_OLDEST + by_library(all_verified(oldest)),
        "Environments": of_environments([*reports, *oldest]),
        "Not run": "\n".join(f"- {sentence}" for sentence in not_run(reports, verified)) or "Nothing.",
    }
    return "\n".join([INTRODUCTION, *(f"## {title}\n\n{text}\n" for title, text in parts.items())])


def by_library(verified: Sequence[Verified]) -> str:
    """Return the table for README: a row for each library and version."""
    lines = []
    for library in in_order(one.library for one in verified):
        own = [one for one in verified if one.library == library]
        rows = [row for one in own for row in one.rows]
        found = len({name for one in own for name in one.findings})
        profiles, seconds = in_order(one.profile for one in own), sum(one.seconds for one in own)
        lines.append([library, str(len(own)), *_told(rows), str(found or ""), ", ".join(profiles), f"{seconds:.0f}"])
    return _table(lines, "library", "ways", *TOLD, "findings", *COST)


def with_table(text: str, table: str) -> str:
    """Return a text with the table between its two marks. Raises ValueError if it has not both."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the table of conformance goes between {BEGIN} and {END}: write both")
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"


def of_implementations(verified: Iterable[Verified]) -> str:
    """Return what became of all properties on each implementation."""
    lines = [
        [
            _code(one.name),
            one.library,
            *_told(one.rows),
            ", ".join(map(_link, one.findings)),
            one.profile,
            f"{one.seconds:.0f}",
        ]
        for one in verified
    ]
    return _table(lines, "implementation", "made with", *TOLD, "findings", *COST)


def of_clauses(verified: Iterable[Verified]) -> str:
    """Return how the properties of each clause fare."""
    lines = [
        [_code(one.name), *(_cell(worst_of(one.rows, clause, one.name)) for clause in CLAUSES)] for one in verified
    ]
    return _table(lines, "implementation", *CLAUSES)


def of_abilities(verified: Iterable[Verified]) -> str:
    """Return how the properties fare that need a feature, a gradient or a cache."""
    lines = [
        [_code(one.name), *(_cell(_worst(row for row in one.rows if row.law in about[it])) for it in ABILITIES)]
        for one in verified
        for about in [_laws_about()]
    ]
    return _table(lines, "implementation", *ABILITIES)


def of_arithmetic(verified: Iterable[Verified]) -> str:
    """Return what each implementation keeps of what it promises at each dtype."""
    return _table((line for one in verified for line in promises(one.rows)), *PROMISES)


def of_findings(verified: Sequence[Verified]) -> str:
    """Return every finding, and where it was seen."""
    files = sorted(file for file in FINDINGS.glob("*.md") if file.name != README.name)
    seen = {file: [one for one in verified if file.stem in one.findings] for file in files}
    lines = [
        [_link(file.stem, _title(file)), ", ".join(_code(one.name) for one in where) or NOTHING]
        for file, where in seen.items()
    ]
    return _table(lines, "finding", "expected, and seen, in")


def of_environments(reports: Iterable[Ran]) -> str:
    """Return on what each report was made, and how it ended."""
    lines = [
        [
            ran.environment,
            ran.told["written"],
            ran.told["profile"]["name"],
            ", ".join(f"{name} {version}" for name, version in ran.told["versions"].items()),
            ran.told["environment"]["cpu"],
            ran.told["exit"]["meaning"],
        ]
        for ran in reports
    ]
    return _table(lines, "environment", "written", "profile", "versions", "processor", "ended")


QUIET = (Verdict.PASS, Verdict.EXPECTED_FAILURE, Verdict.UNSUPPORTED)
"""The verdicts that need nobody's attention: all the others are bold."""
TOLD = ("dtypes", "pass", "known", "broken", "unsupported", "error / bound")
COST = ("profile", "seconds")


def _told(rows: Sequence[Row]) -> list[str]:
    counted = Counter(row.verdict for row in rows)
    return [
        ", ".join(in_order(row.dtype for row in rows)),
        str(counted[Verdict.PASS]),
        str(counted[Verdict.EXPECTED_FAILURE] or ""),
        ", ".join(
            f"**{number} {verdict}**" for verdict, number in counts(counted.elements()).items() if verdict not in QUIET
        ),
        str(counted[Verdict.UNSUPPORTED]),
        largest_error(rows),
    ]


def _cell(verdicts: Iterable[Verdict]) -> str:
    words = {Verdict.PASS: "{}", Verdict.EXPECTED_FAILURE: "{} known"}
    told = [
        words.get(verdict, f"**{{}} {verdict}**").format(number)
        for verdict, number in counts(verdicts).items()
        if verdict is not Verdict.UNSUPPORTED
    ]
    return ", ".join(told) or NOTHING


def _worst(rows: Iterable[Row]) -> list[Verdict]:
    return [min((row.verdict for row in of_one_law), key=WORST_FIRST.index) for _, _, of_one_law in grouped(rows)]


def _laws_about() -> dict[str, set[str]]:
    return {it: {law.name for law in all_laws() if it in (*law.features, *law.steps)} for it in ABILITIES}


def _title(file: Path) -> str:
    return file.read_text("utf-8").partition("\n")[0].removeprefix("# ")


def _link(finding: str, title: str = "") -> str:
    return f"[{title or finding}](../findings/{finding}.md)"


def _code(name: str) -> str:
    return f"`{name}`"


def _table(lines: Iterable[Sequence[str]], *headers: str) -> str:
    return tabulate(lines, headers=headers, tablefmt="github", disable_numparse=True)


if __name__ == "__main__":
    sys.exit(main())
