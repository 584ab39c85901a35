"""A failure can be seen again from its text alone, to the bit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from attention_tests.catalogue import all_laws
from attention_tests.explain import explain, literal, literals, number
from attention_tests.subject import Subject
from attention_tests.verdict import Disagreement, ImplementationRaised, WrongForm
from properties.inputs import Problem, in_format
from properties.plans import Plan
from reference.formats import FORMATS, round_to
from tests.suite import targets

DTYPES = ("float64", "float32", "float16", "bfloat16")
by_dtype = pytest.mark.parametrize("dtype", DTYPES)
LAW = next(law for law in all_laws() if law.name == "test_every_element_is_inside_the_derived_bound")
PLAN = Plan(queries=2, keys=3)


def extremes(dtype: str) -> Any:
    format_ = FORMATS[dtype]
    largest = format_.max
    smallest = format_.smallest_subnormal
    positive = [0.0, smallest, 3 * smallest, format_.smallest_normal, 1 / 3, 1.0, 1e4, largest, np.inf]
    return round_to([*positive, *(-x for x in positive), np.nan], dtype)


def evaluated(lines: list[str]) -> dict[str, Any]:
    names: dict[str, Any] = {"np": np}
    exec("\n".join(lines), names)  # noqa: S102 - what is printed is Python
    return names


@dataclass(frozen=True)
class Given:
    """What can be drawn, but for problems: a mask, an empty array, and options that are no arrays."""

    mask: Any
    bias: Any
    dtype: str = "float16"

    @property
    def axes(self) -> dict[str, str]:
        return {"mask": "qk", "bias": "qk"}

    @property
    def options(self) -> dict[str, Any]:
        return {"mask": self.mask, "bias": self.bias, "scale": -0.1, "window": 3, "causal": True}

    def with_arrays(self, **arrays: Any) -> Given:
        return replace(self, **arrays)


def problem(dtype: str, *, keys: int = 3) -> Problem:
    random = np.random.default_rng(1)
    query, key, value = (in_format(random.standard_normal((1, 2, n, 2)), dtype) for n in (2, keys, keys))
    return Problem(query, key, value, dtype)


def text_of(failure: Disagreement | ImplementationRaised, dtype: str = "float32") -> str:
    return explain(LAW, Subject(targets.declared, dtype), PLAN, problem(dtype), failure)


def line_of(text: str, label: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"  {label} "))


def disagreement(got: Any, expected: Any, bound: float | None = 1e-3, where: tuple[int, ...] = (0,)) -> Disagreement:
    sentence = "1 of 1 elements are outside the derived bound; the worst one:"
    return Disagreement(sentence, got=np.asarray(got), expected=np.asarray(expected), where=where, bound=bound)


@by_dtype
def test_a_literal_is_the_array_to_the_bit(dtype: str) -> None:
    array = extremes(dtype).reshape(1, 1, -1, 1)
    again = evaluated(literal("x", array, dtype))["x"]
    assert again.shape == array.shape
    assert str(again.dtype) == ("float32" if dtype == "bfloat16" else dtype)
    assert again.astype(np.float64).tobytes() == array.tobytes()


def test_a_literal_is_any_number_of_16_bits() -> None:
    bits = np.arange(0, 2**16, 5, dtype=np.uint16)
    for dtype, array in (
        ("float16", bits.view(np.float16)),
        ("bfloat16", (bits.astype(np.uint32) << 16).view(np.float32)),
    ):
        numbers = array[np.isfinite(array)]
        assert evaluated(literal("x", numbers.astype(np.float64), dtype))["x"].tobytes() == numbers.tobytes()


def test_a_literal_is_written_in_the_fewest_digits() -> None:
    assert literal("x", np.array([float(np.float32(0.1)), -0.0]), "float32") == [
        "x = np.array([ 0.1, -0. ], dtype=np.float32)"
    ]


def test_a_number_that_the_dtype_lacks_is_written_whole() -> None:
    assert literal("x", np.array([1 / 3]), "float16") == ["x = np.array([0.3333333333333333], dtype=np.float64)"]


def test_the_rows_of_a_literal_stand_below_each_other() -> None:
    lines = literal("key", np.ones((2, 1, 3, 2)), "float32")
    assert len(lines) == 6
    assert len({line.index("[1.") for line in lines}) == 1


def test_how_numpy_prints_elsewhere_does_not_matter() -> None:
    with np.printoptions(precision=2, suppress=True, sign="+", nanstr="none", threshold=1, legacy="1.13"):
        lines = literal("x", np.array([1e-7, 1 / 3, np.nan]), "float64")
    assert np.array_equal(evaluated(lines)["x"], [1e-7, 1 / 3, np.nan], equal_nan=True)


@by_dtype
def test_a_problem_is_printed_so_that_it_can_be_run(dtype: str) -> None:
    given = problem(dtype)
    names = evaluated(literals(given))
    for name in ("query", "key", "value"):
        assert np.array_equal(names[name], getattr(given, name))


def test_masks_and_options_are_printed_too() -> None:
    given = Given(mask=np.array([[True, False]]), bias=np.array([[0.0, -np.inf]]))
    names = evaluated(literals(given))
    assert names["mask"].dtype == bool
    assert names["mask"].tolist() == [[True, False]]
    assert names["bias"].tolist() == [[0.0, -np.inf]]
    assert (names["scale"], names["window"], names["causal"]) == (-0.1, 3, True)


def test_an_empty_array_keeps_its_shape() -> None:
    array = evaluated(literal("x", np.zeros((1, 0, 3)), "float16"))["x"]
    assert (array.shape, str(array.dtype)) == ((1, 0, 3), "float16")


def test_what_is_too_large_to_read_is_told_by_its_shape() -> None:
    lines = literals(problem("float32", keys=300))
    assert "# key: float32, of shape (1, 2, 300, 2)" in lines
    assert any(line.startswith("query = ") for line in lines)
    evaluated(lines)


@pytest.mark.parametrize(
    ("x", "dtype", "written"),
    [
        (float(np.float32(0.1)), "float32", "0.1"),
        (0.1, "float32", "0.1"),
        (1 / 3, "float32", "0.3333333333333333"),
        (-0.0, "float16", "-0.0"),
        (float(np.float16(0.3)), "float16", "0.3"),
        (np.nan, "float32", "nan"),
        (-np.inf, "float32", "-inf"),
        (1e300, "float16", "1e+300"),
        (0.337890625, "bfloat16", "0.33789062"),
    ],
)
def test_a_number_is_written_in_the_digits_of_its_dtype(x: float, dtype: str, written: str) -> None:
    assert number(x, dtype) == written
    assert number(np.float64(x), dtype) == written


def test_a_failure_says_everything() -> None:
    text = text_of(disagreement([np.float32(0.1)], [0.25]))
    assert text.startswith("declared (float32, promised precision: float32) breaks a law.\n")
    clause = f"  clause    {LAW.clause.id} (§{LAW.clause.section}): {LAW.clause.says}"
    assert clause.split() == text[text.index("  clause") : text.index("  law")].split()
    assert LAW.says in line_of(text, "law")
    assert line_of(text, "problem").startswith("  problem   Plan(")
    assert "    query = np.array([[[[" in text
    assert "outside the derived bound" in text
    assert line_of(text, "at") == "  at        [0]"
    assert line_of(text, "got") == "  got       0.1"
    assert line_of(text, "expected") == "  expected  0.25"
    assert line_of(text, "error") == "  error     0.15, 150 times the bound 0.001"


def test_a_failure_shows_nothing_of_numpy_but_its_literals() -> None:
    text = text_of(disagreement([[0.1, 0.2], [0.3, np.nan]], np.ones((2, 2)), where=(np.int64(1), np.int64(1))))  # type: ignore[arg-type]
    assert "np.float64(" not in text
    assert "np.int64" not in text
    assert line_of(text, "at") == "  at        [1, 1]"
    assert line_of(text, "got") == "  got       nan"


def test_small_answers_are_shown_whole() -> None:
    text = text_of(disagreement([1.0, 0.5], [1.0, 1 / 3], where=(1,)))
    assert "    got = np.array([1. , 0.5], dtype=np.float32)" in text
    assert "    expected = np.array([1.                , 0.3333333333333333], dtype=np.float64)" in text


def test_large_answers_are_not() -> None:
    assert "got = " not in text_of(disagreement(np.zeros(25), np.ones(25)))


@pytest.mark.parametrize(
    ("bound", "words"),
    [(None, "0.5"), (0.0, "0.5, where none is allowed"), (0.125, "0.5, 4 times the bound 0.125")],
)
def test_an_error_is_told_by_its_bound(bound: float | None, words: str) -> None:
    text = text_of(disagreement([1.0], [1.5], bound))
    assert line_of(text, "error") == f"  error     {words}"


def test_a_number_alone_has_no_place() -> None:
    assert "\n  at " not in text_of(disagreement(1.0, 2.0, where=()))


def test_an_answer_of_the_wrong_form_is_told_in_its_sentence() -> None:
    text = text_of(WrongForm("attention returned a list; return one array"))
    assert text.endswith("\n\n  attention returned a list; return one array")


def test_what_raised_broke_nothing() -> None:
    text = text_of(ImplementationRaised("attention raised ValueError: no"))
    assert text.splitlines()[0].endswith("raised where a law asks for an answer.")
    assert "breaks" not in text


def test_a_sample_that_cannot_be_cut_is_not_printed() -> None:
    given = problem("float32")
    whole = Problem(given.query, given.key, given.value, "float32", axes={})
    text = explain(LAW, Subject(targets.declared, "float32"), PLAN, whole, disagreement([0.0], [1.0]))
    assert "query = " not in text


def test_long_sentences_are_wrapped() -> None:
    assert all(len(line) <= 120 for line in text_of(disagreement([0.0], [1.0])).splitlines())
