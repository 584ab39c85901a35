"""The command from end to end: what it prints, and the code that it ends with."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from attention_tests.cli import main
from attention_tests.environment import suite
from attention_tests.pytest_plugin import options
from implementations import SHIPPED

WORDS_OF_OTHERS = ("Traceback", "hypothesis", "Hypothesis", "INTERNALERROR", "site-packages", "pyfuncitem")
A_FEW = ("--profile=quick", "-k", "sum_to_one or every_element or softmax_normalises", "-p", "no:randomly")
SEVERAL = ("attention", "forgets_the_scale", "declared_for_seven_keys", "drops_a_column_for_seven_keys", "prints")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(folder, "attention_tests", *arguments)


def ended(*arguments: str) -> object:
    """Return the code that the command ends with where nothing is verified."""
    with pytest.raises(SystemExit) as end:
        main([*arguments])
    return end.value.code


def python(folder: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(suite.FOLDER), "COLUMNS": "120", "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def table(output: str, title: str) -> list[str]:
    lines = output.splitlines()
    start = next(i for i, line in enumerate(lines) if f"= {title} =" in line)
    end = next(i for i, line in enumerate(lines[start + 1 :], start + 1) if line.startswith(("===", "!!!")))
    return lines[start + 1 : end]


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line]
    assert len(lines) == 1, lines
    return lines[0]


def test_numpy_is_not_imported_before_the_command_has_said_how_many_threads_it_gets(tmp_path: Path) -> None:
    (tmp_path / "imports.py").write_text("import sys, attention_tests.cli; print('numpy' in sys.modules)")
    assert python(tmp_path, "imports").stdout == "False\n"


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    return run(tmp_path_factory.mktemp("caller"), *named(SEVERAL), *A_FEW, "-v", "--junitxml=report.xml")


def named(targets: Iterable[str]) -> list[str]:
    return [f"tests.support.targets:{target}" for target in targets]


def words_of(done: subprocess.CompletedProcess[str], law: str, target: str) -> set[str]:
    lines = (line for line in done.stdout.splitlines() if f"::{law}[tests.support.targets:{target}-float" in line)
    return {line.split()[1] for line in lines if not line.startswith(("FAILED", "ERROR"))}


def test_one_failure_is_enough_to_end_with_one(several: subprocess.CompletedProcess[str]) -> None:
    assert several.returncode == pytest.ExitCode.TESTS_FAILED
    assert not several.stderr


@pytest.mark.parametrize(
    ("target", "word"),
    [
        ("attention", "PASSED"),
        ("forgets_the_scale", "FAILED"),
        ("declared_for_seven_keys", "ERROR"),
        ("drops_a_column_for_seven_keys", "FAILED"),
        ("prints", "FAILED"),
    ],
)
def test_each_outcome_is_printed_as_its_verdict(
    several: subprocess.CompletedProcess[str], target: str, word: str
) -> None:
    assert words_of(several, "test_every_element_is_inside_the_derived_bound", target) == {word}
    assert words_of(several, "test_softmax_normalises_the_exponentials", target) == {"UNSUPPORTED"}


def test_the_table_counts_what_was_deselected_as_not_run(several: subprocess.CompletedProcess[str]) -> None:
    rows = {line.split()[0]: line for line in table(several.stdout, "promises")[2:]}
    assert len(rows) == len(SEVERAL)
    assert all(" not run, " in row and " 1 unsupported" in row for row in rows.values())


def test_no_output_of_kernels_or_pytest_is_printed(several: subprocess.CompletedProcess[str]) -> None:
    for word in (*WORDS_OF_OTHERS, "a kernel speaks"):
        assert word not in several.stdout


def test_a_failure_is_named_without_the_path_of_the_suite(several: subprocess.CompletedProcess[str]) -> None:
    assert "\nFAILED test_precision.py::test_every_element_is_inside_the_derived_bound[" in several.stdout


def test_a_failure_is_explained(several: subprocess.CompletedProcess[str]) -> None:
    assert "forgets_the_scale (float32, promised precision: float32) breaks a law." in several.stdout
    assert "  law       Every element of the output is within the error bound derived" in several.stdout


def test_workers_report_what_one_process_does(several: subprocess.CompletedProcess[str], tmp_path: Path) -> None:
    shared = run(tmp_path, *named(SEVERAL), *A_FEW, "-v", "-n", "2")
    assert shared.returncode == several.returncode
    for title in ("verdicts: properties of each clause", "promises"):
        assert table(shared.stdout, title) == table(several.stdout, title)


def test_workers_report_all_that_is_installed_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('No module named torch', name='torch')\n")
    options = [f"--rootdir={tmp_path}", f"--config-file={suite.CONFIGURATION}", "-pno:cacheprovider", "-n2", *A_FEW]
    done = python(tmp_path, "pytest", *options, str(suite.FOLDER / "properties"))
    assert done.returncode == pytest.ExitCode.OK
    rows = [line.split()[0] for line in table(done.stdout, "promises")[2:]]
    assert list(dict.fromkeys(rows)) == [name for name in SHIPPED.gate() if not name.startswith("torch")]
    assert "torch-steps needs the package 'torch', which is not installed" in "\n".join(table(done.stdout, "not run"))


def test_a_report_for_other_machines_is_written(tmp_path: Path) -> None:
    done = run(tmp_path, *named(["forgets_the_scale"]), *A_FEW, "--dtype=float32", "--junitxml=report.xml")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    found = ET.parse(tmp_path / "report.xml").getroot()  # noqa: S314 - we wrote it
    failures = [case.attrib["name"] for case in found.iter("testcase") if case.find("failure") is not None]
    assert failures == [
        "test_every_element_is_inside_the_derived_bound[tests.support.targets:forgets_the_scale-float32]"
    ]


def test_a_function_of_the_caller_passes(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from tests.support.targets import attention\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('a caller has tests of his own')\n")
    done = run(tmp_path, "mine:attention", *A_FEW)
    assert done.returncode == pytest.ExitCode.OK
    assert "mine:attention" in done.stdout


def test_an_interruption_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from attention_tests import Implementation\n"
        "from tests.support.targets import attention as right\n"
        "def interrupted(query, key, value):\n"
        "    if key.shape[-2] == 7:\n"
        "        raise KeyboardInterrupt\n"
        "    return right(query, key, value)\n"
        "attention = Implementation(name='mine', attention=interrupted)\n"
    )
    done = run(tmp_path, "mine:attention", "--no-isolate", *A_FEW)
    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert all(" not run" in row for row in table(done.stdout, "promises")[2:])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no_such_module:attention"], "no module 'no_such_module'"),
        (named(["returns_none"]), "nothing could be verified: tests.support.targets:returns_none-float64: attention"),
        (["numpy", "--profile", "quik"], "did you mean 'quick'?"),
        (["numpy", "--dtype", "float23"], "did you mean 'float32'?"),
        (["numpy", "--proflie=quick"], "did you mean '--profile'?"),
        (["numpy", "--see=x"], "did you mean '--seed'?"),
        (["numpy", "--seed=x"], "argument --seed: invalid int value: 'x'"),
    ],
)
def test_a_run_that_verifies_nothing_prints_one_sentence(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert words in sentence(done)


def test_without_a_gpu_nothing_is_verified_there(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    done = run(tmp_path, "field", "--device=cuda")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "nothing could be verified: PyTorch's kernels for a GPU are not run" in sentence(done)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["numpy", "-h"]])
def test_usage_is_shown(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(*arguments) == pytest.ExitCode.OK
    printed = capsys.readouterr().out
    assert printed.startswith("usage: attention-tests TARGET")
    assert set(SHIPPED.names()) <= set(re.split(r"[\s,]+", printed))
    assert max(map(len, printed.splitlines())) <= 120


def test_every_option_is_shown_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    flags: list[str] = []
    options.declare(lambda flag, **_: flags.append(flag))
    assert flags
    ended("--help")
    _, *shown = re.split(
        r"^  (?=--)", capsys.readouterr().out.partition("options of the suite:")[2], flags=re.MULTILINE
    )
    assert [text.split()[0].strip(",") for text in shown] == flags
    assert all("default: " in " ".join(text.split()) for text in shown)


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--version") == pytest.ExitCode.OK
    assert capsys.readouterr().out == f"attention-tests {suite.version()}\n"


@pytest.mark.parametrize("arguments", [["--profile=quick"], ["--profile=quick", "torch"], ["-k", "softmax", "torch"]])
def test_options_before_a_target_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(*arguments) == pytest.ExitCode.USAGE_ERROR
    assert f"attention-tests numpy {' '.join(arguments)}\n" in capsys.readouterr().err


@pytest.mark.parametrize("name", suite.PACKAGES)
@pytest.mark.parametrize("form", ["{}.py", "{}/__init__.py"])
def test_a_package_of_the_caller_that_would_be_shadowed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, form: str
) -> None:
    theirs = tmp_path / form.format(name)
    theirs.parent.mkdir(exist_ok=True)
    theirs.touch()
    monkeypatch.chdir(tmp_path)
    assert ended("numpy") == pytest.ExitCode.USAGE_ERROR
    message = capsys.readouterr().err
    assert f"package {name!r} of its own" in message
    assert str(theirs) in message


def test_a_folder_that_is_no_package_shadows_nothing(tmp_path: Path) -> None:
    for name in suite.PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "notes.txt").touch()
    assert run(tmp_path, "numpy", "--dtype=float64", *A_FEW).returncode == pytest.ExitCode.OK
