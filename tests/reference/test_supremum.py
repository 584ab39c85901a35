from __future__ import annotations

from itertools import product

import numpy as np

from reference.bounds.supremum import largest_mean


def by_trying_all(log_weights: np.ndarray, error: np.ndarray, values: np.ndarray, mean: float) -> float:
    """A linear-fractional function is largest at a corner, and there are only 2^n of those."""
    best = -np.inf
    for signs in product((-1, 1), repeat=len(values)):
        exponent = log_weights + np.array(signs) * error
        weights = np.exp(exponent - exponent.max())
        best = max(best, weights @ (values - mean) / weights.sum())
    return best


def test_the_supremum_is_the_largest_of_all_corners() -> None:
    rng = np.random.default_rng(1967)
    for _ in range(200):
        n = int(rng.integers(1, 8))
        log_weights, error = -rng.exponential(10, (1, n)), rng.exponential(rng.choice([0.1, 3, 30, 300]), (1, n))
        values = rng.standard_normal((1, 1, n))
        weights = np.exp(log_weights - log_weights.max())
        mean = (weights * values[0]).sum(-1, keepdims=True) / weights.sum()
        found = float(largest_mean(log_weights, error, values, mean)[0, 0])
        best = by_trying_all(log_weights[0], error[0], values[0, 0], float(mean[0, 0]))
        assert best <= found <= best * (1 + 2e-6) + 1e-10


def test_a_heavy_value_just_above_the_mean_does_not_limit_the_supremum() -> None:
    """The mean is -2e-15 for the sake of a light value; once past the heavy 0, it can be anything up to 1."""
    log_weights, error = np.array([[0.0, -60.0, -20.0]]), np.full((1, 3), 40.0)
    values = np.array([[[0.0, 1.0, -(2.0**-20)]]])
    mean = np.array([[np.exp(-60.0) - 2.0**-20 * np.exp(-20.0)]])
    assert mean < 0
    assert largest_mean(log_weights, error, values, mean) > 0.99


def test_a_hidden_key_does_not_affect_the_supremum() -> None:
    log_weights, error = np.array([[0.0, 0.0, -np.inf]]), np.full((1, 3), 2.0)
    values, mean = np.array([[[0.0, 1.0, 1000.0]]]), np.array([[0.5]])
    assert largest_mean(log_weights, error, values, mean) < 0.5
