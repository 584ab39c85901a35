"""The end of a program, by kind of failure: it compares numbers, looks at a form, or waits for a crash."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from attention_tests.execution.failures import (
    Crashed,
    Disagreement,
    Failure,
    ImplementationRaised,
    Relation,
    TimedOut,
    WrongForm,
)
from attention_tests.reproducers.program import Expression, Piece
from attention_tests.reproducers.recorder import AT_ONCE, Recorder
from attention_tests.reproducers.sources import Array, array_source, scalar_source
from attention_tests.reproducers.traced import Traced
from attention_tests.text.literals import beside

ATTEMPTS = 100
"""Whether threads meet is chance."""
RIGHT = {
    Relation.WITHIN: "got == expected or error <= bound or (np.isnan(got) and np.isnan(expected))",
    Relation.AT_LEAST: "got >= expected or error <= bound",
    Relation.AT_MOST: "got <= expected or error <= bound",
    Relation.SAME_BITS: "got.hex() == expected.hex()",
    Relation.EQUAL: "got == expected",
}
"""When an answer is right, in a program."""


def body(recorder: Recorder, failure: Failure) -> list[str]:
    """Return the statements of a program, and what it makes of their answers."""
    if isinstance(failure, TimedOut):
        return _ends(recorder, f"faulthandler.dump_traceback_later({failure.seconds!r}, exit=True)", "does not return")
    if isinstance(failure, Crashed):
        return _ends(recorder, "", "ends this process")
    if isinstance(failure, ImplementationRaised):
        return _raises(recorder)
    if isinstance(failure, WrongForm):
        return _of_wrong_form(recorder, failure)
    return _of_numbers(recorder, failure) if isinstance(failure.got, Traced) and failure.got.source else _bits(recorder)


def _of_numbers(recorder: Recorder, failure: Disagreement) -> list[str]:
    """Compare the element that was shown."""
    got, expected, where = failure.got, failure.expected, failure.where
    if got is None or expected is None or where is None:
        return _bits(recorder)
    pieces = [_element(got, where), _element(expected, where)]
    statements, (got_source, expected_source) = recorder.program.lines(tuple(pieces))
    error, bound = abs(float(got[where]) - float(expected[where])), failure.bound or 0.0
    if failure.relation is Relation.WITHIN and error <= bound:
        # The answer is rounded to its dtype, which a bound alone does not tell: it is wrong by a hair.
        bound = math.nextafter(error, 0)
    lines = [
        *_flat(statements),
        "",
        *beside("got = ", got_source).splitlines(),
        *beside("expected = ", expected_source).splitlines(),
        *([f"bound = {scalar_source(bound)}"] if failure.bound is not None else []),
        "error = abs(got - expected)",
        "",
        'print("got      ", got)',
        'print("expected ", expected)',
        *_shown(bound if failure.bound is not None else 0.0),
        f"if not ({RIGHT[failure.relation]}):",
        '    print("reproduced")',
        "    sys.exit(1)",
    ]
    if AT_ONCE in recorder.program.helpers:
        lines = [f"for _ in range({ATTEMPTS}):", *(line and f"    {line}" for line in lines)]
    return [*lines, 'print("not reproduced: what comes back is right")']


def _element(array: Array, where: tuple[int, ...]) -> Piece:
    if isinstance(array, Traced) and array.source:
        index = f"[{', '.join(map(str, where))}]" if where else ""
        return Expression(("float(", array.source, index, ")"))
    return scalar_source(float(array[where]))


def _shown(bound: float) -> list[str]:
    if bound:
        return ['print(f"error     {error:.3g}, {error / bound:.3g} times the bound {bound:.3g}")']
    return ['print(f"error     {error:.3g}, where none is allowed")']


def _bits(recorder: Recorder) -> list[str]:
    """Compare all answers with those that broke the law, where it is not known how that was computed from them."""
    statements, names = recorder.program.lines(tuple(variable for variable, _ in recorder.answers))
    wrong = [
        beside(f"    ({name}, ", array_source(np.asarray(array), "float64")) + "),"
        for name, (_, array) in zip(names, recorder.answers, strict=True)
    ]
    return [
        *_flat(statements),
        "",
        "# These answers together break the law.",
        "answers = [",
        *(line for block in wrong for line in block.splitlines()),
        "]",
        "",
        "for got, wrong in answers:",
        '    print("got", got, "which breaks the law as", wrong, sep="\\n")',
        "    if not np.array_equal(got, wrong, equal_nan=True):",
        '        print("not reproduced: other answers come back")',
        "        sys.exit(0)",
        'print("reproduced")',
        "sys.exit(1)",
    ]


def _of_wrong_form(recorder: Recorder, failure: WrongForm) -> list[str]:
    statements, (wrong, *looked_at) = recorder.program.lines((recorder.wrong_form or "True", *recorder.looked_at))
    return [
        *_flat(statements),
        "",
        *(f'print("got      ", form({one}))' for one in looked_at),
        f'print("expected ", {_wanted(failure)!r})',
        f"if {wrong}:",
        '    print("reproduced")',
        "    sys.exit(1)",
        'print("not reproduced: what comes back has the right form")',
    ]


def _wanted(failure: WrongForm) -> str:
    """Return the last part of a sentence such as "…: attention returned a list; return one array …"."""
    return failure.sentence.rpartition("; ")[2]


def _raises(recorder: Recorder) -> list[str]:
    statements, _ = recorder.program.lines(last=recorder.went_wrong)
    return [
        *_flat(statements[:-1]),
        "",
        "try:",
        *(f"    {line}" for line in statements[-1]),
        "except (Exception, SystemExit) as error:",
        '    print(f"reproduced: {type(error).__name__}: {str(error)!r}")',
        "    sys.exit(1)",
        'print("not reproduced: nothing was raised")',
    ]


def _ends(recorder: Recorder, before: str, does: str) -> list[str]:
    statements, _ = recorder.program.lines()
    return [
        f'print("Where the failure is still there, one of the calls {does}.", flush=True)',
        *([before] if before else []),
        *_flat(statements),
        'print("not reproduced: all calls returned")',
    ]


def _flat(statements: Sequence[Sequence[str]]) -> list[str]:
    return [line for statement in statements for line in statement]
