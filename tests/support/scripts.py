"""Programs that show failures, made and run in numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from attention_tests import Implementation
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import DEFAULT
from attention_tests.engine.search import build, that_break
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.execution.subject import Subject
from attention_tests.guards.warnings import unwarned
from attention_tests.reproducers import reproducer

LAWS = {law.name: law for law in all_laws()}

RUNNER = """
import json, os, sys, tempfile
import numpy, tests.defects

def run(name, text):
    exec(compile(text, name, "exec"), {"__name__": "__main__"})

def forked(name, text):
    # Each in a process as it is before the first call, which costs no import.
    with tempfile.TemporaryFile() as written:
        child = os.fork()
        if not child:
            os.dup2(written.fileno(), 1)
            os.dup2(written.fileno(), 2)
            try:
                run(name, text)
                code = 0
            except SystemExit as error:
                code = error.code
            except BaseException as error:
                print(repr(error))
                code = 99
            sys.stdout.flush()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        written.seek(0)
        return os.waitstatus_to_exitcode(status), written.read().decode(errors="replace")

scripts = json.load(sys.stdin)
json.dump({name: forked(name, text) for name, text in scripts.items()}, sys.stdout)
"""


def run_all(scripts: Mapping[str, str]) -> dict[str, tuple[int, str]]:
    """Run programs, each in a process of its own: the exit code of each, and what it printed."""
    elsewhere = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    ran = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", RUNNER],
        input=json.dumps(scripts),
        capture_output=True,
        text=True,
        check=True,
        env=elsewhere,
    )
    return {name: (code, printed) for name, (code, printed) in json.loads(ran.stdout).items()}


@unwarned()
def script_of(implementation: Implementation, law: str, dtype: str = "float32") -> str:
    """Write the program for the first problem that breaks a law, not shrunk."""
    subject = Subject(implementation, dtype)
    plan = next(that_break(LAWS[law], subject, DEFAULT))
    broken = Outcome(Verdict.FAIL, counterexample=repr(plan), broken_on=build(plan, subject))
    return reproducer(LAWS[law], subject, broken)


def function(name: str, attention: Callable[..., Any], parameters: Mapping[str, str] | None = None) -> Implementation:
    """Return what a bare callable of `tests.support.targets` is."""
    return replace(
        Implementation(name=name, attention=attention),
        target=f"tests.support.targets:{name}",
        parameters=parameters or {},
    )
