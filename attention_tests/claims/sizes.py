"""The domain of a bare callable, learnt from what it refuses: one size is changed at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attention_tests.claims.asking import Asking
from attention_tests.declare.domain import Domain, Sizes
from attention_tests.declare.features import Feature

WIDTHS = (1, 3, 4, 8, 16, 32, 40, 64, 80, 96, 112, 128, 160, 192, 256, 512)
LENGTHS = (1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 24, 32, 48, 64, 65, 96, 128, 160, 192, 256, 384, 512)
MULTIPLES = (1, 2, 4, 8, 16, 32, 64, 128)
FEW = (1, 2, 3, 5)
GROUPS = (2, 3, 4, 5, 6, 8, 16)


class Learner:
    """Changes the sizes of a call that is answered, and notes which of them are answered, too."""

    def __init__(self, asking: Asking, base: Sizes, *, heads: bool) -> None:
        self.asking, self.base, self.heads = asking, base, heads
        self.features: set[Feature] = {Feature.HEADS} if heads else set()

    def domain(self) -> Domain:
        """Learn the domain, and on the way the features of shapes."""
        widths = self._taken("width", WIDTHS, lambda size: {"d_k": size, "d_v": size})
        values = self._taken("width of the values", WIDTHS, lambda size: {"d_v": size}, but=self.base.d_k)
        if values:
            self.features.add(Feature.VALUE_WIDTH)
        both = self._taken("length", LENGTHS, lambda size: {"queries": size, "keys": size})
        # Beside as many keys as there are, and as few queries, so that neither refuses what the other one wants.
        most = {"keys": max(both)}
        queries = self._taken("number of queries", LENGTHS, lambda size: {"queries": size} | most, but=most["keys"])
        fewest = {"queries": min((*queries, self.base.queries))}
        keys = self._taken("number of keys", LENGTHS, lambda size: {"keys": size} | fewest, but=fewest["queries"])
        if queries or keys:
            self.features.add(Feature.LENGTHS)
        domain = Domain(
            widths=_limited(widths, WIDTHS),
            value_widths=_limited(values, WIDTHS, self.base.d_k),
            query_multiple=_multiple(queries or both, most["keys"] if queries else 0),
            key_multiple=_multiple(keys or both, fewest["queries"] if keys else 0),
            more_queries=not (queries or keys)
            or self._answered("more queries than keys", {"queries": most["keys"], "keys": self._half(both)}),
            longest=_longest(both),
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
        return (*((("batch",), ("heads",)) if self.heads else ()), *lengths, *widths)

    def _numbers_of_heads(self) -> dict[str, frozenset[int] | None]:
        if not self.heads:
            return {}
        batches = self._taken("batch", FEW, lambda size: {"batch": size})
        heads = self._taken("number of heads", FEW, lambda size: {"heads": size})
        if max((*batches, *heads)) == 1:
            self.features.discard(Feature.HEADS)
        groups = self._taken("number of query heads for each key head", GROUPS, lambda size: {"group": size})
        if groups:
            self.features.add(Feature.GROUPED_HEADS)
        return {
            "batches": _limited(batches, FEW),
            "heads": _limited(heads, FEW),
            "groups": _limited(groups, GROUPS),
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


def _multiple(taken: list[int], but: int) -> int:
    """Return the smallest number whose multiples are all taken, of those that were asked up to the largest."""
    asked = [size for size in LENGTHS if size != but and size <= max(taken)]
    return next((one for one in MULTIPLES if {size for size in asked if not size % one} <= {*taken}), 1)


def _longest(both: list[int]) -> int | None:
    """Return the largest length that is taken, where a larger one was refused."""
    return max(both) if both and max(both) < LENGTHS[-1] else None
