"""How many rows to score at once, between mistakes that cut windows short."""

from __future__ import annotations

import math
from typing import Any

from scipy import sparse

from sknn.training.perceptron.rule import Rule


class WindowLength:
    """Number of rows to score at once: many where mistakes are rare.

    Parameters
    ----------
    overhead : float
        Cost of a window.
    per_row : float
        Cost of each of its rows.
    """

    def __init__(self, overhead: float, per_row: float) -> None:
        self._ratio = overhead / per_row
        self._density = 0.1

    @property
    def rows(self) -> int:
        """The length that costs least if mistakes come as they came lately."""
        # With n rows a mistake costs (overhead + n per_row) / (1 - exp(-density n)),
        # least where z = density n and exp(z) - z = 1 + density overhead / per_row.
        rare = self._density * self._ratio
        z = math.sqrt(2.0 * rare)
        for _ in range(4):
            z = math.log1p(rare + z)
        return max(1, round(z / self._density))

    def saw(self, mistakes: int, rows: int) -> None:
        """Learn from a chunk."""
        self._density = 0.5 * (self._density + (mistakes + 0.5) / (rows + 1))


def window_of(X: Any, rule: Rule, n_functions: int) -> WindowLength:
    """Return the length of windows by their costs in nanoseconds, measured once."""
    if sparse.issparse(X):
        stored = 1.0 + X.nnz / max(X.shape[0], 1)
        overhead = 12_000.0 if n_functions == 1 else 60_000.0
        return WindowLength(overhead, 3.0 * stored * n_functions)
    if rule.truncates:
        return WindowLength(30_000.0, 5.0 * X.shape[1] * n_functions)
    products = 0.06 * X.shape[1] * (n_functions + 1)
    return WindowLength(5_000.0, products + 2.0 * n_functions)
