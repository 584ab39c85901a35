"""The way in which a program imports an implementation and gives it arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from keyword import iskeyword
from pathlib import Path

from attention_tests.declare.features import Step
from attention_tests.declare.implementation import Implementation
from attention_tests.reproducers.program import Expression, Piece
from attention_tests.targets.registry import REGISTRY

TO_NATIVE = """\
def native(array, dtype):
    # to_native is given float64 arrays, and masks.
    return implementation.to_native(array.astype(bool if dtype == "bool" else np.float64, order="C"), dtype)
"""
TO_NUMPY = """\
def numbers(answer):
    return np.asarray(implementation.to_numpy(answer))
"""
TO_NUMPY_OF_BARE = """\
def numbers(answer):
    return np.asarray(answer)
"""


@dataclass(frozen=True)
class CallSyntax:
    """The words of a program for one implementation."""

    target: str
    is_bare: bool = False
    """Whether it is a callable over NumPy arrays, and no `Implementation`."""
    is_adapted: bool = False
    """Whether it is a callable that the suite makes an `Implementation` of."""
    parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, implementation: Implementation) -> CallSyntax:
        """Return the words for an implementation that has a target."""
        parameters = implementation.parameters
        is_bare = parameters is not None
        return cls(implementation.target, is_bare, implementation.refuses and not is_bare, parameters or {})

    @property
    def imports(self) -> list[str]:
        """The lines that import it: as `attention` where it is a bare callable, and else as `implementation`."""
        name = "attention" if self.is_bare else "implementation"
        if self.is_adapted:
            return ["from attention_tests.targets.resolve import resolve", "", f"{name} = resolve({self.target!r})"]
        module, colon, attribute = self.target.partition(":")
        if not colon:
            module, _, attribute = REGISTRY.implementations.place_of(self.target).partition(":")
            return [
                "from attention_tests.environment import suite",
                "",
                "sys.path.insert(0, str(suite.FOLDER))",
                f"from {module} import {attribute} as {name}",
            ]
        if module.endswith(".py"):
            file = Path(module)
            of_file = replace(self, target=f"{file.stem}:{attribute}")
            return [f"sys.path.insert(0, {str(file.parent)!r})", *of_file.imports]
        first, *rest = attribute.split(".")
        if all(part.isidentifier() and not iskeyword(part) for part in (*module.split("."), first, *rest)):
            if not rest:
                return [f"from {module} import {first}" + ("" if first == name else f" as {name}")]
            return [f"from {module} import {first} as found", "", f"{name} = {'.'.join(('found', *rest))}"]
        found = f"importlib.import_module({module!r})"
        for part in (first, *rest):
            found = f"getattr({found}, {part!r})"
        return ["import importlib", "", f"{name} = {found}"]

    def callable(self, step: Step) -> str:
        """Name what is exposed as `step`."""
        return "attention" if self.is_bare else f"implementation.{step.value}"

    def options(self, options: Mapping[str, Piece]) -> list[Piece]:
        """Write options as arguments, under the names that it takes."""
        return [Expression((f"{self.parameters.get(name, name)}=", one)) for name, one in options.items()]

    def native(self, array: Expression, dtype: str, stored: str = "") -> Expression:
        """Turn an array into a native one; a literal is `stored` in some dtype."""
        if not self.is_bare:
            return Expression(("native(", array, f", {dtype!r})"))
        return array if stored == dtype else Expression((array, f'.astype(np.{dtype}, order="C")'))

    @property
    def helpers(self) -> list[str]:
        """The functions by which arrays become native ones, and numbers again."""
        return [TO_NUMPY_OF_BARE] if self.is_bare else [TO_NATIVE, TO_NUMPY]
