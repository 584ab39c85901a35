"""Streams that laws draw from: any problem or sentence, or those of some shapes, values and options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from zlib import crc32

from hypothesis import strategies as st

from attention_tests.engine.law import Stream
from properties.drawing.options import Options
from properties.drawing.plans import Plan, SentencePlan
from properties.drawing.regimes import OVERLAYS, REGIMES

T = TypeVar("T")

SHORT_LENGTHS = (*range(1, 19), 2, 3, 4, 5, 7, 8, 23, 24, 31, 32, 33)
LONG_LENGTHS = (64, 65, 66, 129, 257)
WIDTHS = (*range(1, 9), 2, 3, 4, 5, 11, 13, 16, 17, 33)
BATCHES_AND_HEADS = ((1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 2), (2, 3), (1, 4))
DIAGONALS = ("none", "none", "lengths", "widths", "keys and values", "all")
ALL_REGIMES = tuple(REGIMES)
ORDINARY_REGIMES = ("zeros", "ones", "iota", "small integers", "normal", "uniform", "signed zeros", "common offset")
CAPS = (30.0, 1.0, 50.0, 0.1)

_WIDTHS = st.sampled_from(WIDTHS)
_LENGTHS = st.sampled_from(SHORT_LENGTHS)
_SEEDS = st.integers(0, 2**16 - 1)


def _plan(sizes: tuple[int, int, int, int], diagonal: str, batch_and_heads: tuple[int, int], **rest: Any) -> Plan:
    """Return a plan on a diagonal of the space of shapes, where bugs are: n_q = n_k, d_k = d_v, n_k = d_v, or all."""
    queries, keys, d_k, d_v = sizes
    if diagonal in ("lengths", "all"):
        queries = keys
    if diagonal == "all":
        d_k = keys
    if diagonal in ("widths", "all"):
        d_v = d_k
    if diagonal == "keys and values":
        d_v = keys
    batch, heads = batch_and_heads
    return Plan(batch=batch, heads=heads, queries=queries, keys=keys, d_k=d_k, d_v=d_v, **rest)


_PLANS = st.builds(
    _plan,
    st.tuples(_LENGTHS, _LENGTHS, _WIDTHS, _WIDTHS),
    st.sampled_from(DIAGONALS),
    st.sampled_from(BATCHES_AND_HEADS),
    regimes=st.one_of(
        st.tuples(st.sampled_from(ALL_REGIMES)), st.tuples(st.sampled_from(ALL_REGIMES), st.sampled_from(ALL_REGIMES))
    ),
    overlay=st.sampled_from(tuple(OVERLAYS)),
    seed=_SEEDS,
)

_SENTENCE_PLANS = st.builds(
    SentencePlan,
    tokens=_LENGTHS,
    d_model=_WIDTHS,
    d_k=_WIDTHS,
    d_v=_WIDTHS,
    regime=st.sampled_from(ORDINARY_REGIMES),
    seed=_SEEDS,
)


_NUMBERED = {
    "batch": 1,
    "heads": 1,
    "queries": 1,
    "keys": 1,
    "d_k": 1,
    "d_v": 1,
    "regimes": ("zeros",),
    "overlay": "none",
    "seed": 0,
}
"""The fields that the number of a plan is made of, in this order, each with the value that is left out.

