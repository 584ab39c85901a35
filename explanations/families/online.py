"""Blocks of keys: sums that are not rescaled when a larger score comes, and parts that are merged wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.aspect import LOG_SUM_EXP, OUTPUT
from explanations.explanation import Change, Changed, Explanation, everywhere
from explanations.formula import Weighed
from explanations.rounded import Rounded
from explanations.steps import Forward
from properties.drawing.problem import Problem

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
BLOCKS = (4, 8, 16, 32, 64, 128)
OfBlocks = Callable[[Forward, int], Rounded]


def _starts(forward: Forward, block: int) -> range:
    return range(0, forward.seen.shape[-1], block)


def _of_each_block(numbers: Array, block: int, reduce: np.ufunc, initial: float) -> Array:
    """Return what a reduction makes of each block (…, n_q, blocks)."""
    n_k = numbers.shape[-1]
    padded = np.pad(numbers, [(0, 0)] * (numbers.ndim - 1) + [(0, -n_k % block)], constant_values=initial)
    return np.asarray(reduce.reduce(padded.reshape(*numbers.shape[:-1], -1, block), axis=-1))


def _spread(of_blocks: Array, block: int, n_k: int) -> Array:
    """Return numbers of blocks (…, n_q, blocks) for each of their keys."""
    return np.repeat(of_blocks, block, axis=-1)[..., :n_k]


def _block_largest(forward: Forward, block: int) -> Array:
    """Return the largest logit of each block, (…, n_q, blocks); -∞ where it is all hidden."""
    logits = np.where(forward.seen, forward.logits.value, -np.inf)
    return _of_each_block(logits, block, np.maximum, -np.inf)


def _less(forward: Forward, shift: Array) -> Rounded:
    return forward.exponentials_of(forward.logits, forward.seen, np.where(np.isneginf(shift), 0.0, shift))


def _running(forward: Forward, block: int) -> Array:
    """Return the largest logit up to and with the block of each key."""
    running = np.maximum.accumulate(_block_largest(forward, block), axis=-1)
    return _spread(running, block, forward.seen.shape[-1])


def _running_until_the_tail(forward: Forward, block: int) -> Array:
    """Return the largest logit of all keys, but of whole blocks alone for the keys of these."""
    logits, n_k = np.where(forward.seen, forward.logits.value, -np.inf), forward.seen.shape[-1]
    tail = n_k - n_k % block
    of_all = logits.max(-1, keepdims=True, initial=-np.inf)
    of_whole_blocks = logits[..., :tail].max(-1, keepdims=True, initial=-np.inf)
    return np.asarray(np.where(np.arange(n_k) < tail, of_whole_blocks, of_all))


def _own(forward: Forward, block: int) -> Array:
    return _spread(_block_largest(forward, block), block, forward.seen.shape[-1])


def _over_total(numerator: Rounded, denominator: Rounded) -> Rounded:
    total = denominator.summed(-1)
    return (numerator / total).where(np.broadcast_to(total.value != 0, numerator.value.shape))


def _total_not_rescaled(forward: Forward, block: int) -> Rounded:
    return _over_total(forward.exponentials, _less(forward, _running(forward, block)))


def _output_not_rescaled(forward: Forward, block: int) -> Rounded:
    return _over_total(_less(forward, _running(forward, block)), forward.exponentials)


def _neither_rescaled(forward: Forward, block: int) -> Rounded:
    return forward.normalised(_less(forward, _running(forward, block)))


def _total_not_rescaled_for_the_tail(forward: Forward, block: int) -> Rounded:
    return _over_total(forward.exponentials, _less(forward, _running_until_the_tail(forward, block)))


def _output_not_rescaled_for_the_tail(forward: Forward, block: int) -> Rounded:
    return _over_total(_less(forward, _running_until_the_tail(forward, block)), forward.exponentials)


def _neither_rescaled_for_the_tail(forward: Forward, block: int) -> Rounded:
    return forward.normalised(_less(forward, _running_until_the_tail(forward, block)))


def _within_blocks(forward: Forward, block: int) -> tuple[Rounded, Rounded]:
    """Return the weights of each key among those of its block, and the sums of the block that it is in."""
    exponentials = _less(forward, _own(forward, block))
    n_k = forward.seen.shape[-1]
    added = exponentials.error + forward.roundings.u * block * exponentials.value
    value, error = (_spread(_of_each_block(one, block, np.add, 0.0), block, n_k) for one in (exponentials.value, added))
    sums = Rounded(value, error, forward.roundings)
    return (exponentials / sums).where(sums.value != 0), sums


def _averaged(forward: Forward, block: int) -> Rounded:
    return _within_blocks(forward, block)[0].times(1 / max(1, len(_starts(forward, block))))


def _summed(forward: Forward, block: int) -> Rounded:
    return _within_blocks(forward, block)[0]


def _merged(forward: Forward, block: int, logs: Callable[[Rounded, Array], Rounded]) -> Rounded:
    """Return weights of parts that are merged by what is taken for their log-sum-exps."""
    within, sums = _within_blocks(forward, block)
    first = np.arange(forward.seen.shape[-1]) % block == 0
    largest = _own(forward, block)
    sees = ~np.isneginf(largest)
    shares = forward.softmax(logs(sums, np.where(sees, largest, 0.0)), sees & first)
    n_k = forward.seen.shape[-1]
    return within * shares.like(lambda array: _spread(array[..., ::block], block, n_k))


def _in_base_two(forward: Forward, block: int) -> Rounded:
    factor = float(np.log2(np.e))
    return _merged(forward, block, lambda sums, largest: sums.log().plus(largest).times(factor))


def _in_base_e_for_two(forward: Forward, block: int) -> Rounded:
    factor = float(np.log(2))
    return _merged(forward, block, lambda sums, largest: sums.log().plus(largest).times(factor))


def _by_sums_alone(forward: Forward, block: int) -> Rounded:
    return forward.normalised(_less(forward, _own(forward, block)))


def _by_largest_alone(forward: Forward, block: int) -> Rounded:
    return _merged(forward, block, lambda sums, largest: sums.where(np.zeros(()) > 0).plus(largest))


def _largest_part(forward: Forward, block: int) -> Rounded:
    """Return the weights within the part of the largest log-sum-exp, where no other is within the error of it."""
    within, sums = _within_blocks(forward, block)
    largest = _own(forward, block)
    sees = ~np.isneginf(largest)
    logs = sums.log().plus(np.where(sees, largest, 0.0))
    value = np.where(sees, logs.value, -np.inf)
    top = value.max(-1, keepdims=True, initial=-np.inf)
    unknown = (sees & (value != top) & (value + 2 * logs.error > top)).any(-1, keepdims=True)
    equals = (value == top) & sees
    parts = np.maximum((equals & (np.arange(forward.seen.shape[-1]) % block == 0)).sum(-1, keepdims=True), 1)
    part = within.where(equals).times(1 / parts)
    return Rounded(part.value, np.where(unknown, np.inf, part.error), forward.roundings)


def _last_block(forward: Forward, block: int) -> Rounded:
    n_k = forward.seen.shape[-1]
    return forward.softmax(forward.logits, forward.seen & (np.arange(n_k) // block == (n_k - 1) // block))


_MISTAKES: tuple[tuple[str, str, OfBlocks], ...] = (
    ("sum-not-rescaled", "does not rescale the sum of weights", _total_not_rescaled),
    ("output-not-rescaled", "does not rescale the sum of weighted values", _output_not_rescaled),
    ("nothing-rescaled", "rescales neither the sum of weights nor that of weighted values", _neither_rescaled),
    (
        "sum-not-rescaled-for-tail",
        "does not rescale the sum of weights for a last block that is not full",
        _total_not_rescaled_for_the_tail,
    ),
    (
        "output-not-rescaled-for-tail",
        "does not rescale the sum of weighted values for a last block that is not full",
        _output_not_rescaled_for_the_tail,
    ),
    (
        "nothing-rescaled-for-tail",
        "rescales neither the sum of weights nor that of weighted values for a last block that is not full",
        _neither_rescaled_for_the_tail,
    ),
    ("blocks-averaged", "averages the outputs of blocks, whatever the sums of their weights", _averaged),
    ("blocks-added", "adds the outputs of blocks, whatever the sums of their weights", _summed),
    ("merged-in-base-two", "merges blocks by log-sum-exps to base 2 as if to base e", _in_base_two),
    ("merged-in-base-e", "merges blocks by log-sum-exps to base e as if to base 2", _in_base_e_for_two),
    ("merged-without-largest", "merges blocks by sums of weights, without their largest scores", _by_sums_alone),
    ("merged-by-largest", "merges blocks by their largest scores, without their sums of weights", _by_largest_alone),
    ("largest-block-alone", "takes the block with the largest log-sum-exp for all", _largest_part),
    ("last-block-alone", "returns the attention over the last block alone", _last_block),
)


def _explanations() -> Iterator[Weighed]:
    for name, says, weights in _MISTAKES:
        for block in BLOCKS:

            def of_block(forward: Forward, weights: OfBlocks = weights, block: int = block) -> Rounded:
                return weights(forward, block)

            yield Weighed(f"{name}-{block}", f"{says}, where keys come in blocks of {block}", of_block)


def _padded(block: int) -> Change:
    """Return a change by which a last block of keys is filled up with keys and values of zeros that all see."""

    def change(problem: Problem) -> Problem:
        lanes = -problem.key.shape[-2] % block
        if not lanes:
            return problem
        rows, columns = [(0, 0), (0, 0), (0, lanes), (0, 0)], [(0, 0), (0, 0), (0, 0), (0, lanes)]
        bias = None if problem.bias is None else np.broadcast_to(problem.bias, problem.logits_shape)
        return replace(
            problem,
            key=np.pad(problem.key, rows),
            value=np.pad(problem.value, rows),
            mask=np.pad(problem.seen, columns, constant_values=True),
            bias=None if bias is None else np.pad(bias, columns),
            scale=problem.d_k**-0.5 if problem.scale is None else problem.scale,
            causal=False,
            window=None,
        )

    return everywhere(change)


_PADDED = tuple(
    Changed(
        f"padded-to-{block}",
        f"fills up the last block of {block} keys with zeros, whose scores are in the denominator",
        _padded(block),
        (OUTPUT, LOG_SUM_EXP),
    )
    for block in (2, 4, *BLOCKS)
)
EXPLANATIONS: tuple[Explanation, ...] = (*_explanations(), *(variant for one in _PADDED for variant in one.anywhere))
