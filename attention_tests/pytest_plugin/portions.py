"""Equal portions: the workers of pytest-xdist get the properties in turn, each at once all that are its own.

Exploring takes the same time for each property. A worker that knew only its next one could share nothing out.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it ships no annotations


class Portions(LoadScopeScheduling):  # type: ignore[misc]  # likewise
    """The properties dealt out like cards: to each of n workers every n-th."""

    def _split_scope(self, nodeid: str) -> str:
        return str(self.collection.index(nodeid) % self.numnodes)
