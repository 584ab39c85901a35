"""The domain of a bare callable, learnt from what it refuses: one size is changed at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from attention_tests.claims.asking import Asking
from attention_tests.declare.domain import Domain, Sizes
from attention_tests.declare.features import Feature


class Candidates(NamedTuple):
    """The sizes that are tried."""

    widths: tuple[int, ...]
    lengths: tuple[int, ...]
    batches: tuple[int, ...]
    groups: tuple[int, ...]


MANY = Candidates(
    widths=(1, 3, 4, 8, 16, 32, 40, 64, 80, 96, 112, 128, 160, 192, 256, 512),
    lengths=(1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 24, 32, 48, 64, 65, 96, 128, 160, 192, 256, 384, 512),
    batches=(1, 2, 3, 5),
    groups=(2, 3, 4, 5, 6, 8, 16),
)
FEW = Candidates(widths=(4, 7, 16, 64, 128), lengths=(1, 5, 16, 17, 64, 128), batches=(1, 2, 3), groups=(2, 3, 4, 8))
"""Of what is compiled for each."""
RUNS = {"batch": "B", "heads": "H"}
"""The sizes that a layout may have no axis for, with the letter of that axis."""
MULTIPLES = (1, 2, 4, 8, 16, 32, 64, 128)


class Learner:
    """Changes the sizes of a call that is answered, and notes which of them are answered, too."""

    def __init__(self, asking: Asking, base: Sizes) -> None:
        self.asking, self.base, self.layout = asking, base, asking.dialect.layout
        self.candidates = FEW if asking.given.compiled else MANY
        self.features: set[Feature] = {Feature.HEADS} if self.layout.has("H") else set()

    def domain(self) -> Domain:
        """Learn the domain, and on the way the features of shapes."""
        all_widths, lengths, _, _ = self.candidates
        widths = self._taken("width", all_widths, lambda size: {"d_k": size, "d_v": size})
        values = self._taken("width of the values", all_widths, lambda size: {"d_v": size}, but=self.base.d_k)
        if values:
            self.features.add(Feature.VALUE_WIDTH)
        both = self._taken("length", lengths, lambda size: {"queries": size, "keys": size})
        # Beside as many keys as there are, and as few queries, so that neither refuses what the other one wants.
        most = {"keys": max(both, default=self.base.keys)}
        queries = self._taken("number of queries", lengths, lambda size: {"queries": size} | most, but=most["keys"])
        fewest = {"queries": min((*queries, self.base.queries))}
        keys = self._taken("number of keys", lengths, lambda size: {"keys": size} | fewest, but=fewest["queries"])
        if queries or keys:
            self.features.add(Feature.LENGTHS)
        domain = Domain(
            widths=_limited(widths, all_widths),
            value_widths=_limited(values, all_widths, self.base.d_k),
            query_multiple=_multiple(queries or both, lengths, most["keys"] if queries else 0),
            key_multiple=_multiple(keys or both, lengths, fewest["queries"] if keys else 0),
            more_queries=not (queries or keys)
            or self._answered("more queries than keys", {"queries": most["keys"], "keys": self._half(both)}),
            longest=most["keys"] if most["keys"] < max(lengths) else None,
            **self._numbers_of_heads(),
        )
        empty = [
            self._answered("size of zero", dict.fromkeys(names, 0), names[0]) for names in self._that_can_be_zero()
        ]
        if any(empty):
            self.features.add(Feature.EMPTY)
        return domain

    def _that_can_be_zero(self) -> tuple[tuple[str, ...], ...]:
        lengths = (("queries",), ("keys",)) if Feature.LENGTHS in self.features else (("queries", "keys"),)
        widths = (("d_v",),) if Feature.VALUE_WIDTH in self.features else ()
        runs = [(name,) for name, axis in RUNS.items() if self.layout.has(axis)]
        return (*runs, *lengths, *widths)

    def _numbers_of_heads(self) -> dict[str, frozenset[int] | None]:
        if not self.layout.has("H"):
            return {}
        numbers = sorted({*self.candidates.batches, self.base.heads})
        with_batches = self.candidates.batches if self.layout.has("B") else (1,)
        batches = self._taken("batch", with_batches, lambda size: {"batch": size})
        heads = self._taken("number of heads", numbers, lambda size: {"heads": size})
        if max((*batches, *heads), default=1) == 1:
            self.features.discard(Feature.HEADS)
        groups = self._taken(
            "number of query heads for each key head", (1, *self.candidates.groups), lambda size: {"group": size}
        )
        if max(groups, default=1) > 1:
            self.features.add(Feature.GROUPED_HEADS)
        return {
            "batches": _limited(batches, with_batches),
            "heads": _limited(heads, numbers),
            "groups": _limited(groups, (1, *self.candidates.groups)) if max(groups, default=1) > 1 else None,
        }

    @staticmethod
    def _half(lengths: list[int]) -> int:
        """Return the largest length that is no more than half of the largest of all; the smallest if there is none."""
        return max((size for size in lengths if size <= max(lengths) // 2), default=min(lengths))

    def _taken(
        self, what: str, sizes: Iterable[int], change: Callable[[int], dict[str, int]], but: int = 0
    ) -> list[int]:
        """Return the sizes that are answered, of all but one."""
        return [size for size in sizes if size != but and self._answered(what, change(size), size)]

    def _answered(self, what: str, change: dict[str, int], one: object = "") -> bool:
        return self.asking.answers(what, self.base._replace(**change), one=str(one))


def _limited(taken: list[int], asked: Iterable[int], but: int = 0) -> frozenset[int] | None:
    """Return the sizes that are taken; None where all that were asked are."""
    return frozenset(taken) if taken and set(taken) < {*asked} - {but} else None


def _multiple(taken: list[int], lengths: Iterable[int], but: int) -> int:
    """Return the smallest number whose multiples are all taken, of those that were asked up to the largest."""
    asked = [size for size in lengths if size != but and size <= max(taken)]
    return next((one for one in MULTIPLES if {size for size in asked if not size % one} <= {*taken}), 1)
