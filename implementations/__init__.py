"""Implementations that the suite ships, each imported only when it is asked for by name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attention_tests.implementation import Implementation

# Where each one is, as `module:attribute`, under the extra that installs its library: listing the names imports none.
_GATE = {
    "": {
        "numpy": "implementations.numpy:WHOLE",
        "numpy-online": "implementations.numpy:ONLINE",
        "numpy-layer": "implementations.numpy_layer:LAYER",
        "numpy-steps": "implementations.numpy_steps:STEPS",
    },
    "torch": {
        "torch": "implementations.torch:EAGER",
        "torch-steps": "implementations.torch_steps:STEPS",
        "torch-sdpa-math": "implementations.torch:SDPA_MATH",
        "torch-sdpa-flash": "implementations.torch:SDPA_FLASH",
    },
}
# Those that need a GPU.
_CUDA = {
    "torch-sdpa-flash-cuda": "implementations.torch_cuda:FLASH",
    "torch-sdpa-efficient-cuda": "implementations.torch_cuda:EFFICIENT",
    "torch-sdpa-cudnn-cuda": "implementations.torch_cuda:CUDNN",
    "torch-flex-cuda": "implementations.torch_cuda:FLEX_CUDA",
}
# Those that run only when they are named: they need more time, or more libraries, than a gate should.
_FIELD: dict[str, dict[str, str]] = {
    "torch": {
        "torch-compiled": "implementations.torch_compiled:OPERATORS",
        "torch-sdpa-compiled": "implementations.torch_compiled:FUSED",
        "torch-sdpa-vmap": "implementations.torch_vmap:VMAP",
        "torch-mha": "implementations.torch_mha:TRAINING",
        "torch-mha-weights": "implementations.torch_mha:WITH_WEIGHTS",
        "torch-mha-fast": "implementations.torch_mha:FAST",
        "torch-encoder-layer": "implementations.torch_encoder:ENCODER_LAYER",
        "torch-flex": "implementations.torch_flex:FLEX",
        "torch-flex-compiled": "implementations.torch_compiled:FLEX",
        **_CUDA,
    },
    "transformers": {
        "bert-eager": "implementations.transformers:EAGER",
        "bert-sdpa": "implementations.transformers:SDPA",
    },
    "x-transformers": {
        "x-transformers": "implementations.x_transformers:WRITTEN_OUT",
        "x-transformers-flash": "implementations.x_transformers:FLASH",
    },
    "onnx": {
        "onnx-reference-23": "implementations.onnx:OPSET_23",
        "onnx-reference-24": "implementations.onnx:OPSET_24",
        "onnx-reference-25": "implementations.onnx:OPSET_25",
        "onnx-reference-25-chunked": "implementations.onnx:CHUNKED",
        "onnx-reference-25-external": "implementations.onnx:EXTERNAL",
        "onnx-reference-25-double": "implementations.onnx:DOUBLE",
    },
    "onnxruntime": {
        "onnxruntime-23": "implementations.onnxruntime:OPSET_23",
        "onnxruntime-24": "implementations.onnxruntime:OPSET_24",
        "onnxruntime-24-whole-masks": "implementations.onnxruntime:WHOLE_MASKS",
        "onnxruntime-24-chunked": "implementations.onnxruntime:CHUNKED_24",
        "onnxruntime-24-external": "implementations.onnxruntime:EXTERNAL_24",
        "onnxruntime-24-external-whole-masks": "implementations.onnxruntime:EXTERNAL_WHOLE_MASKS",
        "onnxruntime-25": "implementations.onnxruntime:OPSET_25",
        "onnxruntime-25-chunked": "implementations.onnxruntime:CHUNKED_25",
        "onnxruntime-25-external": "implementations.onnxruntime:EXTERNAL_25",
        "onnxruntime-25-double": "implementations.onnxruntime:DOUBLE",
        "onnxruntime-mha": "implementations.onnxruntime_contrib:MULTI_HEAD_ATTENTION",
        "onnxruntime-mha-self": "implementations.onnxruntime_contrib:SELF_ATTENTION",
        "onnxruntime-mha-chunked": "implementations.onnxruntime_contrib:MULTI_HEAD_CHUNKED",
        "onnxruntime-gqa": "implementations.onnxruntime_contrib:GROUP_QUERY_ATTENTION",
        "onnxruntime-gqa-chunked": "implementations.onnxruntime_contrib:GROUP_QUERY_CHUNKED",
        "onnxruntime-gqa-shared": "implementations.onnxruntime_contrib:GROUP_QUERY_SHARED",
    },
    "openvino": {
        "openvino": "implementations.openvino:ATTENTION",
    },
    "mlx": {
        "mlx": "implementations.mlx:ATTENTION",
    },
    "tinygrad": {
        "tinygrad": "implementations.tinygrad:ATTENTION",
    },
    "paddle": {
        "paddle": "implementations.paddle:ATTENTION",
    },
    "array-api": {
        "array-api-strict": "implementations.array_api:STRICT",
        "array-api-numpy": "implementations.array_api:NUMPY",
    },
    "array-api-torch": {
        "array-api-torch": "implementations.array_api_torch:TORCH",
    },
    "jax": {
        "jax": "implementations.jax:JAX",
        "jax-eager": "implementations.jax:EAGER",
        "jax-double": "implementations.jax:DOUBLE",
    },
    "flax": {
        "flax-nnx": "implementations.flax:NNX",
        "flax-nnx-weights": "implementations.flax:NNX_BY_WEIGHTS",
        "flax-nnx-weights-double": "implementations.flax:NNX_BY_WEIGHTS_DOUBLE",
        "flax-linen": "implementations.flax:LINEN",
        "flax-linen-double": "implementations.flax:LINEN_DOUBLE",
    },
    "tensorflow": {
        "tensorflow": "implementations.tensorflow:FORMULA",
        "tensorflow-steps": "implementations.tensorflow:STEPS",
    },
    "keras": {
        "keras-numpy": "implementations.keras_numpy:NUMPY",
        "keras-layer-numpy": "implementations.keras_layer_numpy:LAYER",
        "keras-layer-weights-numpy": "implementations.keras_layer_numpy:BY_WEIGHTS",
        "keras-layer-grouped-numpy": "implementations.keras_layer_numpy:GROUPED",
    },
    "keras-jax": {
        "keras-jax": "implementations.keras_jax:JAX",
        "keras-layer-jax": "implementations.keras_layer_jax:LAYER",
        "keras-layer-weights-jax": "implementations.keras_layer_jax:BY_WEIGHTS",
        "keras-layer-grouped-jax": "implementations.keras_layer_jax:GROUPED",
    },
    "keras-torch": {
        "keras-torch": "implementations.keras_torch:TORCH",
        "keras-layer-torch": "implementations.keras_layer_torch:LAYER",
        "keras-layer-weights-torch": "implementations.keras_layer_torch:BY_WEIGHTS",
        "keras-layer-grouped-torch": "implementations.keras_layer_torch:GROUPED",
    },
    "keras-tensorflow": {
        "keras-tensorflow": "implementations.keras_tensorflow:TENSORFLOW",
        "keras-tensorflow-double": "implementations.keras_tensorflow:DOUBLE",
        "keras-layer-tensorflow": "implementations.keras_layer_tensorflow:LAYER",
        "keras-layer-weights-tensorflow": "implementations.keras_layer_tensorflow:BY_WEIGHTS",
        "keras-layer-grouped-tensorflow": "implementations.keras_layer_tensorflow:GROUPED",
    },
    "keras-openvino": {
        "keras-openvino": "implementations.keras_openvino:OPENVINO",
    },
}

EXPECTATIONS = Path(__file__).parent / "expectations.toml"


def names() -> tuple[str, ...]:
    """Return the name of every implementation."""
    return (*gate(), *_names_in(_FIELD))


def gate() -> tuple[str, ...]:
    """Return the names of those that run where none is named."""
    return _names_in(_GATE)


def on_a_gpu() -> tuple[str, ...]:
    """Return the names of those that need a GPU."""
    return tuple(_CUDA)


def extra_of(name: str) -> str:
    """Return the extra of this package that installs what an implementation adapts, empty if it needs nothing."""
    return next(extra for tables in (_GATE, _FIELD) for extra, places in tables.items() if name in places)


def place_of(name: str) -> str:
    """Return where an implementation is, as `module:attribute`. Raises KeyError if none has this name."""
    places = {name: place for tables in (_GATE, _FIELD) for table in tables.values() for name, place in table.items()}
    return places[name]


def _names_in(tables: dict[str, dict[str, str]]) -> tuple[str, ...]:
    return tuple(name for places in tables.values() for name in places)


def load(name: str) -> Implementation:
    """Import one implementation.

    Raises
    ------
    KeyError
        No implementation has this name.
    ModuleNotFoundError
        The library that it adapts is not installed.
    """
    module, _, attribute = place_of(name).partition(":")
    implementation: Implementation = getattr(import_module(module), attribute)
    return implementation
