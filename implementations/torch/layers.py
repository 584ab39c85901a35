"""Layers of which the adapters set the parameters: no numbers are drawn that would be overwritten.

For wide tokens, drawing them takes longer than attention.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

Layer = TypeVar("Layer", bound=torch.nn.Module)


def of_zeros(make: Callable[[], Layer]) -> Layer:
    """Return the layer that is made, for inference, with zero for every parameter and no gradients of them."""
    with torch.device("meta"):
        layer = make()
    layer = layer.to_empty(device="cpu").eval().requires_grad_(requires_grad=False)
    for parameter in layer.parameters():
        parameter.zero_()
    return layer
