"""tinygrad: `Tensor.scaled_dot_product_attention` on its CPU device, which needs clang.

https://docs.tinygrad.org/tensor/ops/ (0.14) documents it by its source, a version of the formula in
PyTorch's documentation: only the default scale, one mask, boolean or added, or causality from the top left,
`enable_gqa`, and scores in float32 at least, stored in the dtype of the query for the softmax. A mask adds -∞, and a
fully masked row is NaN. bfloat16 is left out: it depends on the version of clang, and version 14 has none.

"tinygrad's tensors are lazy", so each output is evaluated here: https://docs.tinygrad.org/quickstart/.
"""

from __future__ import annotations

from dataclasses import replace
from os import environ
from shutil import which

from tinygrad import Tensor, dtypes

from attention_tests.declare.dialect import Dialect, FullyMasked
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Array, Implementation
from attention_tests.declare.precision import Precision
from attention_tests.frameworks.tinygrad import to_numpy
from attention_tests.text.wording import BadTarget

if which(environ.get("CC", "clang")) is None:
    raise BadTarget("tinygrad is not run: it computes on the CPU with clang, which is not installed")

EXP_ERRORS = {"float64": 2.0**-43, "float32": 2.0**-17}
"""The error of exp: it is exp2(x / log 2), and the product, of up to 1075 or 150, is rounded to 53 or 24 bits."""


class Words(Tensor):  # type: ignore[misc]  # may be missing
    """A tensor with the `mT` of NumPy and PyTorch."""

    @property
    def mT(self) -> Tensor:  # noqa: N802 - the name of the Array API standard
        """The tensor with its last two axes swapped."""
        return self.transpose(-1, -2)


def attention(  # noqa: PLR0913 - the options of the method
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    causal: bool = False,
    dropout: float = 0.0,
) -> Tensor:
    """Return softmax(Q Kᵀ / √d_k + bias) V, of shape (…, n_q, d_v)."""
    return query.scaled_dot_product_attention(
        key,
        value,
        attn_mask=bias if mask is None else mask,
        dropout_p=dropout,
        is_causal=causal,
        enable_gqa=query.shape[1] != key.shape[1],
    ).realize()


def to_native(array: Array, dtype: str) -> Tensor:
    """Return a copy as a tensor in the dtype."""
    return Words(array.astype(dtype), dtype=getattr(dtypes, dtype)).realize()


ATTENTION = Implementation(
    name="tinygrad",
    attention=attention,
    supports=frozenset(
        {
            Feature.LENGTHS,
            Feature.VALUE_WIDTH,
            Feature.HEADS,
            Feature.GROUPED_HEADS,
            Feature.MASK,
            Feature.BIAS,
            Feature.CAUSAL,
            Feature.DROPOUT,
        }
    ),
    dtypes={
        **{dtype: replace(Precision.strict(dtype), exp_error=error) for dtype, error in EXP_ERRORS.items()},
        # The scores are float32 until the softmax, every operation of which stores its result in 16 bits.
        "float16": Precision.pure("float16"),
    },
    to_native=to_native,
    to_numpy=to_numpy,
    dialect=Dialect(fully_masked=FullyMasked.NAN),
    compiled=True,
)
