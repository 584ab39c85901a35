"""The action for GitHub: what it hands to the command, that no input is code, and that GitHub understands it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from attention_tests.environment import suite
from attention_tests.expectations.book import IN_THIS_FOLDER
from tests.support.action import ACTION, SHELL, action, environment, steps

RECIPES = suite.FOLDER / "docs" / "how-to" / "ci.md"
SCHEMAS = {"GitHub": "github-workflows", "GitLab": "gitlab-ci", "Azure Pipelines": "azure-pipelines"}
# It writes down what it was called with, makes a report unless it is to make none, and ends with the code it is told.
COMMAND = """#!/usr/bin/env bash
printf '%s\\n' "$@" > arguments
if [ -z "$NO_REPORT" ]; then mkdir -p "report of mine" && echo "# one law is broken" > "report of mine/summary.md"; fi
exit "${CODE:-0}"
"""
HOSTILE = "$(touch pwned) `touch pwned` \"; touch pwned; ' && touch pwned *"


def run(folder: Path, name: str, inputs: dict[str, str], **variables: str) -> subprocess.CompletedProcess[str]:
    for name_of_one in ("attention-tests", "python"):
        (folder / name_of_one).write_text(COMMAND)
        (folder / name_of_one).chmod(0o755)
    step = steps()[name]
    given = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(folder / "step_summary"),
        "GITHUB_ACTION_PATH": "/actions/attention tests",
        "NO_REPORT": "",
    }
    given |= environment(step, inputs) | variables
    command = [*SHELL, step["run"]]
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)  # noqa: S603


def arguments(folder: Path) -> list[str]:
    return (folder / "arguments").read_text("utf-8").splitlines()


def test_the_command_gets_what_is_needed(tmp_path: Path) -> None:
    assert run(tmp_path, "Verify", {"targets": "mine:attention"}).returncode == 0
    assert arguments(tmp_path) == ["mine:attention", "--profile=default", "--report=attention-report"]


def test_the_command_gets_what_is_asked_for(tmp_path: Path) -> None:
    inputs = {
        "targets": "mine:attention\n\nmine:other\n",
        "profile": "quick",
        "expectations": "known failures.toml",
        "arguments": "-k\nsoftmax or mask\n-n2",
        "report": "report of mine",
    }
    assert run(tmp_path, "Verify", inputs).returncode == 0
    assert arguments(tmp_path) == [
        "mine:attention",
        "mine:other",
        "--profile=quick",
        "--report=report of mine",
        "--expectations=known failures.toml",
        "-k",
        "softmax or mask",
        "-n2",
    ]


@pytest.mark.parametrize("code", ["0", "1", "4"])
def test_the_step_ends_as_the_command_does_with_its_summary(tmp_path: Path, code: str) -> None:
    (tmp_path / "step_summary").write_text("before\n")
    done = run(tmp_path, "Verify", {"targets": "mine:attention", "report": "report of mine"}, CODE=code)
    assert done.returncode == int(code)
    assert (tmp_path / "step_summary").read_text("utf-8") == "before\n# one law is broken\n"


def test_a_command_that_writes_no_report_causes_no_second_failure(tmp_path: Path) -> None:
    done = run(tmp_path, "Verify", {"targets": "mine:attention"}, CODE="4", NO_REPORT="yes")
    assert done.returncode == 4
    assert not done.stderr


@pytest.mark.parametrize(
    ("version", "package"), [("", "/actions/attention tests"), ("0.1.0", "attention-tests==0.1.0")]
)
def test_the_package_is_that_of_the_action_or_a_release(tmp_path: Path, version: str, package: str) -> None:
    assert run(tmp_path, "Install", {"version": version}).returncode == 0
    assert arguments(tmp_path) == ["-m", "pip", "install", package]


@pytest.mark.parametrize("name", ["Install", "Verify"])
def test_no_input_is_code(tmp_path: Path, name: str) -> None:
    run(tmp_path, name, dict.fromkeys(action()["inputs"], HOSTILE))
    assert not (tmp_path / "pwned").exists()
    assert any(HOSTILE in argument for argument in arguments(tmp_path))


def test_no_input_is_written_into_a_script() -> None:
    assert not [name for name, step in steps().items() if "${{" in step.get("run", "")]


def test_every_input_is_used() -> None:
    text = ACTION.read_text("utf-8").partition("runs:")[2]
    assert not [name for name in action()["inputs"] if f"inputs.{name}" not in text]


def test_third_party_actions_are_pinned_to_a_commit() -> None:
    used = [step["uses"] for step in steps().values() if "uses" in step]
    assert len(used) == 2
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", name) for name in used)


def assert_valid(schema: str, *files: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    assert done.returncode == 0, done.stdout


def test_github_understands_the_action() -> None:
    assert_valid("github-actions", ACTION)


def test_a_misspelt_action_is_not_understood(tmp_path: Path) -> None:
    (tmp_path / "action.yml").write_text(ACTION.read_text("utf-8").replace("using: composite", "using: composit"))
    with pytest.raises(AssertionError, match="composit"):
        assert_valid("github-actions", tmp_path / "action.yml")


def recipes(service: str) -> list[str]:
    _, _, section = RECIPES.read_text("utf-8").partition(f"## {service}\n")
    return re.findall(r"```yaml\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)


@pytest.mark.parametrize("service", SCHEMAS)
def test_the_recipes_are_understood(tmp_path: Path, service: str) -> None:
    (recipe,) = recipes(service)
    (tmp_path / "recipe.yml").write_text(recipe)
    assert_valid(SCHEMAS[service], tmp_path / "recipe.yml")


def test_the_workflow_uses_only_existing_inputs() -> None:
    (recipe,) = recipes("GitHub")
    used = [
        step["with"]
        for job in YAML(typ="safe").load(recipe)["jobs"].values()
        for step in job["steps"]
        if "/attention-tests@" in step.get("uses", "")
    ]
    assert len(used) == 1
    assert used[0].keys() <= action()["inputs"].keys()


def test_the_recipe_describes_every_input_and_names_the_file_that_is_read() -> None:
    text = RECIPES.read_text("utf-8")
    described = [
        name for line in text.splitlines() if line.startswith("| `") for name in line.split("|")[1].split(", ")
    ]
    assert {name.strip(" `") for name in described} == set(action()["inputs"])
    assert f"`{IN_THIS_FOLDER}`" in text
