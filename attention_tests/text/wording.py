"""Parts of the sentences that say what is wrong with a user's input."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

WORDS_TO_LIST = 12

WIDEST_LINE = 2_000
LONGEST_TEXT = 100_000
"""More than any failure needs in which every array is written out."""


class BadTarget(Exception):  # noqa: N818 - the word in the message
    """One sentence: what cannot be verified, where it is, and what to do."""


def article(noun: str) -> str:
    """Put "a" or "an" before a noun."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def unknown(word: str, known: Iterable[str]) -> str:
    """Say that `word` is none of the known ones, and which of them it may have been meant to be."""
    known = list(map(str, known))
    close = get_close_matches(word, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    more = f" and {len(known) - WORDS_TO_LIST} more" if len(known) > WORDS_TO_LIST else ""
    return f"{word!r} is not known: {hint}known are {', '.join(known[:WORDS_TO_LIST])}{more}"


def raised(error: BaseException) -> str:
    """Say what code that is not ours raised, and where, as seen from the frame of ours that caught it."""
    message = encodable(str(error) or "no message").splitlines()[0]
    return f"{type(error).__name__}: {message}{_place(error)}"


def encodable(text: str) -> str:
    """Return a text without halves of surrogate pairs, which UTF-8 has no bytes for."""
    return text.encode(errors="backslashreplace").decode()


def legible(text: str) -> str:
    """Return `text` so that every report can hold it: what cannot be seen is escaped, and what is endless is cut.

    An implementation may say anything: control characters, halves of surrogate pairs, a megabyte on one line.
    """
    cut = "\n".join(_cut(line, WIDEST_LINE) for line in text[: 2 * LONGEST_TEXT].split("\n"))
    return "".join(map(_visible, _cut(cut, LONGEST_TEXT)))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}… ({len(text) - length} characters more)"


def _visible(character: str) -> str:
    seen = character.isprintable() or character == "\n"
    return character if seen else character.encode("unicode_escape").decode("ascii")


def _place(error: BaseException) -> str:
    trace = error.__traceback__ and error.__traceback__.tb_next
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    file = trace.tb_frame.f_code.co_filename
    # An import that finds no source to run ends inside of Python itself.
    return "" if file.startswith("<frozen") else f" ({file}:{trace.tb_lineno})"


def without_place(words: str) -> str:
    """Return what was raised, in words, without where."""
    return re.sub(r" \([^()]+:\d+\)$", "", words)


def place_in(text: str) -> str:
    """Return where code that is not ours raised, as `file:line`, of a text that says what it raised; or nothing."""
    found = re.search(r"raised .* \(([^()]+:\d+)\)$", text, re.MULTILINE)
    return found.group(1) if found else ""
