"""The document, clause by clause: what it says, and how each sentence stands.

The source is "BERT_self-attention原理" (2021), which follows Alammar, *The Illustrated Transformer*, and Vaswani et al.
2017, *Attention Is All You Need*. A clause's id never changes: properties, reports and docs cite it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kind of a clause: what an implementation has to do with it."""

    STEP = "step"
    """It must be computed."""
    CLAIM = "claim"
    """It is said about the steps."""
    ERRATUM = "erratum"
    """It is a slip of the document."""


class Standing(StrEnum):
    """The result of checking a clause."""

    DEFINES = "defines"
    """A step: true by definition."""
    HOLDS = "holds"
    REFUTED = "refuted"
    """A counterexample is known."""
    MEASURED = "measured"
    """Neither true nor false: a quantity, which is reported."""


@dataclass(frozen=True)
class Clause:
    """One sentence of the document, in our words."""

    id: str
    section: str
    kind: Kind
    says: str
    standing: Standing
    note: str


def _step(id_: str, section: str, says: str, note: str) -> Clause:
    return Clause(id_, section, Kind.STEP, says, Standing.DEFINES, note)


def _claim(id_: str, section: str, says: str, standing: Standing, note: str) -> Clause:
    return Clause(id_, section, Kind.CLAIM, says, standing, note)


_IN_ORDER = (
    _step(
        "embed",
        "3.1",
        "Every word of the input sentence becomes one embedding vector.",
        "4 wide in the example; any width d_model ≥ 1 here.",
    ),
    _step(
        "project",
        "3.1",
        "A word's query, key and value are its embedding times one learned matrix each.",
        "q = x W_q, k = x W_k, v = x W_v; 4×3 matrices in the example.",
    ),
    _step(
        "score",
        "3.1",
        "The score of word j for word i is the dot product of i's query and j's key.",
        "s_ij = q_i · k_j; 112 and 96 in Alammar's figure.",
    ),
    _step(
        "scale",
        "3.1",
        "Before the softmax the scores are divided by the square root of the width of the keys.",
        "s_ij / √d_k: not d_model, not d_v; 14 and 12 in Alammar's figure, where d_k is 64.",
    ),
    _step(
        "softmax",
        "3.1",
        "Softmax turns the scores of one word into the weights with which every word contributes to it.",
        "Weights are never negative and sum to 1; 0.88 and 0.12 in Alammar's figure.",
    ),
    _step(
        "weigh",
        "3.1",
        "Every value vector is multiplied by its weight.",
        "The whole vector by one number.",
    ),
    _step(
        "sum",
        "3.1",
        "The sum of the weighted values is the output at that position.",
        "It lies in the convex hull of the values and is linear in them.",
    ),
    _step(
        "every-word",
        "3.1",
        "The same steps for every word give the output of the sentence.",
        "Row i depends on query i alone, and on all keys and values.",
    ),
    _step(
        "pack",
        "3.2",
        "The embeddings are packed into one matrix X, so that queries, keys and values are matrices too.",
        "X is 10×4 and Q, K, V are 10×3 in the example.",
    ),
    _step(
        "matrix",
        "3.2",
        "Queries times keys give all scores at once; softmax and a product with the values give all outputs.",
        "softmax(Q Kᵀ / √d_k) V, which is the vector path row by row.",
    ),
    _claim(
        "global-view",
        "2",
        "Unlike an RNN, which hands a hidden state on, self-attention lets a word look at every position at once.",
        Standing.HOLDS,
        "Every value can change every output, and reordering the words only reorders the outputs.",
    ),
    _claim(
        "self-dominates",
        "3.1",
        "A word obviously contributes most to itself.",
        Standing.REFUTED,
        "False in general; true where W_q = W_k and all queries have the same length.",
    ),
    _claim(
        "query-is-value",
        "3.1",
        "In self-attention the query is the value.",
        Standing.REFUTED,
        "They come from the same words; they are equal only where W_q = W_v.",
    ),
    _claim(
        "stable-gradients",
        "3.1",
        "Scaling the scores is said to keep the gradients stable.",
        Standing.MEASURED,
        "For unit-variance queries and keys the scores have variance d_k without scaling and 1 with it.",
    ),
    _claim(
        "matrix-is-faster",
        "3.1, 3.2",
        "In practice the matrix computation is used, because it is more efficient.",
        Standing.MEASURED,
        "The time of the vector path over that of the matrix path, which grows with the number of words.",
    ),
    Clause(
        "omitted-scale",
        "3.2",
        Kind.ERRATUM,
        "The matrix section goes from the scores to the softmax without dividing by √d_k.",
        Standing.REFUTED,
        "The two paths agree only if the matrix path divides as well, so here it does.",
    ),
)

CLAUSES: dict[str, Clause] = {clause.id: clause for clause in _IN_ORDER}
"""Every clause by its id, in the order of the document."""
