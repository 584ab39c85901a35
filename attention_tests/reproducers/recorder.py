"""A subject that writes down what it is asked, as a program, while another one answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from attention_tests.declare.dialect import Layout
from attention_tests.declare.features import Step
from attention_tests.execution.executor import Executor, MakeFailure
from attention_tests.execution.placement import Packing, Placement, packing_of, placing_of
from attention_tests.execution.subject import Subject
from attention_tests.reproducers.call_syntax import CallSyntax
from attention_tests.reproducers.made import (
    ARRAY,
    Made,
    argument_source,
    argument_sources,
    native_of,
    natives_of,
    parts_of,
)
from attention_tests.reproducers.placing import functions_of, placed
from attention_tests.reproducers.program import Expression, Piece, Program, Variable, listed
from attention_tests.reproducers.sources import Array, stored_dtype
from attention_tests.reproducers.traced import source_of, traced

ARGUMENTS = {
    Step.ATTENTION: ("query", "key", "value"),
    Step.GRADIENT: ("query", "key", "value", "upstream"),
    Step.SELF_ATTENTION: ("x", "w_query", "w_key", "w_value"),
    Step.PROJECT: ("x", "w"),
    Step.SCORE: ("query", "key"),
    Step.SCALE: ("scores", "d_k"),
    Step.SOFTMAX: ("scores",),
    Step.WEIGH: ("weights", "value"),
    Step.SUM: ("weighted",),
    Step.CACHE: (),
}
METHODS = {"append": ("key", "value"), "attend": ("query",)}
RESULTS = {Step.GRADIENT: "gradients", Step.CACHE: "cache"}
AT_ONCE = "call_at_once"
SHORTEST_TIME = "shortest_time"
"""Functions of a program: that makes calls from several threads, and that times them."""


class Recorder:
    """An executor that writes down what it is asked, and asks another one."""

    def __init__(self, executor: Executor, syntax: CallSyntax) -> None:
        self._executor = executor
        self._syntax = syntax
        self.program = Program()
        self.answers: list[tuple[Variable, Array]] = []
        """The arrays that were read, with the variables that hold them."""
        self.shapes: Sequence[tuple[int, ...]] = ()
        """The shapes that the next arrays must have."""
        self.looked_at: list[Piece] = []
        self.wrong_form: Expression | None = None
        """An expression that is true if the object looked at last has the wrong form."""
        self.went_wrong: int | None = None
        """The number of the statement that raised."""

    @property
    def losses(self) -> int:
        """See Executor."""
        return self._executor.losses

    def native(self, array: Array, dtype: str, make_failure: MakeFailure) -> Any:
        """See Executor."""
        variable = self._assign_native(array, dtype)
        return Made(self._executor.native(np.asarray(array), dtype, self._noting(make_failure)), variable)

    def placed(
        self, array: Array, dtype: str, placements: Sequence[Placement], layout: Layout, make_failure: MakeFailure
    ) -> Sequence[Any]:
        """See Executor."""
        placings = (placing_of(placement, layout) for placement in placements)
        # Those that cannot be are used by nothing, and so are no part of the program.
        variables = [self._assign_placed(one, dtype, [array]) if one else None for one in placings]
        views = self._executor.placed(np.asarray(array), dtype, placements, layout, self._noting(make_failure))
        return [
            None if view is None or variable is None else Made(view, variable)
            for view, variable in zip(views, variables, strict=True)
        ]

    def packed(
        self, arrays: Sequence[Array], dtype: str, packing: Packing, layout: Layout, make_failure: MakeFailure
    ) -> Sequence[Any]:
        """See Executor."""
        pack, given = packing_of(packing, layout), list(map(np.asarray, arrays))
        variable = self._assign_placed(pack, dtype, arrays) if pack else None
        slices = self._executor.packed(given, dtype, packing, layout, self._noting(make_failure))
        return parts_of(slices, variable) if variable else []

    def write(self, native: Any, numbers: Any, make_failure: MakeFailure) -> None:
        """See Executor."""
        self.program.do(native.piece, "[...] = ", numbers.piece)
        self._executor.write(native.native, numbers.native, self._noting(make_failure))

    def call(self, step: Step, arguments: Sequence[Any], options: Mapping[str, Any], make_failure: MakeFailure) -> Any:
        """See Executor."""
        variable = self._assign_call(step, arguments, options)
        given = {name: native_of(option) for name, option in options.items()}
        return Made(self._executor.call(step, natives_of(arguments), given, self._noting(make_failure)), variable)

    def call_method(self, native: Any, method: str, arguments: Sequence[Any], make_failure: MakeFailure) -> Any:
        """See Executor."""
        given = argument_sources(METHODS[method], arguments)
        variable = self.program.assign("output", native.piece, f".{method}(", *listed(given), ")", matters=True)
        return Made(
            self._executor.call_method(native.native, method, natives_of(arguments), self._noting(make_failure)),
            variable,
        )

    def call_at_once(self, step: Step, calls: Sequence[Sequence[Any]], make_failure: MakeFailure) -> Sequence[Any]:
        """See Executor."""
        variable = self._assign_many(AT_ONCE, "outputs", step, calls)
        answers = self._executor.call_at_once(step, list(map(natives_of, calls)), self._noting(make_failure))
        return parts_of(answers, variable)

    def call_concealed(self, step: Step, arguments: Sequence[Any], make_failure: MakeFailure) -> Any:
        """See Executor. A program of its own shows no sign of the suite."""
        variable = self._assign_call(step, arguments)
        return Made(self._executor.call_concealed(step, natives_of(arguments), self._noting(make_failure)), variable)

    def changed_by(self, step: Step, arguments: Sequence[Any], make_failure: MakeFailure) -> Sequence[str]:
        """See Executor."""
        self._assign_call(step, arguments)
        return self._executor.changed_by(step, natives_of(arguments), self._noting(make_failure))

    def forbidden_calls_of(self, step: Step, arguments: Sequence[Any], make_failure: MakeFailure) -> Sequence[str]:
        """See Executor."""
        self._assign_call(step, arguments)
        return self._executor.forbidden_calls_of(step, natives_of(arguments), self._noting(make_failure))

    def shortest_time(self, step: Step, calls: Sequence[Sequence[Any]], make_failure: MakeFailure) -> Any:
        """See Executor."""
        variable = self._assign_many(SHORTEST_TIME, "seconds", step, calls)
        seconds = self._executor.shortest_time(step, list(map(natives_of, calls)), self._noting(make_failure))
        return traced(np.asarray(seconds), Expression((variable,)))

    def parts(self, answer: Any, count: int, make_failure: MakeFailure) -> Sequence[Any]:
        """See Executor."""
        piece = answer.piece
        self.looked_at = [piece]
        self.wrong_form = Expression(("not isinstance(", piece, ", (tuple, list)) or len(", piece, f") != {count}"))
        return parts_of(self._executor.parts(answer.native, count, self._noting(make_failure)), piece)

    def dtype_of(self, native: Any, make_failure: MakeFailure) -> str:
        """See Executor."""
        self.looked_at = [*self.looked_at[-1:], native.piece]
        dtypes = [Expression(("str(getattr(", one, ', "dtype", None))')) for one in self.looked_at]
        self.wrong_form = Expression((dtypes[0], " != ", dtypes[-1]))
        return self._executor.dtype_of(native.native, self._noting(make_failure))

    def read(self, answers: Sequence[Any], make_failures: Sequence[MakeFailure], kinds: str = "f") -> Sequence[Array]:
        """See Executor."""
        self.looked_at = pieces = [answer.piece for answer in answers]
        shaped = [Expression(("is_array(", *pair, ")")) for pair in self._with_shapes(pieces)]
        self.wrong_form = Expression(("not (", *listed(shaped, " and "), ")"))
        variables = [
            # A copy: what is written later must not show in what was read now.
            self.program.assign("answer", "numbers(", piece, ").astype(np.float64)")
            for piece in pieces
        ]
        arrays = self._executor.read(
            natives_of(answers), [self._noting(make_failure) for make_failure in make_failures], kinds
        )
        self.answers += zip(variables, arrays, strict=True)
        return [traced(array, Expression((one,))) for one, array in zip(variables, arrays, strict=True)]

    def settle(self) -> None:
        """See Executor."""
        self._executor.settle()

    def abandon(self) -> None:
        """See Executor."""
        self._executor.abandon()

    def rest(self) -> None:
        """See Executor."""
        self._executor.rest()

    def _assign_native(self, array: Array, dtype: str) -> Variable:
        source = self._syntax.native(source_of(array, dtype), dtype, stored_dtype(array, dtype))
        return self.program.assign(ARRAY, source)

    def _assign_placed(self, placing: partial[Any], dtype: str, arrays: Sequence[Array]) -> Variable:
        self.program.helpers += functions_of(placing)
        native = self._syntax.native(Expression(("array",)), dtype)
        return self.program.assign(ARRAY, placed(placing, native, [source_of(array, dtype) for array in arrays]))

    def _assign_call(
        self, step: Step, arguments: Sequence[Any], options: Mapping[str, Any] = MappingProxyType({})
    ) -> Variable:
        given = argument_sources(ARGUMENTS[step], arguments)
        given += self._syntax.options({name: argument_source(option, name) for name, option in options.items()})
        called, hint = self._syntax.callable(step), RESULTS.get(step, "output")
        return self.program.assign(hint, called, "(", *listed(given), ")", matters=True)

    def _assign_many(self, helper: str, hint: str, step: Step, calls: Sequence[Sequence[Any]]) -> Variable:
        given = [Expression(("(", *listed(argument_sources(ARGUMENTS[step], call)), ")")) for call in calls]
        self.program.helpers.append(helper)
        called = f"{helper}({self._syntax.callable(step)}, ["
        return self.program.assign(hint, called, *listed(given), "])", matters=True)

    def _with_shapes(self, pieces: Sequence[Piece]) -> list[tuple[Piece, str]]:
        shapes, self.shapes = self.shapes, ()
        return [(piece, f", {shape}") for piece, shape in zip(pieces, shapes, strict=False)]

    def _noting(self, make_failure: MakeFailure) -> MakeFailure:
        statement = len(self.program.statements) - 1

        def noted(words: str) -> Exception:
            self.went_wrong = statement
            return make_failure(words)

        return noted


class RecordedSubject(Subject):
    """The subject of a recorder."""

    def __init__(self, subject: Subject) -> None:
        self.recorder = Recorder(subject.executor, CallSyntax.of(subject.implementation))
        super().__init__(subject.implementation, subject.dtype, self.recorder)

    def _read_all(self, step: Step, answers: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> list[Array]:
        self.recorder.shapes = shapes
        return super()._read_all(step, answers, shapes)
