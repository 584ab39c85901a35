"""The options of attention, and which of them go together."""

from __future__ import annotations

from collections.abc import Collection

from attention_tests.declare.features import Feature

OPTIONS = {
    "scale": Feature.SCALE,
    "mask": Feature.MASK,
    "bias": Feature.BIAS,
    "causal": Feature.CAUSAL,
    "window": Feature.WINDOW,
    "softcap": Feature.SOFTCAP,
    "dropout": Feature.DROPOUT,
    "return_lse": Feature.LOG_SUM_EXP,
}
"""The options of attention, and the feature that each is."""

HIDING = frozenset({"mask", "bias", "causal", "window"})
"""The options of which one is given at a time, unless an implementation can combine them."""


def takes(options: Collection[str], features: Collection[str]) -> bool:
    """Tell whether an implementation with `features` takes these options in one call."""
    is_combined = len(HIDING.intersection(options)) > 1
    return all(OPTIONS[name] in features for name in options) and (
        not is_combined or Feature.COMBINED_MASKS in features
    )
