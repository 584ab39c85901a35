"""Reports of several environments together, with no verdict under another's name."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.reports.folder import JSON
from attention_tests.reports.tables import in_order
from implementations import SHIPPED

CARRIERS = ("ml-dtypes", "numpy")
"""Libraries that carry numbers to the one that computes: not named where there is another."""


@dataclass(frozen=True)
class Verified:
    """One implementation in one environment."""

    name: str
    environment: str
    profile: str
    libraries: Mapping[str, str]
    rows: tuple[Row, ...]

    @property
    def library(self) -> str:
        """What it was made with, and of which version."""
        computing = [name for name in self.libraries if name not in CARRIERS] or list(self.libraries)
        return ", ".join(f"{name} {self.libraries[name]}" for name in computing) or "–"

    @property
    def seconds(self) -> float:
        """How long it took to decide."""
        return sum(row.seconds for row in self.rows)

    @property
    def findings(self) -> list[str]:
        """The names of the files of `docs/findings/` that say why it breaks laws."""
        reasons = (row.explanation for row in self.rows if row.verdict is Verdict.EXPECTED_FAILURE)
        return in_order(name for reason in reasons for name in re.findall(r"docs/findings/([\w-]+)\.md", reason))

    @property
    def said(self) -> tuple[object, ...]:
        """What must be the same for it to be verified once: its name, its libraries, and every verdict."""
        return self.name, tuple(self.libraries.items()), frozenset((row.key, row.verdict) for row in self.rows)

    def named(self, name: str) -> Verified:
        """Give it, and its rows, another name."""
        return replace(self, name=name, rows=tuple(replace(row, implementation=name) for row in self.rows))


@dataclass(frozen=True)
class Ran:
    """One report."""

    environment: str
    """The name of its folder."""
    told: Mapping[str, Any]

    @classmethod
    def read(cls, place: Path) -> Ran:
        """Read a report, or the one in a folder."""
        file = place / JSON if place.is_dir() else place
        return cls(file.absolute().parent.name, json.loads(file.read_text("utf-8")))

    @property
    def verified(self) -> Iterator[Verified]:
        """What was verified in it: nothing of an implementation that none of its properties was tried on."""
        says = self.told["laws"]
        rows = [
            msgspec.convert(row | {"says": says[row["law"]], "reproducer": row["reproducer"] or ""}, Row)
            for row in self.told["rows"]
        ]
        for name, made_with in self.told["implementations"].items():
            own = tuple(row for row in rows if row.implementation == name)
            if any(row.verdict is not Verdict.NOT_RUN for row in own):
                yield Verified(name, self.environment, self.told["profile"]["name"], made_with["libraries"], own)


def all_verified(reports: Iterable[Ran]) -> list[Verified]:
    """Return what was verified, once if all reports say the same of it, and else named by its environment too."""
    once: dict[tuple[object, ...], Verified] = {}
    for ran in reports:
        for one in ran.verified:
            once.setdefault(one.said, one)
    times = Counter(one.name for one in once.values())
    return [one if times[one.name] == 1 else one.named(f"{one.name} ({one.environment})") for one in once.values()]


def not_run(reports: Iterable[Ran], verified: Iterable[Verified]) -> list[str]:
    """Return why an implementation was verified in none of the environments: the best reason that there is."""
    reports = list(reports)
    reasons = {name: f"{name} was asked for in no environment" for name in SHIPPED.names()}
    reasons |= {re.split(r"[: ]", sentence)[0]: sentence for ran in reports for sentence in ran.told["missing"]}
    reasons |= {
        name: f"{name} was left out of the environment {ran.environment}"
        for ran in reports
        for name in ran.told["implementations"]
    }
    reasons |= {name: f"{name} needs a GPU: attention-tests field --device cuda" for name in SHIPPED.on_a_gpu()}
    names = {one.name.partition(" (")[0] for one in verified}
    return [sentence for name, sentence in reasons.items() if name not in names]
