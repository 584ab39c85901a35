"""Registration: the suite's own implementations and laws, handed to the rooms that verify.

The only module that imports the packages `implementations` and `properties`; both can be imported only once the suite's
folder is on the path (`environment.suite`).
"""

from __future__ import annotations

from attention_tests.targets.registry import REGISTRY


def hand_in() -> None:
    """Hand in the implementations and the laws."""
    import properties  # noqa: PLC0415 - found only once the suite is on the path

    hand_in_implementations()
    REGISTRY.hand_in_laws(properties.LAWS, properties.PLANS, "explanations")


def hand_in_implementations() -> None:
    """Hand in the implementations alone: the process of an implementation must find no law."""
    import implementations  # noqa: PLC0415 - as above

    REGISTRY.implementations = implementations.SHIPPED
