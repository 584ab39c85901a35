"""Defects in concurrent calls: right outputs for one call at a time."""

from __future__ import annotations

import time

from attention_tests import Feature
from tests.defects.correct import Array, attention
from tests.defects.defect import defect

_scratch: dict[str, Array] = {}


@defect(
    "every-word",
    "one scratch buffer for all threads",
    features=(Feature.THREADS,),
    killed_by="test_concurrent_calls_do_not_affect_each_other",
)
def query_in_a_global(query: Array, key: Array, value: Array) -> Array:
    _scratch["query"] = query
    time.sleep(0)  # where a longer call would be interrupted
    return attention(_scratch["query"], key, value)
