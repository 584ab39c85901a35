"""Negative controls of the document's §2: predecessors of attention that do not look at all tokens at once."""

from __future__ import annotations

import numpy as np

from attention_tests import Step
from tests.defects.correct import Array
from tests.defects.defect import defect

EVERY_WORD = "test_every_token_reaches_every_output"


@defect("global-view", "an RNN cell: earlier tokens only", step=Step.SELF_ATTENTION, killed_by=EVERY_WORD)
def recurrent_cell(x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:  # noqa: ARG001
    hidden = np.zeros(w_value.shape[1], x.dtype)
    states = []
    for word in x:
        hidden = np.tanh(word @ w_value + hidden / 2)
        states.append(hidden)
    return np.stack(states)


@defect("global-view", "a convolution: neighbouring tokens only", step=Step.SELF_ATTENTION, killed_by=EVERY_WORD)
def convolution(x: Array, w_query: Array, w_key: Array, w_value: Array) -> Array:  # noqa: ARG001
    value = np.pad(x @ w_value, [(1, 1), (0, 0)])
    return (value[:-2] + value[1:-1] + value[2:]) / 3
