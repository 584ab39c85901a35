"""The action for GitHub, as its runner reads it."""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml import YAML

from attention_tests.environment import suite

ACTION = suite.FOLDER / "action.yml"
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")


def action() -> Any:
    return YAML(typ="safe").load(ACTION)


def steps() -> dict[str, Any]:
    return {step["name"]: step for step in action()["runs"]["steps"]}


def environment(step: dict[str, Any], inputs: dict[str, str]) -> dict[str, str]:
    given = {name: declared.get("default", "") for name, declared in action()["inputs"].items()} | inputs
    named = {name: re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", value) for name, value in step["env"].items()}
    return {name: given[found.group(1)] for name, found in named.items() if found}
