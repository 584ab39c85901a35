"""The arrays that a callable takes are read from its annotations, its imports and its code, or are named."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest

from attention_tests.frameworks.found import FRAMEWORKS, Arrays, framework_for, framework_of
from attention_tests.text.wording import BadTarget
from tests.support import bare
from tests.support.made import made

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
synchronized = importlib.import_module("attention_tests.frameworks.torch").synchronized

IMPORTS = "import numpy as np\nimport torch\n"


@pytest.mark.parametrize(
    ("source", "framework"),
    [
        ("def attention(q, k, v): return v", "numpy"),
        ("import numpy as np\ndef attention(q, k, v): return np.exp(q)", "numpy"),
        ("import torch\ndef attention(q, k, v): return torch.exp(q)", "torch"),
        (f"{IMPORTS}def attention(q, k, v): return torch.exp(q)", "torch"),
        (f"{IMPORTS}def attention(q: np.ndarray, k, v): return torch.exp(q)", "numpy"),
        (f"{IMPORTS}def attention(q: 'torch.Tensor', k, v): return v", "torch"),
        ("def attention(q: 'jax.Array', k, v): return v", "jax"),
        ("from torch.nn.functional import scaled_dot_product_attention as attention", "torch"),
        ("import numpy as np\nattention = np.add", "numpy"),
        ("def made():\n  import torch\n  return lambda q, k, v: torch.exp(q)\nattention = made()", "torch"),
        ("def made():\n  def f(q, k, v): return g(q)\n  return f\n  g = 1\nattention = made()", "numpy"),
        ("def f(q):\n  return attention(q)\ndef attention(q, k, v): return f(q)", "numpy"),
        (f"{IMPORTS}def attention(q: torch.Tensor, k, v) -> torch.Tensor: return v", "torch"),
        ("from torch.nn.functional import softmax\ndef attention(q, k, v): return softmax(q, -1) @ v", "torch"),
        ("import torch\nclass M(torch.nn.Module):\n  def forward(self, q, k, v): return v\nattention = M()", "torch"),
        (
            "import torch, functools\ndef f(q, k, v, s): return torch.exp(q)\nattention = functools.partial(f, s=1)",
            "torch",
        ),
    ],
)
def test_the_framework_is_found_out(source: str, framework: str) -> None:
    assert framework_of(made(source)) == framework


def test_what_a_callable_calls_tells_where_its_own_module_does_not() -> None:
    kernel = made(f"{IMPORTS}def kernel(q, k, v): return torch.exp(q)", "kernel")
    names = {"kernel": kernel}
    exec("def attention(q, k, v): return kernel(q, k, v)", names)  # noqa: S102 - it is written here
    assert framework_of(names["attention"]) == "torch"


def test_it_can_be_named() -> None:
    assert framework_for(bare.plain, Arrays("torch")).name == "torch"
    assert framework_for(bare.plain, Arrays()).name == "numpy"


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (Arrays("troch"), ["'troch' is not known", "did you mean 'torch'?"]),
        (Arrays("torch", "cuda:17"), ["--device cuda:17", "PyTorch has no device cuda:17 here"]),
        (Arrays("torch", "nowhere"), ["--device nowhere", "PyTorch has no device nowhere here"]),
        (Arrays("torch", "meta"), ["--device meta", "PyTorch has no device meta here"]),
        (Arrays("numpy", "cuda"), ["--device cuda", "NumPy's arrays are on the CPU"]),
    ],
)
def test_what_is_not_there_is_refused_in_one_sentence(arrays: Arrays, words: list[str]) -> None:
    with pytest.raises(BadTarget) as refused:
        framework_for(bare.plain, arrays)
    assert "\n" not in str(refused.value)
    assert all(word in str(refused.value) for word in words)


def test_a_framework_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = [name for name in FRAMEWORKS if name not in sys.modules]
    monkeypatch.setattr("attention_tests.frameworks.found.find_spec", lambda _name: None)
    with pytest.raises(BadTarget, match=f"arrays of {absent[0]} are wanted, and {absent[0]} is not installed"):
        framework_for(bare.plain, Arrays(absent[0]))


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16", "bool"])
def test_arrays_of_pytorch_are_copies_that_come_back_as_they_were(dtype: str) -> None:
    framework = framework_for(bare.plain, Arrays("torch"))
    array = np.array([[0.5, -2.0], [1.0, 0.0]]) if dtype != "bool" else np.array([[True, False]])
    native = framework.to_native(array, dtype)
    assert str(native.dtype) == f"torch.{dtype}"
    native.zero_()
    assert array.any()
    np.testing.assert_array_equal(framework.to_numpy(framework.to_native(array, dtype)), array)


def test_an_answer_on_a_device_is_computed_when_its_call_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    monkeypatch.setattr("torch.accelerator.synchronize", lambda: happened.append("computed"))
    called = synchronized(lambda: happened.append("called"))
    called()
    assert happened == ["called", "computed"]
