"""The registry: the suite's own implementations and laws, handed in by the pytest plugin.

They lie in packages that only whoever runs the suite can import. So the rooms below the plugin never import them: they
look into the registry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from attention_tests.declare.implementation import Implementation

Places = Mapping[str, Mapping[str, str]]
"""The place of each implementation, as `module:attribute`, by name, under the extra that installs its library."""


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """The implementations that the suite ships, by name; listing the names imports none."""

    in_gate: Places = field(default_factory=dict)
    """Those that are verified where none is named."""
    in_field: Places = field(default_factory=dict)
    """Those that are verified only when named: they need more time, or more libraries, than a gate should."""
    for_gpu: Mapping[str, str] = field(default_factory=dict)
    """Those of the field that need a GPU."""
    expectations: Path = Path()
    """The folder that says what is expected of them, a file for each library."""

    def names(self) -> tuple[str, ...]:
        """Return the name of every implementation."""
        return (*self.gate(), *_names_in(self.in_field))

    def gate(self) -> tuple[str, ...]:
        """Return the names of those that are verified where none is named."""
        return _names_in(self.in_gate)

    def on_a_gpu(self) -> tuple[str, ...]:
        """Return the names of those that need a GPU."""
        return tuple(self.for_gpu)

    def libraries(self) -> dict[str, list[str]]:
        """Return the names of the implementations of each library, whatever backend its extras add to it."""
        of_libraries: dict[str, list[str]] = {}
        for extra, places in (extra for table in self._tables for extra in table.items()):
            # Listed before those that add a backend: keras before keras-jax.
            library = next((one for one in of_libraries if extra.startswith(f"{one}-")), extra or "numpy")
            of_libraries.setdefault(library, []).extend(places)
        return of_libraries

    def extra_of(self, name: str) -> str:
        """Return the extra that installs what an implementation adapts, empty if it needs nothing."""
        return next(extra for table in self._tables for extra, places in table.items() if name in places)

    def place_of(self, name: str) -> str:
        """Return where an implementation is, as `module:attribute`. Raises KeyError if none has this name."""
        return {name: place for table in self._tables for places in table.values() for name, place in places.items()}[
            name
        ]

    @property
    def _tables(self) -> tuple[Places, Places]:
        return self.in_gate, self.in_field

    def load(self, name: str) -> Implementation:
        """Import one implementation.

        Raises
        ------
        KeyError
            No implementation has this name.
        ModuleNotFoundError
            The library that it adapts is not installed.
        """
        module, _, attribute = self.place_of(name).partition(":")
        implementation: Implementation = getattr(import_module(module), attribute)
        return implementation


def _names_in(tables: Places) -> tuple[str, ...]:
    return tuple(name for places in tables.values() for name in places)


@dataclass
class Registry:
    """The implementations and laws that were handed in; nothing, in a process that only declares an implementation."""

    implementations: Shipped = field(default_factory=Shipped)
    laws: tuple[str, ...] = ()
    """The modules that hold laws."""
    plans: tuple[str, ...] = ()
    """The modules that hold the classes of plans."""
    explanations: str = ""
    """The module that diagnoses, which is imported only where a law is broken."""

    def hand_in_laws(self, laws: Iterable[str], plans: Iterable[str], explanations: str) -> None:
        """Name the modules of the laws, of the plans that they are held on, and the one that explains failures."""
        self.laws, self.plans, self.explanations = tuple(laws), tuple(plans), explanations


REGISTRY = Registry()
