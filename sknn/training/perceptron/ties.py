"""Ties, decided as single steps would decide them.

A margin of zero is a mistake, and counts and decimals bring many. A kernel sums in
another order than single steps do, so that rounding may leave a margin just above zero
on the one way and at zero on the other, and all that follows would differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from sknn.training.perceptron.blocks import Settled
from sknn.training.perceptron.state import Weights

_ROUNDING = 1e-12
_AT_ONCE = 4096


def are_binary_fractions(*arrays: Any, bits: int = 0) -> bool:
    """Tell whether all numbers have at most so many binary digits behind the point.

    Sums of such numbers are exact in any order, as long as they are not enormous.
    """
    unit = 2.0**bits
    for array in arrays:
        values = array.data if sparse.issparse(array) else np.asarray(array)
        for start in range(0, len(values), _AT_ONCE):  # most data fail at once
            scaled = values[start : start + _AT_ONCE] * unit
            if not (np.rint(scaled) == scaled).all():
                return False
    return True


class Ties:
    """Finds margins that only rounding separates from zero, during one pass.

    Parameters
    ----------
    X : {ndarray, sparse matrix}
        The samples.
    """

    def __init__(self, X: Any) -> None:
        values = X.data if sparse.issparse(X) else X
        self._largest = float(max(values.max(), -values.min())) if values.size else 0.0
        self._growth = 1.0 + self._largest * X.shape[1]
        self._scale = 0.0

    def begin(self, weights: Weights) -> None:
        """Look at the weights before the pass."""
        self._scale = float(
            np.abs(weights.coef).sum() + np.abs(weights.intercept).sum()
        )

    def decide(self, weights: Weights, settled: Settled) -> Settled:
        """Return a settled block in which rounding has decided nothing.

        Parameters
        ----------
        weights : Weights
            Those before the block.
        settled : Settled
            The block.

        Returns
        -------
        settled : Settled
            The same; or its rows up to the first that single steps decide otherwise.
        """
        self._scale += float(np.abs(settled.updates).sum()) * self._growth
        tolerance = _ROUNDING * (1.0 + self._largest) * self._scale
        sizes = np.abs(settled.margins)
        if sizes.min() > tolerance:
            return settled
        near = (sizes <= tolerance).reshape(len(sizes), -1).any(axis=1)
        for row in np.flatnonzero(near).tolist():
            scores = settled.block.exact_scores(weights, settled, row)
            targets = settled.targets.take(slice(row, row + 1))
            margins = targets.margins(scores[None])[0]
            if ((margins <= 0.0) != (settled.margins[row] <= 0.0)).any():
                return settled.until(row, margins)
        return settled
