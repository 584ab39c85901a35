"""The target `field`: every library that is installed, each in a process of its own, and why not the others."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import pytest

import noxfile
from attention_tests.engine.profiles import QUICK
from attention_tests.environment.suite import FOLDER
from attention_tests.execution.isolation import POSSIBLE, Isolation
from attention_tests.execution.isolation.executor import RemoteExecutor
from attention_tests.pytest_plugin.run import Run
from attention_tests.targets import entry_points, field
from attention_tests.targets.field import FIELD, known, look_for
from attention_tests.targets.registry import REGISTRY, Shipped
from attention_tests.text.wording import BadTarget
from implementations import SHIPPED

LOST = "lost needs the package 'nowhere_to_be_found', which is not installed: pip install attention-tests[nowhere]"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One implementation whose package is installed, one whose is not, and one that only its import finds wanting."""
    (tmp_path / "adapts_nowhere.py").write_text("import numpy\nimport nowhere_to_be_found.inner\n")
    (tmp_path / "adapts_numpy.py").write_text(
        "import numpy as np\nfrom implementations.numpy.whole import ONLINE as IT\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("adapts_nowhere", "adapts_numpy"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    own = {"numpy-steps": "implementations.numpy.steps:STEPS"}
    few = Shipped(
        in_gate={"": own, "scipy": {"numpy": "implementations.numpy.whole:WHOLE"}},
        in_field={"nowhere": {"lost": "adapts_nowhere:IT"}, "here": {"found": "adapts_numpy:IT"}},
        expectations=SHIPPED.expectations,
    )
    monkeypatch.setattr(REGISTRY, "implementations", few)


@pytest.mark.usefixtures("registry")
def test_a_package_that_is_missing_is_named_with_its_extra_and_nothing_is_imported() -> None:
    look_for("found")
    with pytest.raises(BadTarget, match="lost needs") as refused:
        look_for("lost")
    assert str(refused.value) == LOST
    assert not {"adapts_nowhere", "adapts_numpy"} & set(sys.modules)


@pytest.mark.usefixtures("registry")
@pytest.mark.skipif(not POSSIBLE, reason="processes of their own need Linux")
def test_installed_libraries_run_in_own_processes_and_others_are_reported() -> None:
    run = Run(QUICK)
    run.load_targets([FIELD], ["float32"])
    assert [repr(subject) for subject in run.subjects] == ["numpy-float32"]
    assert isinstance(run.subjects[0].executor, RemoteExecutor)
    # To the process, which knows the real registry, `found` is no name at all.
    lost, unknown = run.missing
    assert lost == LOST
    assert "'found' is not known" in unknown


@pytest.mark.usefixtures("registry")
def test_no_process_is_started_if_isolation_is_off() -> None:
    run = Run(QUICK, isolation=Isolation(everything=False))
    run.load_targets([FIELD], ["float32"])
    assert [repr(subject) for subject in run.subjects] == ["numpy-float32", "numpy-online-float32"]
    assert not any(isinstance(subject.executor, RemoteExecutor) for subject in run.subjects)


@pytest.mark.usefixtures("registry")
def test_an_unsupported_library_version_is_reported_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "adapts_another.py").write_text("from numpy import a_word_of_numpy_5\n")
    another = replace(REGISTRY.implementations, in_field={"numpy-5": {"another": "adapts_another:IT"}})
    monkeypatch.setattr(REGISTRY, "implementations", another)
    run = Run(QUICK, isolation=Isolation(everything=False))
    run.load_targets([FIELD], ["float32"])
    (sentence,) = run.missing
    assert sentence.startswith("another does not go with what is installed (ImportError: cannot import name 'a_word_of")
    assert sentence.endswith("): pip install attention-tests[numpy-5]")
    assert "\n" not in sentence


@pytest.mark.parametrize("name", SHIPPED.names())
def test_a_missing_package_leaves_out_its_implementations(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def suite_alone(module: str) -> ModuleSpec | None:
        return find_spec(module) if module.startswith("implementations.") else None

    monkeypatch.setattr(field, "find_spec", suite_alone)
    with pytest.raises(BadTarget, match=f"^{name} needs the package '"):
        look_for(name)


@pytest.mark.parametrize("name", SHIPPED.gate())
def test_all_of_the_gate_is_there(name: str) -> None:
    look_for(name)


def test_entry_points_of_other_packages_are_known_without_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_points, "names", lambda: ["brought"])
    look_for("brought")
    assert known() == (*filter(SHIPPED.extra_of, SHIPPED.names()), "brought")


def test_every_library_has_an_environment() -> None:
    extras = {SHIPPED.extra_of(name) for name in SHIPPED.names()} - {""}
    assert {extra for together in noxfile.ENVIRONMENTS.values() for extra in together} == extras


def test_every_requirement_of_an_extra_has_a_minimum_version() -> None:
    needed = [one for extras in noxfile.ENVIRONMENTS.values() for one in noxfile.required(extras)]
    for requirement in (*needed, *noxfile.PROJECT["dependencies"]):
        assert "==" in noxfile.at_its_lowest(requirement)
    assert noxfile.at_its_lowest("mlx-cpu>=0.32; sys_platform == 'linux'") == "mlx-cpu==0.32"


@pytest.mark.parametrize("name", SHIPPED.names())
def test_each_implementation_is_where_the_registry_says(name: str) -> None:
    module, _, attribute = SHIPPED.place_of(name).partition(":")
    source = FOLDER.joinpath(*module.split(".")).with_suffix(".py").read_text()
    parts = (part for line in ast.parse(source).body if isinstance(line, ast.Assign) for part in ast.walk(line))
    assert attribute in {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
