"""From a wheel, in an environment of its own, in somebody else's repository: the checkout is nowhere to be found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from attention_tests.environment import suite
from tests.support.action import SHELL, environment, steps

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
KERNELS = """
import numpy as np

def attention(query, key, value):
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.dtype.type(query.shape[-1]))
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ value

def unscaled(query, key, value):
    return attention(query * np.sqrt(query.dtype.type(query.shape[-1])), key, value)
"""
THEIR_OWN = {
    "conftest.py": "raise RuntimeError('their conftest was read')\n",
    "pytest.ini": "[pytest]\naddopts = --their-ini-was-read\n",
    "tox.ini": "[pytest]\naddopts = --their-tox-was-read\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--their-pyproject-was-read'\n",
    "tests/test_theirs.py": "def test_of_theirs():\n    raise RuntimeError('their test was run')\n",
    "mykernels/__init__.py": "",
    "mykernels/flash.py": KERNELS,
}
# Nothing of this is for laws: a plugin that cannot even be imported, options that deselect everything.
FOR_THEIR_TESTS = {"PYTEST_ADDOPTS": "-k nothing_at_all", "PYTEST_PLUGINS": "a_plugin_that_is_not_there"}
A_FEW = ("--profile=quick", "-k", "sum_to_one or every_element or softmax_normalises")


@dataclass(frozen=True)
class Elsewhere:
    """An environment with the wheel in it, and a repository that uses it."""

    environment: Path
    folder: Path

    @property
    def packages(self) -> Path:
        return self.environment / "lib" / PYTHON / "site-packages"

    def run(
        self, *command: str, folder: Path | None = None, given: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "GITHUB"))
        }
        path = f"{self.environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(  # noqa: S603 - our own command
            command,
            cwd=folder or self.folder,
            env=kept | FOR_THEIR_TESTS | {"PATH": path, "COLUMNS": "120"} | (given or {}),
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(suite.FOLDER))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Elsewhere:
    place = Elsewhere(tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("somebody"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place.environment], check=True)  # noqa: S603
    pip("--python", str(place.environment / "bin" / "python"), "install", "--no-deps", "--no-index", str(wheel))
    # The packages that it needs, and nothing that is linked from there: such a line is followed no further.
    (place.packages / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install_a_plugin_that_breaks(place.packages)
    for name, text in THEIR_OWN.items():
        (place.folder / name).parent.mkdir(exist_ok=True)
        (place.folder / name).write_text(text)
    return place


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own command


def install_a_plugin_that_breaks(packages: Path) -> None:
    (packages / "breaks.py").write_text("raise RuntimeError('their plugin was loaded')\n")
    metadata = packages / "breaks-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: breaks\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[pytest11]\nbreaks = breaks\n")


@pytest.fixture(scope="module")
def right(elsewhere: Elsewhere) -> subprocess.CompletedProcess[str]:
    return elsewhere.run("attention-tests", "mykernels.flash:attention", *A_FEW, "-v", "-n", "2", "--junitxml=r/j.xml")


@pytest.fixture(scope="module")
def wrong(elsewhere: Elsewhere) -> subprocess.CompletedProcess[str]:
    verify = steps()["Verify"]
    inputs = {"targets": "mykernels.flash:unscaled", "profile": "quick", "arguments": "-k\nevery_element\n-xq"}
    given = environment(verify, inputs) | {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "step_summary.md"}
    return elsewhere.run(*SHELL, verify["run"], given=given)


def test_the_checkout_is_not_used(elsewhere: Elsewhere) -> None:
    script = (
        "import importlib.util, attention_tests; print(attention_tests.__file__)\n"
        "print([name for name in ('benchmarks', 'properties', 'reference') if importlib.util.find_spec(name)])"
    )
    assert elsewhere.run("python", "-c", script).stdout.splitlines() == [
        str(elsewhere.packages / "attention_tests" / "__init__.py"),
        "[]",
    ]


def recorded(elsewhere: Elsewhere) -> set[Path]:
    (record,) = elsewhere.packages.glob("attention_tests-*.dist-info/RECORD")
    return {Path(line.split(",")[0]) for line in record.read_text("utf-8").splitlines()}


def test_nothing_but_the_package_is_installed(elsewhere: Elsewhere) -> None:
    tops = {path.parts[0] for path in recorded(elsewhere)}
    assert tops == {"attention_tests", f"attention_tests-{suite.version()}.dist-info", ".."}
    assert [path.name for path in recorded(elsewhere) if path.parts[0] == ".."] == ["attention-tests"]


def test_the_package_says_that_it_is_typed_and_carries_what_it_runs(elsewhere: Elsewhere) -> None:
    assert Path("attention_tests/py.typed") in recorded(elsewhere)
    for name in suite.PACKAGES:
        ours = {file.relative_to(suite.FOLDER) for file in (suite.FOLDER / name).rglob("*.py")}
        assert {Path("attention_tests/suite") / file for file in ours} <= recorded(elsewhere)


def test_a_kernel_is_verified(right: subprocess.CompletedProcess[str]) -> None:
    assert right.returncode == pytest.ExitCode.OK, right.stdout + right.stderr
    assert not right.stderr
    assert "PASSED test_precision.py::test_every_element_is_inside_the_derived_bound[mykernels.flash:" in right.stdout


@pytest.mark.parametrize("word", ["their", "a_plugin_that_is_not_there", "nothing_at_all"])
def test_no_configuration_of_the_caller_is_read(right: subprocess.CompletedProcess[str], word: str) -> None:
    assert word not in right.stdout


def test_files_are_written_to_the_callers_folder(right: subprocess.CompletedProcess[str], elsewhere: Elsewhere) -> None:
    assert right.returncode == pytest.ExitCode.OK
    assert next(ET.parse(elsewhere.folder / "r" / "j.xml").iter("testcase")) is not None  # noqa: S314 - we wrote it
    found = (file for file in (elsewhere.packages / "attention_tests").rglob("*") if file.is_file())
    assert {file.relative_to(elsewhere.packages) for file in found if file.suffix != ".pyc"} <= recorded(elsewhere)


def test_a_wrong_kernel_is_stopped_at_the_first_law_that_it_breaks(wrong: subprocess.CompletedProcess[str]) -> None:
    assert wrong.returncode == pytest.ExitCode.TESTS_FAILED
    assert "mykernels.flash:unscaled (float" in wrong.stdout
    assert "stopping after 1 failures" in wrong.stdout


def test_github_gets_the_line_of_the_kernel(wrong: subprocess.CompletedProcess[str]) -> None:
    line = 1 + KERNELS.splitlines().index("def unscaled(query, key, value):")
    assert f"\n::error file=mykernels/flash.py,line={line},title=test_" in wrong.stdout


def test_github_gets_the_summary(wrong: subprocess.CompletedProcess[str], elsewhere: Elsewhere) -> None:
    assert wrong.returncode == pytest.ExitCode.TESTS_FAILED
    summary = (elsewhere.folder / "step_summary.md").read_text("utf-8")
    assert summary == (elsewhere.folder / "attention-report" / "summary.md").read_text("utf-8")
    assert "mykernels.flash:unscaled" in summary


def test_laws_are_listed(elsewhere: Elsewhere) -> None:
    listed = elsewhere.run("attention-tests", "numpy", "--collect-only", "-q", "--dtype=float64", "-k", "every_element")
    assert listed.stdout.splitlines()[0] == (
        "test_precision.py::test_every_element_is_inside_the_derived_bound[numpy-float64]"
    )


def test_a_name_clash_is_explained(elsewhere: Elsewhere, tmp_path: Path) -> None:
    (tmp_path / "reference.py").touch()
    refused = elsewhere.run("attention-tests", "numpy", folder=tmp_path)
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR
    assert refused.stderr == (
        f"ERROR: the suite has a package 'reference' of its own, which hides {tmp_path / 'reference.py'}: "
        "rename yours, or run the command in another folder\n"
    )


ONE_LINE = """
from attention_tests import conformance
from mykernels.flash import attention, unscaled

