"""A target that cannot be verified is refused in one sentence: what, where, what to do."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attention_tests import Dialect, Implementation, Layout, Precision
from attention_tests.declare.validation import problems_of
from attention_tests.execution.subject import Subject
from attention_tests.execution.subjects import subjects_of, trial
from attention_tests.targets.resolve import resolve
from attention_tests.text.wording import BadTarget
from tests.support import bare, targets


def refusal(target: str) -> str:
    with pytest.raises(BadTarget) as refused:
        resolve(target)
    sentence = str(refused.value)
    assert "\n" not in sentence
    return sentence


def assert_says(sentence: str, *words: str) -> None:
    for word in words:
        assert word in sentence


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("numpyy", ["'numpyy'", "did you mean 'numpy'?", "torch", "package.module:callable"]),
        ("mykernels", ["'mykernels'", "package.module:callable"]),
        ("", ["''", "package.module:callable"]),
        ("targets:", ["'targets:'", "package.module:callable"]),
        (":attention", ["':attention'", "package.module:callable"]),
        ("flash.py", ["'flash.py' is half a target", "flash.py:name"]),
        ("no_such_module:attention", ["no module 'no_such_module'", "check the spelling"]),
        ("tests.support.no_such_module:attention", ["no module 'tests.support.no_such_module'"]),
        ("tests.support.targets:atention", ["'atention'", "did you mean 'attention'?"]),
        ("tests.support.targets:made.widht", ["'widht'", "did you mean 'width'?"]),
        ("tests.support.targets:lazy.attention", ["ImportError", "the other half", "targets.py:", "mend that"]),
        ("tests.support.targets:number", ["an int", "cannot be called", "attention(query, key, value"]),
        ("tests.support.targets:WantsAWidth", ["is a class", "raised TypeError", "get_init_inputs() that returns"]),
        ("tests.support.targets:takes_only_words", ["(words", "too many positional", "attention(query, key, value"]),
        ("tests.support.targets:exposes_nothing", ["nothing to verify", "attention", "softmax"]),
        ("reference.mine:attention", ["'reference' of its own", "'reference.mine'", "another name"]),
    ],
)
def test_an_invalid_target_is_refused(target: str, words: list[str]) -> None:
    assert_says(refusal(target), *words)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise RuntimeError('no GPU\\nat all')", ["raised RuntimeError: no GPU (", "mine.py:1)", "mend that first"]),
        ("raise RuntimeError", ["raised RuntimeError: no message (", "mine.py:1)"]),
        ("def attention(:", ["raised SyntaxError", "mine.py, line 1"]),
        ("import sys\nsys.exit(2)", ["raised SystemExit: 2", "mine.py:2"]),
        ("import no_such_library", ["needs the module 'no_such_library'", "not installed"]),
        ("import reference.mine", ["'reference' of its own", "'reference.mine'"]),
    ],
)
def test_a_module_that_cannot_be_imported_is_refused(folder: Path, source: str, words: list[str]) -> None:
    (folder / "mine.py").write_text(source)
    assert_says(refusal("mine:attention"), "mine", *words)


@pytest.mark.parametrize("written", ["kept/theirs.py:attention", "./kept/theirs.py:attention"])
def test_a_file_may_be_named(folder: Path, written: str) -> None:
    (folder / "kept").mkdir()
    (folder / "kept" / "theirs.py").write_text("def attention(q, k, v): return v\n")
    assert resolve(written).name == written
    assert_says(refusal("kept/no_such.py:attention"), "there is no file kept/no_such.py", f"in {folder}")


def test_a_class_is_made_of_what_its_module_gives_it(folder: Path) -> None:
    (folder / "wide.py").write_text(
        "class Model:\n"
        "    def __init__(self, width): self.width = width\n"
        "    def __call__(self, query, key, value): return value[..., :self.width]\n"
        "def get_init_inputs(): return [3]\n"
    )
    attention = resolve("wide:Model").attention
    assert attention is not None
    assert attention(*[np.zeros((1, 1, 2, 4))] * 3).shape == (1, 1, 2, 3)


def test_a_module_is_found_in_the_folder_of_the_caller(folder: Path) -> None:
    (folder / "found_here.py").write_text("import warnings\nwarnings.warn('old')\ndef attention(q, k, v): return v\n")
    assert resolve("found_here:attention").name == "found_here:attention"


def test_a_package_of_the_caller_does_not_hide_the_suites(folder: Path) -> None:
    (folder / "own.py").write_text("def attention(q, k, v): return v\n")
    resolve("own:attention")
    assert sys.path[-1] == str(folder)


def test_a_library_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "implementations.torch.operators", raising=False)
    assert_says(refusal("torch"), "torch", "not installed", "pip install attention-tests[torch]")


@pytest.mark.parametrize("target", ["numpy", "tests.support.targets:declared", "tests.support.targets:made"])
def test_a_valid_target_is_found(target: str) -> None:
    assert resolve(target).attention is not None


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"attention": 3}, ["attention is an int", "give a function"]),
        ({"softmax": "exp"}, ["softmax is a str", "give a function"]),
        ({"to_native": None}, ["to_native is a NoneType"]),
        ({"dtypes": {}}, ["dtypes must map"]),
        ({"dtypes": ("float32",)}, ["dtypes must map"]),
        ({"dtypes": {"float23": Precision.float32()}}, ["'float23'", "did you mean 'float32'?"]),
        ({"dtypes": {"float32": "float32"}}, ["float32 promises a str", "give a Precision"]),
        ({"dtypes": {"float16": Precision.flash("flaot16")}}, ["'flash'", "weights='flaot16'", "'float16'?"]),
        ({"dtypes": {"float32": replace(Precision.float32(), merges=-1)}}, ["merges=-1", "from 0 on"]),
        ({"supports": {"lenghts"}}, ["supports", "'lenghts'", "did you mean 'lengths'?"]),
        ({"dialect": Dialect(layout="BHLD")}, ["layout='BHLD' is no Layout", "attention_tests.declare.dialect.Layout"]),  # type: ignore[arg-type]
        ({"dialect": Dialect(causal_windows=True)}, ["causal_windows=True", "add Feature.CAUSAL"]),
        ({"dialect": "BLHD"}, ["dialect is a str", "give a Dialect"]),
    ],
)
def test_an_inconsistent_declaration_is_refused(declared: dict[str, Any], words: list[str]) -> None:
    assert_says(next(problems_of(replace(targets.declared, **declared))), *words)


@pytest.mark.parametrize("layout", Layout)
def test_a_consistent_declaration_is_accepted(layout: Layout) -> None:
    dtypes = {"bfloat16": Precision.pure("bfloat16"), "float32": Precision.tf32()}
    assert not list(problems_of(replace(targets.declared, dtypes=dtypes, dialect=Dialect(layout=layout))))


def test_a_dtype_that_nothing_declares_is_refused() -> None:
    with pytest.raises(BadTarget, match="'float23' is not known: did you mean 'float32'"):
        subjects_of([targets.declared], ("float64", "float23"))


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(BadTarget, match="2 implementations are named 'declared'"):
        subjects_of([targets.declared, targets.declared])


def test_only_the_dtypes_asked_for_are_verified() -> None:
    assert [subject.dtype for subject in subjects_of([targets.declared], ("float32",))] == ["float32"]


SHAPE = "one array of shape (1, 1, 2, 2)"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("returns_none", ["returned None", SHAPE]),
        ("returns_a_list", ["returned a list", SHAPE]),
        ("returns_a_tuple", ["returned a tuple", SHAPE]),
        ("returns_text", ["returned a str", SHAPE]),
        ("returns_an_object", ["a SimpleNamespace, which is no array", SHAPE]),
        ("returns_integers", ["dtype int64", "of real floating-point numbers"]),
        ("returns_complex_numbers", ["dtype complex128", "of real floating-point numbers"]),
        ("returns_objects", ["dtype object", "of real floating-point numbers"]),
        ("returns_another_shape", ["shape (1, 1, 2, 2, 1)", SHAPE]),
        ("raises", ["raised ValueError: no kernel for this device (", "targets.py:", "(1, 1, 2, 2)"]),
        ("exits", ["raised SystemExit: 3"]),
    ],
)
def test_a_target_that_gives_no_answer_is_not_verified(name: str, words: list[str]) -> None:
    sentence = trial(Subject(resolve(f"tests.support.targets:{name}"), "float64"))
    assert "\n" not in sentence
    assert_says(sentence, f"{name}-float64: attention", *words)


@pytest.mark.parametrize("name", ["attention", "made", "prints", "warns", "raises_on_seven_keys"])
def test_a_target_that_answers_is_verified(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not trial(Subject(resolve(f"tests.support.targets:{name}"), "float64"))
    assert not capsys.readouterr().out


def test_a_dtype_that_numpy_lacks_needs_a_conversion() -> None:
    bfloat16 = Implementation(
        name="no way in",
        attention=targets.attention,
        dtypes={"bfloat16": Precision.upcast()},
    )
    assert_says(trial(Subject(bfloat16, "bfloat16")), "to_native", "NumPy has no bfloat16", "TypeError")


@pytest.mark.parametrize("domain", bare.DOMAINS)
def test_a_trial_call_is_one_of_the_domain(domain: str) -> None:
    within = bare.DOMAINS[domain]
    kernel = bare.within(within, bare.plain)
    assert not trial(Subject(replace(targets.declared, attention=kernel, domain=within), "float64"))


def test_a_target_of_steps_alone_needs_no_trial_call() -> None:
    assert not trial(Subject(replace(targets.declared, attention=None, softmax=lambda scores: scores), "float64"))


def test_an_interruption_is_not_an_answer() -> None:
    with pytest.raises(KeyboardInterrupt):
        trial(Subject(resolve("tests.support.targets:is_interrupted"), "float64"))
