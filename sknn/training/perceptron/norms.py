"""Squared norms of the weights over a block, for the objective that stopping watches.

The objective has the penalty as it stands before each sample; here its sum comes from
the updates of a block, without the weights in between.
"""

from __future__ import annotations

import numpy as np

from sknn._array import Array
from sknn.training.perceptron.blocks import Settled
from sknn.training.perceptron.state import Weights


def squares_before(weights: Weights, settled: Settled, n_problems: int) -> Array:
    """Return the sum over rows of the squared norm before each of them.

    Parameters
    ----------
    weights : Weights
        Those before the block.
    settled : Settled
        The block.
    n_problems : int
        Number of problems; a single one owns all functions.

    Returns
    -------
    sums : ndarray of shape (n_problems,)
        One sum per problem.
    """
    block, rows, updates = settled.block, settled.rows, settled.updates

    def of_problems(values: Array) -> Array:
        one = values.shape[1] > n_problems
        return values.sum(axis=1, keepdims=True) if one else values

    steps = block.tables.intercept_rate * updates
    intercepts = weights.intercept + np.cumsum(steps, axis=0) - steps
    gains = settled.targets.gains(settled.margins, rows)
    gains -= of_problems(updates * intercepts)
    # ||w'||^2 = shrink^2 ||w||^2 + 2 shrink u (w x) + u^2 ||x||^2
    growth = 2.0 * block.tables.rule.shrink * gains
    growth += of_problems(updates**2) * block.squared_norms(rows)[:, None]
    sums = block.tables.square_sums
    start = of_problems((weights.coef**2).sum(axis=1)[None])[0]
    return start * sums[block.n_rows] + sums[block.n_rows - 1 - rows] @ growth


def squares_over_supports(squares: Array, settled: Settled) -> Array:
    """Return the sum over sparse rows of the squared norm before each of them.

    An update renews the norm from the features that its row stores and no others, as in
    scikit-learn.

    Parameters
    ----------
    squares : ndarray of shape (n_functions,)
        Squared norms before the block, in place changed to those behind it.
    settled : Settled
        The block, of which the updates have been added.

    Returns
    -------
    sums : ndarray of shape (n_functions,)
        One sum per function.
    """
    block, updates = settled.block, settled.updates
    powers, sums = block.tables.powers, block.tables.square_sums
    total, since = np.zeros_like(squares), np.zeros(len(squares), dtype=int)
    for row, update, renewed in zip(
        settled.rows, updates, block.support_squares, strict=True
    ):
        changed = np.flatnonzero(update)
        total[changed] += squares[changed] * sums[row + 1 - since[changed]]
        squares[changed] = renewed[changed] / powers[block.n_rows - 1 - row] ** 2
        since[changed] = row + 1
    left = block.n_rows - since
    total += squares * sums[left]
    squares *= powers[left] ** 2
    return total
