"""The exam of the diagnosis: what it says of every planted defect, and whether that is right.

    python -m tests.documents.diagnoses

Each defect is held against every law as `quick` does it, and diagnosed unaided. `diagnoses.csv` has what was said
before and how a reader judged it: what is said anew is listed as not judged, until a line there says how it is.
"""

from __future__ import annotations

import csv
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing import get_context
from pathlib import Path

from tabulate import tabulate

from attention_tests.diagnosis.diagnosis import diagnosed
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.search import that_break
from attention_tests.environment.suite import FOLDER
from attention_tests.execution.subject import Subject
from attention_tests.guards.process_state import put_back
from attention_tests.guards.warnings import unwarned
from tests.defects import DEFECTS, Defect

PAGE = FOLDER / "docs" / "reference" / "diagnoses.md"
JUDGED = Path(__file__).with_name("diagnoses.csv")
DTYPE = "float32"
ABOUT = """# What the diagnosis says of the planted defects

Made by `python -m tests.documents.diagnoses`, which holds each defect against every law at float32 (or the first dtype
that it has), within the problems of `quick`. *right*: the sentence names the mistake, or one that no answer tells from
it. *where*: it says where the answers are wrong, and not why. *silent*: nothing fits, and nothing is said. *wrong*: the
sentence is false.
"""


class Judgement(StrEnum):
    """How a reader judged what is said of a defect."""

    RIGHT = "right"
    WHERE = "where"
    SILENT = "silent"
    WRONG = "wrong"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Said:
    """What is said of a defect."""

    defect: str
    judgement: Judgement
    sentence: str


def main() -> int:
    """Write the page, and what is to be judged; end with 1 where anything is, or is wrong."""
    start = time.monotonic()
    judged = read()
    said = [Said(name, _judged(name, sentence, judged, named=named), sentence) for name, sentence, named in all_said()]
    write(said)
    PAGE.write_text(page(said), "utf-8")
    counted = Counter(one.judgement for one in said)
    words = ", ".join(f"{counted[judgement]} {judgement}" for judgement in Judgement)
    sys.stdout.write(f"{PAGE.relative_to(FOLDER)}: {words}, {time.monotonic() - start:.0f} s\n")
    return int(bool(counted[Judgement.WRONG] or counted[Judgement.NOT_JUDGED]))


def read() -> dict[str, Said]:
    """Return what was said of each defect, and how that was judged."""
    with JUDGED.open(encoding="utf-8", newline="") as file:
        return {
            one["defect"]: Said(one["defect"], Judgement(one["judgement"]), one["sentence"])
            for one in csv.DictReader(file)
        }


def write(said: Iterable[Said]) -> None:
    """Write down what is said of each defect, with the judgements that are known."""
    with JUDGED.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["defect", "judgement", "sentence"])
        lines.writerows([one.defect, one.judgement.value, one.sentence] for one in said)


def _judged(name: str, sentence: str, judged: dict[str, Said], *, named: bool) -> Judgement:
    if not sentence:
        return Judgement.SILENT
    if not named:
        return Judgement.WHERE
    before = judged.get(name)
    return before.judgement if before is not None and before.sentence == sentence else Judgement.NOT_JUDGED


def all_said() -> list[tuple[str, str, bool]]:
    """Return for each defect what is said of it, and whether that names a mistake."""
    with get_context("fork").Pool(os.cpu_count()) as pool:
        return pool.map(_said_of, range(len(DEFECTS)), chunksize=1)


def _said_of(number: int) -> tuple[str, str, bool]:
    return said_of(DEFECTS[number])


@unwarned()
def said_of(defect: Defect) -> tuple[str, str, bool]:
    """Return what is said of a defect, and whether that names a mistake."""
    dtypes = defect.implementation.dtypes
    subject = Subject(defect.implementation, DTYPE if DTYPE in dtypes else next(iter(dtypes)))
    with put_back():
        broken = [
            (law, plan)
            for law in all_laws()
            if not law.missing(subject)
            for plan in [next(that_break(law, subject, QUICK), None)]
            if plan is not None
        ]
        found = diagnosed(subject, broken, QUICK)
    return defect.name, found.sentence if found else "", bool(found and found.names)


def page(said: Sequence[Said]) -> str:
    """Return the page."""
    return "\n".join([ABOUT, *_counts(said), "", *_table(said), ""])


def _counts(said: Sequence[Said]) -> Iterator[str]:
    counted = Counter(one.judgement for one in said)
    rows = [[str(judgement), counted[judgement], f"{counted[judgement] / len(said):.0%}"] for judgement in Judgement]
    yield tabulate(rows, headers=["", "defects", ""], tablefmt="github")


def _table(said: Sequence[Said]) -> Iterator[str]:
    stands_for = {defect.name: defect.stands_for for defect in DEFECTS}
    rows = [[f"`{one.defect}`", stands_for[one.defect], str(one.judgement), one.sentence] for one in said]
    yield tabulate(rows, headers=["defect", "stands for", "", "it …"], tablefmt="github")


if __name__ == "__main__":
    sys.exit(main())
