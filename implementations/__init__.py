"""Implementations that the suite ships: a table of their names. None is imported before it is asked for by name."""

from __future__ import annotations

from pathlib import Path

from attention_tests.targets.registry import Shipped

# The location of each as `module:attribute`, by the extra that installs its library: listing the names imports none.
_GATE = {
    "": {
        "numpy": "implementations.numpy.whole:WHOLE",
        "numpy-online": "implementations.numpy.whole:ONLINE",
        "numpy-layer": "implementations.numpy.layer:LAYER",
        "numpy-steps": "implementations.numpy.steps:STEPS",
    },
    "torch": {
        "torch": "implementations.torch.operators:EAGER",
        "torch-steps": "implementations.torch.steps:STEPS",
        "torch-sdpa-math": "implementations.torch.operators:SDPA_MATH",
        "torch-sdpa-flash": "implementations.torch.operators:SDPA_FLASH",
    },
}
# Implementations that need a GPU.
_CUDA = {
    "torch-sdpa-flash-cuda": "implementations.torch.cuda:FLASH",
    "torch-sdpa-efficient-cuda": "implementations.torch.cuda:EFFICIENT",
    "torch-sdpa-cudnn-cuda": "implementations.torch.cuda:CUDNN",
    "torch-flex-cuda": "implementations.torch.cuda:FLEX_CUDA",
}
# Implementations that run only when named: they need more time, or more libraries, than a gate should.
_FIELD: dict[str, dict[str, str]] = {
    "torch": {
        "torch-compiled": "implementations.torch.compiled:OPERATORS",
        "torch-sdpa-compiled": "implementations.torch.compiled:FUSED",
        "torch-sdpa-vmap": "implementations.torch.vmap:VMAP",
        "torch-mha": "implementations.torch.mha:TRAINING",
        "torch-mha-weights": "implementations.torch.mha:WITH_WEIGHTS",
        "torch-mha-fast": "implementations.torch.mha:FAST",
        "torch-encoder-layer": "implementations.torch.encoder:ENCODER_LAYER",
        "torch-flex": "implementations.torch.flex:FLEX",
        "torch-flex-compiled": "implementations.torch.compiled:FLEX",
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
        "onnx-reference-23": "implementations.onnx.evaluator:OPSET_23",
        "onnx-reference-24": "implementations.onnx.evaluator:OPSET_24",
        "onnx-reference-25": "implementations.onnx.evaluator:OPSET_25",
        "onnx-reference-25-chunked": "implementations.onnx.evaluator:CHUNKED",
        "onnx-reference-25-external": "implementations.onnx.evaluator:EXTERNAL",
        "onnx-reference-25-double": "implementations.onnx.evaluator:DOUBLE",
    },
    "onnxruntime": {
        "onnxruntime-23": "implementations.onnxruntime.standard:OPSET_23",
        "onnxruntime-24": "implementations.onnxruntime.standard:OPSET_24",
        "onnxruntime-24-whole-masks": "implementations.onnxruntime.standard:WHOLE_MASKS",
        "onnxruntime-24-chunked": "implementations.onnxruntime.standard:CHUNKED_24",
        "onnxruntime-24-external": "implementations.onnxruntime.standard:EXTERNAL_24",
        "onnxruntime-24-external-whole-masks": "implementations.onnxruntime.standard:EXTERNAL_WHOLE_MASKS",
        "onnxruntime-25": "implementations.onnxruntime.standard:OPSET_25",
        "onnxruntime-25-chunked": "implementations.onnxruntime.standard:CHUNKED_25",
        "onnxruntime-25-external": "implementations.onnxruntime.standard:EXTERNAL_25",
        "onnxruntime-25-double": "implementations.onnxruntime.standard:DOUBLE",
        "onnxruntime-mha": "implementations.onnxruntime.contrib:MULTI_HEAD_ATTENTION",
        "onnxruntime-mha-self": "implementations.onnxruntime.contrib:SELF_ATTENTION",
        "onnxruntime-mha-chunked": "implementations.onnxruntime.contrib:MULTI_HEAD_CHUNKED",
        "onnxruntime-gqa": "implementations.onnxruntime.contrib:GROUP_QUERY_ATTENTION",
        "onnxruntime-gqa-chunked": "implementations.onnxruntime.contrib:GROUP_QUERY_CHUNKED",
        "onnxruntime-gqa-shared": "implementations.onnxruntime.contrib:GROUP_QUERY_SHARED",
    },
    "openvino": {
        "openvino": "implementations.openvino.operator:ATTENTION",
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
        "array-api-strict": "implementations.array_api.formula:STRICT",
        "array-api-numpy": "implementations.array_api.formula:NUMPY",
    },
    "array-api-torch": {
        "array-api-torch": "implementations.array_api.on_torch:TORCH",
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
        "keras-numpy": "implementations.keras.on_numpy:NUMPY",
        "keras-layer-numpy": "implementations.keras.layer_on_numpy:LAYER",
        "keras-layer-weights-numpy": "implementations.keras.layer_on_numpy:BY_WEIGHTS",
        "keras-layer-grouped-numpy": "implementations.keras.layer_on_numpy:GROUPED",
    },
    "keras-jax": {
        "keras-jax": "implementations.keras.on_jax:JAX",
        "keras-layer-jax": "implementations.keras.layer_on_jax:LAYER",
        "keras-layer-weights-jax": "implementations.keras.layer_on_jax:BY_WEIGHTS",
        "keras-layer-grouped-jax": "implementations.keras.layer_on_jax:GROUPED",
    },
    "keras-torch": {
        "keras-torch": "implementations.keras.on_torch:TORCH",
        "keras-layer-torch": "implementations.keras.layer_on_torch:LAYER",
        "keras-layer-weights-torch": "implementations.keras.layer_on_torch:BY_WEIGHTS",
        "keras-layer-grouped-torch": "implementations.keras.layer_on_torch:GROUPED",
    },
    "keras-tensorflow": {
        "keras-tensorflow": "implementations.keras.on_tensorflow:TENSORFLOW",
        "keras-tensorflow-double": "implementations.keras.on_tensorflow:DOUBLE",
        "keras-layer-tensorflow": "implementations.keras.layer_on_tensorflow:LAYER",
        "keras-layer-weights-tensorflow": "implementations.keras.layer_on_tensorflow:BY_WEIGHTS",
        "keras-layer-grouped-tensorflow": "implementations.keras.layer_on_tensorflow:GROUPED",
    },
    "keras-openvino": {
        "keras-openvino": "implementations.keras.on_openvino:OPENVINO",
    },
}

SHIPPED = Shipped(
    in_gate=_GATE,
    in_field=_FIELD,
    for_gpu=_CUDA,
    expectations=Path(__file__).parent / "expectations",
)