test_flash = conformance(attention, profile="quick", dtypes=("float32",))
test_wrong = conformance(unscaled, profile="quick", dtypes=("float32",))
"""


@pytest.fixture(scope="module")
def one_line(elsewhere: Elsewhere, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one_line")
    (folder / "test_flash.py").write_text(ONE_LINE)
    shutil.copytree(elsewhere.folder / "mykernels", folder / "mykernels")
    return folder


def test_one_line_in_a_file_of_the_caller_is_enough(elsewhere: Elsewhere, one_line: Path) -> None:
    command = ("python", "-m", "pytest", "-v", "-k", "every_element_is_inside")
    done = elsewhere.run(*command, folder=one_line, given={"PYTEST_ADDOPTS": "-p no:breaks", "PYTEST_PLUGINS": ""})
    law = "every_element_is_inside_the_derived_bound-float32"
    assert f"test_flash.py::test_flash[{law}] PASSED" in done.stdout, done.stdout + done.stderr
    assert f"test_flash.py::test_wrong[{law}] FAILED" in done.stdout
    assert "mykernels.flash:unscaled (float32, promised precision: float32) breaks a law." in done.stdout


TYPED = """
from attention_tests import conformance

def attention(query: object, key: object, value: object) -> object:
    return value

test_flash = conformance(attention, profile="quick", dtypes=("float32",))
reveal_type(test_flash)
conformance(3)
"""


def test_the_line_is_typed(elsewhere: Elsewhere, one_line: Path) -> None:
    (one_line / "typed.py").write_text(TYPED)
    python = str(elsewhere.environment / "bin" / "python")
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "typed.py"]
    said = subprocess.run(command, cwd=one_line, capture_output=True, text=True, check=False).stdout  # noqa: S603
    assert 'typed.py:8: note: Revealed type is "def (*Any, **Any)"' in said
    assert 'typed.py:9: error: Argument 1 to "conformance" has incompatible type "int"' in said
    assert "Found 1 error in 1 file" in said
