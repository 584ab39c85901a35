"""ONNX's own node tests of Attention as problems: what each asks for, in the words of this project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from onnx import helper
from onnx.backend.test.case.node import _NodeTestCases as CASES
from onnx.backend.test.case.node import attention as _attention  # noqa: F401 - importing it makes its cases
from onnx.backend.test.case.test_case import TestCase

from attention_tests import Dialect, FullyMasked
from properties.drawing.problem import Problem

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

PREFIX = "test_attention_"
EXPANDED = "_expanded"
"""Ends the name of a case that asks the same of the operator's function body, with the same arrays."""

WEIGHTS = 3
"""The mode in which the fourth output is the weights; in the others it is scores on their way to them."""


def cases() -> Iterator[Case]:
    """Yield every case of the operator, but for those that have another's arrays."""
    for case in CASES:
        if case.name.startswith(PREFIX) and not case.name.endswith(EXPANDED):
            yield Case.of(case)


@dataclass(frozen=True)
class Case:
    """One node test: what is given, what is asked for, and what must come out."""

    name: str
    opset: int
    given: Mapping[str, Array]
    asked: Mapping[str, Any]
    answers: Mapping[str, Array]

    @classmethod
    def of(cls, case: TestCase) -> Case:
        """Read the arrays and the attributes of a case with one node."""
        assert case.model is not None
        assert case.data_sets is not None
        node, (inputs, outputs) = case.model.graph.node[0], case.data_sets[0]
        return cls(
            name=case.name.removeprefix(PREFIX),
            opset=case.model.opset_import[0].version,
            given=dict(zip(filter(None, node.input), inputs, strict=True)),
            asked={attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute},
            answers=dict(zip(filter(None, node.output), outputs, strict=True)),
        )

    @property
    def dtype(self) -> str:
        """The format of its numbers."""
        return self.given["Q"].dtype.name

    @cached_property
    def problem(self) -> Problem:
        """The attention that it asks for, earlier words being words like the others."""
        query = self._heads("Q", self.asked.get("q_num_heads"))
        key = _after(self.given.get("past_key"), self._heads("K", self.asked.get("kv_num_heads")))
        value = _after(self.given.get("past_value"), self._heads("V", self.asked.get("kv_num_heads")))
        seen, bias = self._hiding(key.shape[2])
        places = self._places_ahead(query.shape[2], key.shape[2])
        left, right = self._window
        for allowed, asked_for in (
            (places <= 0, self.asked.get("is_causal")),
            (-places <= left, left >= 0),
            (places <= right, right >= 0),
            (np.arange(key.shape[2]) < self._lengths(key.shape[2]), "nonpad_kv_seqlen" in self.given),
        ):
            seen = seen & allowed if asked_for else seen
        return Problem(
            query.astype(np.float64),
            key.astype(np.float64),
            value.astype(np.float64),
            self.dtype,
            scale=self.asked.get("scale"),
            softcap=self.asked.get("softcap"),
            mask=np.broadcast_to(seen, (*query.shape[:3], key.shape[2])),
            bias=bias,
            dialect=Dialect(fully_masked=FullyMasked.ZEROS),
        )

    @property
    def asks_for(self) -> str:
        """What it asks for beyond plain attention, in words."""
        heads, key_heads = self.problem.query.shape[1], self.problem.key.shape[1]
        mask = self.given.get("attn_mask")
        asked_for = {
            "packed heads": self.given["Q"].ndim == 3,
            "key heads that are shared": heads != key_heads,
            "values of another width": self.problem.value.shape[3] != self.problem.d_k,
            "scale": self.problem.scale is not None,
            "soft cap": self.problem.softcap is not None,
            "causal": bool(self.asked.get("is_causal")),
            "window": max(self._window) >= 0,
            "mask": mask is not None and mask.dtype == bool,
            "bias": mask is not None and mask.dtype != bool,
            "cache": "past_key" in self.given,
            "padding": "nonpad_kv_seqlen" in self.given,
            "a query that sees nothing": not self.problem.seen.any(axis=-1).all(),
            "softmax in another format": "softmax_precision" in self.asked,
        }
        return ", ".join(name for name, asked in asked_for.items() if asked)

    @property
    def has_one_value(self) -> bool:
        """Whether all values are the same, and so all outputs, whatever is hidden."""
        return bool(np.ptp(self.problem.value) == 0)

    @property
    def output(self) -> Array:
        """The answer Y, (batch, heads, n_q, d_v)."""
        return _unpacked(self.answers["Y"], self.asked.get("q_num_heads")).astype(np.float64)

    @property
    def gives_weights(self) -> bool:
        """Whether its fourth output is the weights."""
        return self.asked.get("qk_matmul_output_mode") == WEIGHTS

    @property
    def weights(self) -> Array:
        """The weights, (batch, heads, n_q, n_k)."""
        return self.answers["qk_matmul_output"].astype(np.float64)

    def _heads(self, name: str, heads: int | None) -> Array:
        return _unpacked(self.given[name], heads)

    def _hiding(self, words: int) -> tuple[Array, Array | None]:
        """Return what a mask lets be seen and what it adds; words that it is too short for are hidden."""
        mask = self.given.get("attn_mask")
        if mask is None:
            return np.ones(words, bool), None
        missing = [(0, 0)] * (mask.ndim - 1) + [(0, words - mask.shape[-1])]
        if mask.dtype == bool:
            return np.pad(mask, missing), None
        return np.ones(words, bool), np.pad(mask.astype(np.float64), missing, constant_values=-np.inf)

    @property
    def _window(self) -> tuple[int, int]:
        """How many words before and after its own a query sees, -1 for all."""
        return self.asked.get("left_window_size", -1), self.asked.get("right_window_size", -1)

    def _lengths(self, words: int) -> Array:
        """Return how many words there are in each batch that are none of padding, (batch, 1, 1, 1)."""
        return np.reshape(self.given.get("nonpad_kv_seqlen", words), (-1, 1, 1, 1))

    def _places_ahead(self, n_q: int, n_k: int) -> Array:
        """Return how many places each word stands after that of each query, (batch or 1, 1, n_q, n_k).

        The first query's own word is the one after the words of a cache, which is given as such or told from padding.
        """
        first = self._lengths(n_k) - n_q if "nonpad_kv_seqlen" in self.given else _length(self.given.get("past_key"))
        return np.asarray(np.arange(n_k) - (np.arange(n_q)[:, None] + first))


def _unpacked(array: Array, heads: int | None) -> Array:
    """Return (batch, heads, length, width) of what may be (batch, length, heads · width)."""
    return array if heads is None else array.reshape(*array.shape[:2], heads, -1).swapaxes(1, 2)


def _after(past: Array | None, present: Array) -> Array:
    return present if past is None else np.concatenate([past, present], axis=2)


def _length(past: Array | None) -> int:
    return 0 if past is None else past.shape[2]
