"""Coverage: nothing that is required is missing for the suite's own implementations, counted from their calls."""

from __future__ import annotations

import numpy as np
import pytest

from attention_tests import Feature, Implementation, Step
from attention_tests.engine.profiles import DEFAULT
from attention_tests.targets.resolve import resolve
from benchmarks.coverage.call import Call
from benchmarks.coverage.counting import Asked, ask, recorded
from benchmarks.coverage.required import Possible, is_required, required


@pytest.mark.parametrize("target", ["numpy-layer", "torch"])
def test_nothing_is_missing(target: str) -> None:
    implementation = resolve(target)
    assert ask(implementation, "float32", DEFAULT).missing(required(implementation)) == []


def test_what_does_not_arrive_is_missing() -> None:
    implementation = resolve("numpy-layer")
    meetings = list(required(implementation))
    asked = Asked()
    assert asked.missing(meetings) == meetings
    asked.add(Call(batch=2, keys=7))
    assert (("batch", "2"), ("keys", "below 16")) not in asked.missing(meetings)
    assert (("batch", "1"), ("keys", "below 16")) in asked.missing(meetings)


@pytest.mark.parametrize(
    ("n_keys", "upstream", "scale", "counts"),
    [(3, 1.0, 1.0, True), (3, 0.0, 1.0, False), (1, 1.0, 1.0, True), (3, 1.0, 0.0, True)],
)
def test_a_gradient_is_asked_only_where_it_is_not_zero_or_cannot_be_otherwise(
    n_keys: int, upstream: float, scale: float, *, counts: bool
) -> None:
    asked = Asked()
    rng = np.random.default_rng(5)
    query, key, value = rng.standard_normal((3, 1, 1, n_keys, 2))
    gradient = recorded(resolve("numpy-layer"), asked).gradient
    assert gradient is not None
    gradient(query, key, value, np.full_like(value, upstream) * rng.standard_normal(value.shape), scale=scale)
    assert (asked.classes["observed", "gradients"] == 1) is counts


ALL = Possible(frozenset(Feature), gradient=True, causal_windows=False)


@pytest.mark.parametrize(
    "meeting",
    [
        (("batch", "2"), ("keys", "16,385")),
        (("observed", "gradients"), ("memory of the key", "Fortran"), ("width of keys", "576")),
        (("observed", "output"), ("memory of the key", "packed")),
        (("heads", "groups of 3, 5, 6 or 7"), ("queries", "a tile"), ("keys", "multiple of 256")),
        (("options", "a scale of zero alone"), ("scores", "tied")),
    ],
)
def test_what_can_be_asked_in_milliseconds_is_required(meeting: tuple[tuple[str, str], ...]) -> None:
    assert is_required(meeting, ALL)


@pytest.mark.parametrize(
    "meeting",
    [
        (("keys", "16,385"), ("width of keys", "576")),
        (("heads", "1 × 1"), ("memory of the key", "gaps between heads")),
        (("keys", "1"), ("scores", "tied")),
        (("options", "a scale of zero alone"), ("scores", "far below")),
    ],
)
def test_what_cannot_be_is_not(meeting: tuple[tuple[str, str], ...]) -> None:
    assert not is_required(meeting, ALL)


@pytest.mark.parametrize(
    ("level", "feature"),
    [
        (("options", "window alone"), Feature.WINDOW),
        (("options", "mask and causal"), Feature.COMBINED_MASKS),
        (("heads", "1 × several"), Feature.GROUPED_HEADS),
        (("batch", "2"), Feature.HEADS),
        (("queries", "more than keys"), Feature.LENGTHS),
        (("width of values", "wider"), Feature.VALUE_WIDTH),
        (("memory of the key", "Fortran"), Feature.MUTABLE),
        (("scale with an option", "mask and a scale of zero"), Feature.SCALE),
    ],
)
def test_what_is_not_declared_is_not_required(level: tuple[str, str], feature: Feature) -> None:
    meeting = (("observed", "output"), level)
    assert is_required(meeting, ALL)
    assert not is_required(meeting, ALL._replace(features=ALL.features - {feature}))


def test_what_is_observed_must_be_declared() -> None:
    plain = Implementation(name="mine", attention=lambda *_: None)
    observed = {level for meeting in required(plain) for factor, level in meeting if factor == "observed"}
    assert observed == {"output"}
    assert Step.GRADIENT not in plain.steps