They are not read from `Plan`, so that neither another field there nor another order draws other problems.
"""


def _number(plan: Plan) -> int:
    """Return a number that differs from plan to plan, and is 0 if its seed is 0.

    Seeds alone vary too little: Hypothesis likes to repeat one.
    """
    if not plan.seed:
        return 0
    values = {name: getattr(plan, name) for name in _NUMBERED}
    written = ", ".join(f"{name}={value!r}" for name, value in values.items() if value != _NUMBERED[name])
    return crc32(f"Plan({written})".encode())


LIMIT_OF_PROBLEMS_WITH_OPTIONS = 50
"""The number of problems with options: many laws draw them, and each option is combined with the others in several."""

PROBLEMS_FOR_EACH_CHOICE = 16
"""The number of problems, on average, that ask for one of several choices."""


@dataclass(frozen=True)
class OptionChoices:
    """Choices for each option of the problems of a law, the plainest first."""

    masks: Sequence[str] = ("",)
    biases: Sequence[str] = ("",)
    axes: Sequence[str] = ("bhqk",)
    causal: Sequence[bool] = (False,)
    windows: Sequence[int | None] = (None,)
    softcaps: Sequence[float | None] = (None,)
    groups: Sequence[int] = (1,)
    scales: Sequence[float | None] = (None,)

    def of(self, plan: Plan) -> Options:
        """Return the options chosen by a plan: the plainest if its seed is 0, and any otherwise."""
        return self.numbered(_number(plan))

    def numbered(self, number: int) -> Options:
        """Return the options chosen by a number: the plainest for 0."""
        choices: dict[str, Sequence[Any]] = {
            "mask": self.masks,
            "mask_axes": self.axes,
            "bias": self.biases,
            "bias_axes": self.axes,
            "causal": self.causal,
            "window": self.windows,
            "softcap": self.softcaps,
            "group": self.groups,
            "scale": self.scales,
        }
        chosen = {}
        for option, choice in choices.items():
            number, place = divmod(number, len(choice))
            chosen[option] = choice[place]
        return Options(**chosen)


@dataclass(frozen=True)
class OneOf:
    """Several choices of options, of which each problem takes one."""

    choices: Sequence[OptionChoices]

    def of(self, plan: Plan) -> Options:
        """Return the options chosen by a plan: the plainest of the first choice if its seed is 0."""
        number, place = divmod(_number(plan), len(self.choices))
        return self.choices[place].numbered(number)


def problems(  # noqa: PLR0913 - everything that a law can choose of a problem
    *,
    regimes: Sequence[str] = ALL_REGIMES,
    overlays: Sequence[str] = tuple(OVERLAYS),
    keys: Sequence[int] = (),
    d_k: Sequence[int] = (),
    batches_and_heads: Sequence[tuple[int, int]] = (),
    sometimes_long: bool = False,
    options: OptionChoices | OneOf | None = None,
) -> Stream:
    """Return a stream of problems of any shapes and values, or of the given choices, without options by default.

    A size or value drawn outside of a choice is mapped to a member of it.
    """

    def narrow(plan: Plan) -> Plan:
        drawn = BATCHES_AND_HEADS.index((plan.batch, plan.heads))
        batch, heads = _nearest_choice(batches_and_heads, drawn, (plan.batch, plan.heads))
        n_keys = _nearest_choice(keys, plan.keys, plan.keys)
        return replace(
            plan,
            batch=batch,
            heads=heads,
            keys=_nearest_choice(LONG_LENGTHS, plan.seed // 5, n_keys)
            if sometimes_long and plan.seed % 5 == 4
            else n_keys,
            d_k=_nearest_choice(d_k, plan.d_k, plan.d_k),
            regimes=tuple(_nearest_choice(regimes, ALL_REGIMES.index(regime), regime) for regime in plan.regimes),
            overlay=_nearest_choice(overlays, tuple(OVERLAYS).index(plan.overlay), plan.overlay),
            options=plan.options if options is None else options.of(plan),
        )

    if isinstance(options, OneOf):
        return Stream(_PLANS, narrow, at_least=PROBLEMS_FOR_EACH_CHOICE * len(options.choices))
    return Stream(_PLANS, narrow, LIMIT_OF_PROBLEMS_WITH_OPTIONS if options else None)


def sentences(
    *,
    regimes: Sequence[str] = ORDINARY_REGIMES,
    tokens: Sequence[int] = (),
    d_model: Sequence[int] = (),
    widths: Sequence[int] = (),
) -> Stream:
    """Return a stream of sentences of any sizes and values, or of the given choices."""

    def narrow(plan: SentencePlan) -> SentencePlan:
        return SentencePlan(
            tokens=_nearest_choice(tokens, plan.tokens, plan.tokens),
            d_model=_nearest_choice(d_model, plan.d_model, plan.d_model),
            d_k=_nearest_choice(widths, plan.d_k, plan.d_k),
            d_v=_nearest_choice(widths, plan.d_v, plan.d_v),
            regime=_nearest_choice(regimes, ORDINARY_REGIMES.index(plan.regime), plan.regime),
            seed=plan.seed,
        )

    return Stream(_SENTENCE_PLANS, narrow)


def _nearest_choice(choice: Sequence[T], drawn: int, otherwise: T) -> T:
    """Return `otherwise` if the choice is empty or has it, else the member of the choice that `drawn` indexes."""
    return otherwise if not choice or otherwise in choice else choice[drawn % len(choice)]


ANY_PROBLEM = problems()
"""One stream of problems for all laws that take any: drawn, answered and judged once."""
PROBLEMS_WITH_SEVERAL_BATCHES = problems(batches_and_heads=((2, 1), (3, 1), (2, 2), (3, 2)))
ANY_SENTENCE = sentences()
DOCUMENT_SENTENCES = sentences(tokens=(10,), d_model=(4,), widths=(3,))
"""The document's own example: ten tokens of width four, matrices of four by three."""
