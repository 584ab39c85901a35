"""The conventions that are recognised, the most special first. docs/reference/signatures.md is made of this table."""

from __future__ import annotations

import math
from typing import Any

from attention_tests.declare.dialect import Alignment, Dialect, Layout
from attention_tests.signatures.convention import Asked, Convention, Options, Parameter


def window_on_both_sides(window: int, options: Options) -> tuple[int, int]:
    """Return how many keys are seen before and after a query's own place."""
    return window - 1, 0 if options.get("causal") else window - 1


def window_on_each_side(window: int, _options: Options) -> int:
    """Return how many keys are seen before a query's own place, and as many after it."""
    return window - 1


def window_before(window: int, options: Options) -> int:
    """Return how many keys are seen before a query's own place. Raises ValueError without causality."""
    if not options.get("causal"):
        raise ValueError("this window has one end: it is asked for together with causality")
    return window - 1


def named_causality(causal: bool, _options: Options) -> str | None:  # noqa: FBT001 - the value of the option
    """Return the word that stands for a causal mask."""
    return "causal" if causal else None


def default_scale(asked: Asked) -> float:
    """Return 1/√d_k, for a function that has no default of its own."""
    return 1 / math.sqrt(asked[0][-1])


def grouped(asked: Asked) -> bool:
    """Tell whether there are fewer key heads than query heads."""
    return asked[0][1:2] != asked[1][1:2]


def _first_two(answer: Any) -> Any:
    return answer[0], answer[1]


def _heads_before_queries(answer: Any) -> Any:
    return answer[0], answer[1].swapaxes(1, 2)


_BLHD = Layout.BATCH_LENGTH_HEAD_WIDTH
_BOTTOM_RIGHT = Dialect(alignment=Alignment.BOTTOM_RIGHT)

PYTORCH = Convention(
    name="torch.nn.functional.scaled_dot_product_attention",
    source="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html",
    marks=frozenset({"enable_gqa"}),
    parameters=(
        Parameter("scale", "scale"),
        Parameter("attn_mask", "mask"),
        Parameter("attn_mask", "bias"),
        Parameter("is_causal", "causal"),
        Parameter("dropout_p", "dropout"),
    ),
    layout=Layout.BATCH_HEAD_LENGTH_WIDTH,
    always={"enable_gqa": grouped},
)
FLASH = Convention(
    name="flash_attn_func",
    source="https://github.com/Dao-AILab/flash-attention#how-to-use-flashattention",
    marks=frozenset({"softmax_scale"}),
    parameters=(
        Parameter("softmax_scale", "scale"),
        Parameter("causal", "causal"),
        Parameter("window_size", "window", window_on_both_sides),
        Parameter("softcap", "softcap"),
        Parameter("dropout_p", "dropout"),
        Parameter("return_attn_probs", "return_lse"),
        Parameter("return_softmax_lse", "return_lse"),
    ),
    layout=_BLHD,
    dialect=_BOTTOM_RIGHT,
    output_and_lse=_first_two,
)
JAX = Convention(
    name="jax.nn.dot_product_attention",
    source="https://docs.jax.dev/en/latest/_autosummary/jax.nn.dot_product_attention.html",
    marks=frozenset({"local_window_size"}),
    parameters=(
        Parameter("scale", "scale"),
        Parameter("mask", "mask"),
        Parameter("bias", "bias"),
        Parameter("is_causal", "causal"),
        Parameter("local_window_size", "window", window_on_each_side),
        Parameter("return_residual", "return_lse"),
    ),
    layout=_BLHD,
    output_and_lse=_heads_before_queries,
)
XFORMERS = Convention(
    name="xformers.ops.memory_efficient_attention",
    source="https://facebookresearch.github.io/xformers/components/ops.html",
    marks=frozenset({"attn_bias", "p"}),
    parameters=(Parameter("scale", "scale"), Parameter("attn_bias", "bias"), Parameter("p", "dropout")),
    layout=_BLHD,
)
MLX = Convention(
    name="mlx.core.fast.scaled_dot_product_attention",
    source="https://ml-explore.github.io/mlx/build/html/python/_autosummary/mlx.core.fast.scaled_dot_product_attention.html",
    marks=frozenset({"scale", "mask", "sinks"}),
    parameters=(
        Parameter("scale", "scale"),
        Parameter("mask", "mask"),
        Parameter("mask", "bias"),
        Parameter("mask", "causal", named_causality),
    ),
    layout=Layout.BATCH_HEAD_LENGTH_WIDTH,
    dialect=_BOTTOM_RIGHT,
)
FLASHINFER = Convention(
    name="flashinfer.single_prefill_with_kv_cache",
    source="https://docs.flashinfer.ai/generated/flashinfer.prefill.single_prefill_with_kv_cache.html",
    marks=frozenset({"window_left"}),
    parameters=(
        Parameter("sm_scale", "scale"),
        Parameter("causal", "causal"),
        Parameter("window_left", "window", window_before),
        Parameter("logits_soft_cap", "softcap"),
    ),
    layout=Layout.LENGTH_HEAD_WIDTH,
    dialect=_BOTTOM_RIGHT,
)
KERAS = Convention(
    name="keras.ops.dot_product_attention",
    source="https://keras.io/api/ops/nn/#dot_product_attention-function",
    marks=frozenset({"attn_logits_soft_cap"}),
    parameters=(
        Parameter("scale", "scale"),
        Parameter("mask", "mask"),
        Parameter("bias", "bias"),
        Parameter("is_causal", "causal"),
        Parameter("attn_logits_soft_cap", "softcap"),
    ),
    layout=_BLHD,
)
ONNX = Convention(
    name="ONNX Attention",
    source="https://onnx.ai/onnx/operators/onnx__Attention.html",
    marks=frozenset({"kv_num_heads"}),
    parameters=(
        Parameter("scale", "scale"),
        Parameter("attn_mask", "mask"),
        Parameter("attn_mask", "bias"),
        Parameter("is_causal", "causal"),
        Parameter("softcap", "softcap"),
    ),
    layout=Layout.BATCH_HEAD_LENGTH_WIDTH,
)
PLAIN = Convention(
    name="attention(query, key, value, ...)",
    source="docs/how-to/plug-in.md",
    marks=frozenset(),
    parameters=(
        Parameter("scale", "scale"),
        Parameter("sm_scale", "scale"),
        Parameter("mask", "mask"),
        Parameter("attn_mask", "mask"),
        Parameter("attention_mask", "mask"),
        Parameter("bias", "bias"),
        Parameter("attn_bias", "bias"),
        Parameter("attn_mask", "bias"),
        Parameter("attention_mask", "bias"),
        Parameter("mask", "bias"),
        Parameter("causal", "causal"),
        Parameter("is_causal", "causal"),
        Parameter("window", "window"),
        Parameter("softcap", "softcap"),
        Parameter("soft_cap", "softcap"),
        Parameter("logits_soft_cap", "softcap"),
        Parameter("dropout", "dropout"),
        Parameter("dropout_p", "dropout"),
        Parameter("return_lse", "return_lse"),
    ),
)
CONVENTIONS = (PYTORCH, FLASHINFER, FLASH, JAX, XFORMERS, MLX, KERAS, ONNX, PLAIN)
