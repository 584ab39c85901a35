"""A report with every verdict, and with an implementation that says what no report should believe."""

from __future__ import annotations

from dataclasses import replace

from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.measurements import ERROR_OUTSIDE, ERROR_OVER_BOUND, Measurements
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.reports.report import Report
from attention_tests.text.wording import legible

MARKUP = "<script>window.hostile = 1</script><img src=x onerror='window.hostile = 1'>"
HOSTILE = f"{MARKUP} | `a` ```` ]]> &amp; \x00\x1b[31m\x07\r \ud800 \ufffe \u202e {'wide' * 30_000}"
NAMES = ("mykernels.flash:attention", "numpy", f"mine:{MARKUP}")
SAID = {NAMES[0]: "  the answer is outside the derived bound", NAMES[2]: f"it said {HOSTILE}"}
DTYPES = ("float64", "float32", "float16")

MEASURED: dict[Verdict, Measurements] = {
    Verdict.FAIL: {ERROR_OVER_BOUND: 0.5, ERROR_OUTSIDE: 5.3e12},
    Verdict.PASS: {ERROR_OVER_BOUND: 0.25, "elements": 100.0, "counterexample": "queries [1. 0.]"},
    Verdict.CRASH: {ERROR_OUTSIDE: float("inf")},
}


def rows() -> list[Row]:
    verdicts = list(Verdict)
    return [
        row(law.name, law.clause.id, name, dtype, verdicts[(i + 3 * j + k) % len(verdicts)])
        for j, name in enumerate(NAMES)
        for i, law in enumerate(all_laws()[:: len(all_laws()) // 5])
        for k, dtype in enumerate(DTYPES)
    ]


def row(law: str, clause: str, name: str, dtype: str, verdict: Verdict) -> Row:
    return Row(
        law=law,
        clause=clause,
        implementation=name,
        dtype=dtype,
        precision=dtype,
        verdict=verdict,
        explanation="" if verdict in (Verdict.PASS, Verdict.NOT_RUN) else legible(SAID.get(name, name)),
        measured=dict(MEASURED.get(verdict, {})),
        says="Every element of the output is within the error bound derived from the declared precision.",
        counterexample="Plan(keys=2, d_k=2)" if verdict is Verdict.FAIL else "",
        reproducer="import numpy as np\n" if verdict is Verdict.FAIL else "",
        seconds=0.5,
    )


def report() -> Report:
    told = rows()
    return Report(
        rows=told,
        exit_code=1,
        written="2026-11-23T15:39:09+00:00",
        asked={"targets": list(NAMES), "dtypes": [], "profile": "quick", "seed": None},
        profile=QUICK,
        versions={"attention-tests": "0.1.0", "python": "3.11.7", "numpy": "2.4.6", "hypothesis": "6.170"},
        environment={"platform": "Linux", "machine": "x86_64", "cpu": "a processor", "cpus": 2},
        libraries={name: {"numpy": "2.4.6"} for name in NAMES},
        missing=["torch needs the package 'torch', which is not installed"],
        found_out={NAMES[0]: ["answers float32 in the layout (length, width)", f"refuses mask: {MARKUP}"]},
        undeclared=[f"{NAMES[1]} does not declare `causal`, and answers a call with `causal`, wrongly"],
        reproducers={one.key: f"reproducers/{i}.py" for i, one in enumerate(told) if one.reproducer},
    )


def empty() -> Report:
    return replace(
        report(), rows=[], exit_code=2, reproducers={}, libraries={}, missing=[], found_out={}, undeclared=[]
    )


def all_passing() -> Report:
    told = report()
    passing = [replace(one, verdict=Verdict.PASS, measured={}) for one in told.rows]
    return replace(told, rows=passing, exit_code=0, reproducers={}, missing=[])
