"""The text of a program: what is called, what comes back, and what should have."""

from __future__ import annotations

from attention_tests.engine.law import Law
from attention_tests.execution.failures import Failure, WrongForm
from attention_tests.execution.subject import Subject
from attention_tests.reproducers.call_syntax import CallSyntax
from attention_tests.reproducers.endings import body
from attention_tests.reproducers.header import header
from attention_tests.reproducers.placing import FUNCTIONS, source
from attention_tests.reproducers.recorder import AT_ONCE, SHORTEST_TIME, Recorder

HELPERS = {
    AT_ONCE: """\
def call_at_once(function, calls):
    # The threads set out together, and change places often, so that they meet.
    start = Barrier(len(calls))
    sys.setswitchinterval(1e-6)

    def one(call):
        start.wait()
        return function(*call)

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(one, calls))
""",
    SHORTEST_TIME: """\
def shortest_time(function, calls):
    return min(timeit.repeat(lambda: [function(*call) for call in calls], number=1, repeat=10))
""",
} | {function.__name__: source(function) for function in FUNCTIONS}

FORMS = """\
def is_array(answer, shape):
    if isinstance(answer, (list, tuple, dict, str, bool, int, float, complex, type(None))):
        return False
    try:
        array = numbers(answer)
    except (Exception, SystemExit):
        return False
    return array.dtype.kind == "f" and array.shape == shape


def form(answer):
    shape, dtype = getattr(answer, "shape", "no shape"), getattr(answer, "dtype", "no dtype")
    return f"{type(answer).__name__}, {shape}, {dtype}"
"""
MODULES = {
    "base64.": "import base64",
    "faulthandler.": "import faulthandler",
    "mmap.": "import mmap",
    "timeit.": "import timeit",
}
THREADS = ["from concurrent.futures import ThreadPoolExecutor", "from threading import Barrier"]


def script(law: Law, subject: Subject, plan: str, recorder: Recorder, failure: Failure) -> str:
    """Write the program for a failure that was recorded."""
    syntax = CallSyntax.of(subject.implementation)
    lines = body(recorder, failure)
    helpers = [*syntax.helpers, *(HELPERS[name] for name in dict.fromkeys(recorder.program.helpers))]
    if isinstance(failure, WrongForm):
        helpers.append(FORMS)
    text = "\n".join(["\n".join(lines), *helpers])
    modules = sorted([line for name, line in MODULES.items() if name in text] + ["import os", "import sys"])
    return "\n".join(
        [
            *header(law, subject, plan, failure),
            "",
            *modules,
            *(THREADS if "ThreadPoolExecutor" in text else []),
            "",
            "# How many threads there are decides how sums are split: the run had one.",
            'os.environ.setdefault("OMP_NUM_THREADS", "1")',
            "sys.path.append(os.getcwd())",
            "",
            "import numpy as np",
            *syntax.imports,
            "",
            *(line for helper in helpers for line in ["", *helper.splitlines(), ""]),
            *lines,
            "",
        ]
    )
