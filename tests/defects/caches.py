"""Defects in key/value caches: tokens lost, mixed up, or shared between caches."""

# ruff: noqa: N801 - defects are named like the functions

from __future__ import annotations

from typing import ClassVar

import numpy as np

from attention_tests import Feature, Step
from tests.defects.correct import Array, attention, normalised, scaled_scores, to_bits
from tests.defects.correct_cache import Buffer, Cache
from tests.defects.defect import defect

EVERY_WORD = "test_a_cache_attends_to_every_token_appended_so_far"
LONG = "test_a_cache_of_any_length_attends_to_every_token"
ONE_BY_ONE = "test_appending_tokens_one_by_one_equals_appending_them_at_once"
ASKED = "test_attending_to_a_cache_does_not_change_it"
ANOTHER = "test_two_caches_do_not_affect_each_other"
OWN = "test_overwriting_appended_arrays_does_not_change_the_cache"
KEPT = "test_later_calls_of_a_cache_do_not_change_its_earlier_outputs"
HEADS = "test_heads_and_batches_of_a_cache_do_not_affect_each_other"
SHARED = "test_query_heads_of_a_group_share_a_key_head_of_the_cache"


@defect("every-word", "an append position that is one too low", killed_by=EVERY_WORD, step=Step.CACHE)
class last_appended_token_overwritten(Cache):
    def joined(self, before: Array, words: Array) -> Array:
        return super().joined(None if before is None else before[..., :-1, :], words)


@defect("every-word", "a larger buffer without the tokens of the smaller one", killed_by=EVERY_WORD, step=Step.CACHE)
class buffer_doubled_without_copying(Buffer):
    def moved(self, before: Array, larger: Array) -> Array:  # noqa: ARG002 - the defect
        return larger


@defect("every-word", "a sliding window of 16 tokens where none was requested", killed_by=EVERY_WORD, step=Step.CACHE)
class tokens_before_the_last_16_dropped(Cache):
    def joined(self, before: Array, words: Array) -> Array:
        return super().joined(before, words)[..., -16:, :]


@defect("every-word", "a ring buffer of 64 tokens", killed_by=LONG, step=Step.CACHE)
class tokens_before_the_last_64_dropped(Cache):
    def joined(self, before: Array, words: Array) -> Array:
        return super().joined(before, words)[..., -64:, :]


@defect("every-word", "a length kept in eight bits", killed_by=LONG, step=Step.CACHE)
class length_in_eight_bits(Buffer):
    def count(self, words: int) -> None:
        self.length = (self.length + words) % 256 or 256


@defect("every-word", "the arrays that were given are kept, not copied", killed_by=OWN, step=Step.CACHE)
class given_arrays_kept_without_a_copy(Cache):
    def kept(self, words: Array) -> Array:
        return words


@defect("every-word", "a query is appended as a token", killed_by=ASKED, step=Step.CACHE)
class attend_appends_a_token(Cache):
    def attend(self, query: Array) -> Array:
        output = super().attend(query)
        self.append(self.key[..., -1:, :], self.value[..., -1:, :])
        return output


@defect("every-word", "one static buffer, emptied by every new cache", killed_by=ANOTHER, step=Step.CACHE)
class one_buffer_for_all_caches(Cache):
    words: ClassVar[list[Array]] = []

    def __init__(self) -> None:
        self.words.clear()

    def append(self, key: Array, value: Array) -> None:
        self.words.append((key.copy(), value.copy()))

    def attend(self, query: Array) -> Array:
        key, value = (np.concatenate(arrays, axis=-2) for arrays in zip(*self.words, strict=True))
        return attention(query, key, value)


@defect("every-word", "new values before the old ones, new keys after", killed_by=EVERY_WORD, step=Step.CACHE)
class values_prepended_to_the_cache(Cache):
    def append(self, key: Array, value: Array) -> None:
        self.key = self.joined(self.key, key.copy())
        self.value = value.copy() if self.value is None else self.joined(value, self.value)


@defect("every-word", "a cache without an axis for the batch", killed_by=HEADS, step=Step.CACHE)
class first_batch_of_a_cache_for_all(Cache):
    def kept(self, words: Array) -> Array:
        return np.repeat(words[:1], len(words), axis=0)


