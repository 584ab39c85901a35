"""The domain: the sizes that an implementation takes, where it does not take all."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple, Self

from attention_tests.declare.dialect import Layout
from attention_tests.declare.features import Feature


class Sizes(NamedTuple):
    """The sizes of query, key and value: `group` query heads share each of `heads` key heads."""

    batch: int = 1
    heads: int = 1
    group: int = 1
    queries: int = 1
    keys: int = 1
    d_k: int = 1
    d_v: int = 1

    @property
    def numbers(self) -> int:
        """The number of numbers in query, key and value."""
        batch, heads, group, queries, keys, d_k, d_v = self
        return batch * heads * (group * queries * d_k + keys * (d_k + d_v))

    @classmethod
    def of(cls, layout: Layout, *shapes: tuple[int, ...]) -> Self:
        """Return the sizes of a query, a key and a value of these shapes."""
        (batch, heads, queries, d_k), (_, key_heads, keys, _), (*_, d_v) = map(layout.axes_of, shapes)
        return cls(batch, key_heads, heads // max(1, key_heads), queries, keys, d_k, d_v)

    def fitted(self, features: Collection[str]) -> Sizes:
        """Return the sizes that an implementation with `features` takes, within its domain."""
        sizes = self
        if Feature.HEADS not in features:
            sizes = sizes._replace(batch=1, heads=1)
        if Feature.GROUPED_HEADS not in features:
            sizes = sizes._replace(group=1)
        if Feature.LENGTHS not in features:
            sizes = sizes._replace(queries=sizes.keys)
        if Feature.VALUE_WIDTH not in features:
            sizes = sizes._replace(d_v=sizes.d_k)
        domain = domain_of(features)
        if domain == EVERYWHERE:
            return sizes
        sizes = domain.fitted(sizes, same_lengths=Feature.LENGTHS not in features)
        return sizes if Feature.VALUE_WIDTH in features else sizes._replace(d_v=sizes.d_k)


@dataclass(frozen=True, kw_only=True)
class Domain:
    """The sizes that an implementation takes. None and 1 mean any.

    Problems are drawn, and made smaller, within it; laws that cannot be asked there are unsupported. A size of zero is
    taken by what declares `Feature.EMPTY`, equal lengths and widths by what leaves out `LENGTHS` and `VALUE_WIDTH`, and
    one head by what leaves out `HEADS`.
    """

    batches: frozenset[int] | None = None
    heads: frozenset[int] | None = None
    """Numbers of key heads."""
    groups: frozenset[int] | None = None
    """Numbers of query heads for each key head."""
    query_multiple: int = 1
    """The number that the number of queries is a multiple of."""
    key_multiple: int = 1
    """The number that the number of keys is a multiple of."""
    widths: frozenset[int] | None = None
    """Widths of queries and keys, and of the values where these are as wide."""
    value_widths: frozenset[int] | None = None
    """Widths of values, where these differ from those of the keys."""
    more_queries: bool = True
    """Whether there may be more queries than keys."""
    longest: int | None = None
    """The largest number of queries and of keys."""

    def holds(self, sizes: Sizes) -> bool:
        """Tell whether these sizes are taken."""
        batch, heads, group, queries, keys, d_k, d_v = sizes
        sets = (
            (batch, self.batches),
            (heads, self.heads),
            (group, self.groups),
            (d_k, self.widths),
            (d_v, self.widths if d_v == d_k else self.value_widths),
        )
        return (
            all(allowed is None or not size or size in allowed for size, allowed in sets)
            and not queries % self.query_multiple
            and not keys % self.key_multiple
            and (self.more_queries or queries <= keys or not keys)
            and max(queries, keys) <= (self.longest or math.inf)
        )

    def fitted(self, sizes: Sizes, *, same_lengths: bool) -> Sizes:
        """Return sizes near to these that are taken."""
        batch, heads, group, queries, keys, d_k, d_v = sizes
        multiple = math.lcm(self.query_multiple, self.key_multiple) if same_lengths else 0
        keys = self._length(keys, multiple or self.key_multiple)
        queries = keys if same_lengths else self._length(queries, self.query_multiple)
        if queries > keys > 0 and not self.more_queries:
            queries = keys - keys % self.query_multiple
            # Keys that are fewer than the queries are counted in.
            keys = (
                keys if queries else self._length(self.query_multiple, math.lcm(self.query_multiple, self.key_multiple))
            )
            queries = queries or self.query_multiple
        width = _nearest(d_k, self.widths)
        return Sizes(
            _nearest(batch, self.batches),
            _nearest(heads, self.heads),
            _nearest(group, self.groups),
            queries,
            keys,
            width,
            width if d_v == d_k else _nearest(d_v, self.value_widths),
        )

    def _length(self, length: int, multiple: int) -> int:
        up = -(-length // multiple) * multiple
        return up if self.longest is None else min(up, self.longest - self.longest % multiple)


def _nearest(size: int, allowed: frozenset[int] | None) -> int:
    """Return the next larger allowed size, or the largest; zero is for itself."""
    if not allowed or not size:
        return size
    return min((one for one in allowed if one >= size), default=max(allowed))


EVERYWHERE = Domain()


class Abilities(frozenset[Feature]):
    """The features of an implementation, in the domain in which it has them."""

    domain: Domain

    def __new__(cls, features: Collection[Feature], domain: Domain) -> Self:
        """Put features and their domain together."""
        made = super().__new__(cls, features)
        made.domain = domain
        return made

    def __and__(self, other: Collection[object]) -> Abilities:
        """Return the features that are in `other`, too, in the same domain."""
        return Abilities(frozenset(self).intersection(other), self.domain)

    def __eq__(self, other: object) -> bool:
        """Tell whether features and domain are the same."""
        return frozenset.__eq__(self, other) is True and self.domain == domain_of(other)

    def __ne__(self, other: object) -> bool:
        """Tell whether features or domain differ. A set has its own, which would see the features alone."""
        return not self == other

    def __hash__(self) -> int:
        """Return a hash of both."""
        return hash((frozenset(self), self.domain))


def domain_of(features: object) -> Domain:
    """Return the domain of features: that of abilities, and no limit for a set that says none."""
    return features.domain if isinstance(features, Abilities) else EVERYWHERE
