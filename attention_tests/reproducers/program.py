"""A straight-line Python program while it is written: statements, and variables that get their names in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from attention_tests.text.literals import beside


@dataclass(frozen=True, eq=False)
class Expression:
    """Source text, with variables and other expressions in it."""

    pieces: tuple[Piece, ...]


@dataclass(eq=False)
class Variable:
    """Something with a name, of which only `hint` is known until the program is complete."""

    hint: str


Piece: TypeAlias = "str | Expression | Variable"
Known = TypeVar("Known")


def listed(pieces: Sequence[Known], separator: str = ", ") -> list[Known | str]:
    """Put a separator between pieces."""
    return [one for piece in pieces for one in (separator, piece)][1:]


@dataclass(frozen=True, eq=False)
class Statement:
    """An expression that is evaluated, and the variable that keeps its value."""

    variable: Variable | None
    pieces: tuple[Piece, ...]
    matters: bool
    """Whether it must stay although nobody uses the variable."""


@dataclass
class Program:
    """Statements in their order."""

    statements: list[Statement] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    """Names of functions that the statements call, and that stand before them."""

    def assign(self, hint: str, *pieces: Piece, matters: bool = False) -> Variable:
        """Add a statement, and return the variable for its value."""
        variable = Variable(hint)
        self.statements.append(Statement(variable, pieces, matters))
        return variable

    def do(self, *pieces: Piece) -> None:
        """Add a statement that has no value."""
        self.statements.append(Statement(None, pieces, matters=True))

    def lines(self, wanted: tuple[Piece, ...] = (), last: int | None = None) -> tuple[list[list[str]], list[str]]:
        """Write the statements that matter, or that `wanted` depends on, and the text of each of `wanted`.

        The lines of each statement are a list of their own. Where there is a `last`, the program ends with it.
        """
        used = {id(variable) for variable in _variables(wanted)}
        kept: list[Statement] = []
        statements = self.statements if last is None else self.statements[: last + 1]
        for statement in reversed(statements):
            if statement.matters or id(statement.variable) in used or (last is not None and not kept):
                used |= {id(variable) for variable in _variables(statement.pieces)}
                kept.insert(0, statement)
        assigned = (statement.variable for statement in kept)
        names = _named(variable for variable in assigned if variable is not None and id(variable) in used)
        return [_text(statement, names).splitlines() for statement in kept], [_joined((one,), names) for one in wanted]


def _variables(pieces: tuple[Piece, ...]) -> Iterator[Variable]:
    for piece in pieces:
        if isinstance(piece, Variable):
            yield piece
        elif isinstance(piece, Expression):
            yield from _variables(piece.pieces)


def _named(variables: Iterator[Variable]) -> dict[int, str]:
    names, times = {}, Counter[str]()
    for variable in variables:
        times[variable.hint] += 1
        number = times[variable.hint]
        names[id(variable)] = variable.hint if number == 1 else f"{variable.hint}_{number}"
    return names


def _text(statement: Statement, names: dict[int, str]) -> str:
    name = names.get(id(statement.variable))
    return _joined((f"{name} = " if name else "", *statement.pieces), names)


def _joined(pieces: tuple[Piece, ...], names: dict[int, str]) -> str:
    text = ""
    for piece in pieces:
        if isinstance(piece, Variable):
            text += names[id(piece)]
        else:
            text = beside(text, piece if isinstance(piece, str) else _joined(piece.pieces, names))
    return text
