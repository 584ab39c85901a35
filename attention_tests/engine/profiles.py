"""Profiles: how many problems each law is tried on, as `--profile` names them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

GATE_SEED = 20210126
"""The document's date. Any fixed number would do: it makes the gate draw the same problems everywhere."""


@dataclass(frozen=True)
class Profile:
    """`examples` problems are drawn for every property, from the stream that `seed` starts.

    Exploring goes on until its budget is over: so many are drawn in one round.
    """

    name: str
    examples: int
    seed: int = GATE_SEED
    listed: int | None = None
    """The number of plans of a list that are tried, its first; None: all."""
    signatures: int | None = None
    """The number of signatures, at most, that what is compiled is asked for; None: any."""


QUICK = Profile("quick", examples=20, listed=24, signatures=15)
DEFAULT = Profile("default", examples=50, signatures=40)
EXPLORE = Profile("explore", examples=1000)

PROFILES = {profile.name: profile for profile in (QUICK, DEFAULT, EXPLORE)}


def profile_named(name: str, seed: int | None = None) -> Profile:
    """Return the profile `name`, with another `seed` if one is given; `explore` takes a new one each time."""
    profile = PROFILES[name]
    if seed is None and profile is not EXPLORE:
        return profile
    return replace(profile, seed=secrets.randbelow(2**32) if seed is None else seed)
