"""Attention in four functions of the Array API standard, on PyTorch."""

from __future__ import annotations

from array_api_compat import torch

from implementations.array_api.formula import on

TORCH = on(torch, "array-api-torch")