@defect("every-word", "a cache without an axis for the heads", killed_by=HEADS, step=Step.CACHE)
class last_head_of_a_cache_for_all(Cache):
    def kept(self, words: Array) -> Array:
        return np.repeat(words[:, -1:], words.shape[1], axis=1)


@defect("every-word", "a length that is not updated after the second append", killed_by=EVERY_WORD, step=Step.CACHE)
class length_of_the_first_two_appends(Buffer):
    appends = 0

    def write(self, key: Array, value: Array) -> None:
        self.appends += 1
        super().write(key, value)

    def count(self, words: int) -> None:
        self.length += words if self.appends <= 2 else 0


@defect("every-word", "appends are counted instead of tokens", killed_by=ONE_BY_ONE, step=Step.CACHE)
class appends_counted(Buffer):
    def count(self, words: int) -> None:  # noqa: ARG002 - the defect
        self.length += 1


@defect("every-word", "pytorch#184122: the scale of the first call", killed_by=EVERY_WORD, step=Step.CACHE)
class scale_of_the_first_call(Cache):
    scales: ClassVar[list[float]] = []

    def attend(self, query: Array) -> Array:
        self.scales.append(query.shape[-1] ** -0.5)
        return attention(query, self.key, self.value, scale=self.scales[0])


@defect("every-word", "the largest score is kept from the first attend", killed_by=EVERY_WORD, step=Step.CACHE)
class largest_score_of_the_first_attend(Cache):
    largest: Array = None

    def attend(self, query: Array) -> Array:
        scores = scaled_scores(query, self.key)
        if self.largest is None:
            self.largest = scores.max()
        return normalised(np.exp(scores - self.largest)) @ self.value


@defect("every-word", "the keys of an append stored in reverse", killed_by=EVERY_WORD, step=Step.CACHE)
class keys_backwards_in_each_append(Cache):
    def append(self, key: Array, value: Array) -> None:
        super().append(key[..., ::-1, :], value)


@defect("every-word", "a cache in half precision", killed_by=EVERY_WORD, step=Step.CACHE)
class stored_in_half_precision(Cache):
    def kept(self, words: Array) -> Array:
        return to_bits(words, 11).astype(words.dtype)


@defect("every-word", "pending tokens are overwritten by the next append", killed_by=ONE_BY_ONE, step=Step.CACHE)
class only_the_last_pending_append_joined(Cache):
    waiting: tuple[Array, ...] = ()

    def append(self, key: Array, value: Array) -> None:
        self.waiting = key.copy(), value.copy()

    def attend(self, query: Array) -> Array:
        if self.waiting:
            super().append(*self.waiting)
        self.waiting = ()
        return super().attend(query)


@defect("every-word", "an output is kept until the next append", killed_by=EVERY_WORD, step=Step.CACHE)
class answer_kept_until_the_next_append(Cache):
    output: Array = None

    def append(self, key: Array, value: Array) -> None:
        self.output = None
        super().append(key, value)

    def attend(self, query: Array) -> Array:
        if self.output is None or self.output.shape[-2] != query.shape[-2]:
            self.output = super().attend(query)
        return self.output.copy()


@defect("every-word", "one output buffer for all calls of attend", killed_by=KEPT, step=Step.CACHE)
class output_buffer_of_a_cache_used_again(Cache):
    output: Array = None

    def attend(self, query: Array) -> Array:
        output = super().attend(query)
        if self.output is None or self.output.shape != output.shape:
            self.output = output
        self.output[...] = output
        return self.output


@defect("every-word", "a causal mask aligned with the first token", killed_by=EVERY_WORD, step=Step.CACHE)
class queries_aligned_with_the_first_tokens(Cache):
    def attend(self, query: Array) -> Array:
        hidden = np.arange(self.key.shape[-2]) > np.arange(query.shape[-2])[:, None]
        scores = np.where(hidden, -np.inf, scaled_scores(query, self.key))
        return normalised(np.exp(scores - scores.max(axis=-1, keepdims=True))) @ self.value


@defect("every-word", "onnx#7274: heads tiled", killed_by=SHARED, step=Step.CACHE, features={Feature.GROUPED_HEADS})
class key_heads_of_a_cache_tiled(Cache):
    def attend(self, query: Array) -> Array:
        group = query.shape[1] // self.key.shape[1]
        return attention(query, *(np.tile(array, (1, group, 1, 1)) for array in (self.key, self.value)))
