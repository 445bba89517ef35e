"""Finding the mistakes of a block: one step of Python per mistake.

The rule is a recursion over rows: scores come from one product, and each mistake
changes the later ones by its row of the kernel. That is the online rule itself and no
approximation of it.
"""

from __future__ import annotations

import math

import numpy as np

from sknn._array import Array
from sknn.training.perceptron.blocks import Block, Settled
from sknn.training.perceptron.state import Weights
from sknn.training.perceptron.targets import RowTargets

_ZERO = np.zeros(())  # half the price of a Python number as an operand
_SMALLEST = 8


class Window:
    """Number of rows whose scores are computed at once: many where mistakes are rare.

    Parameters
    ----------
    overhead : float
        Cost of a window, in nanoseconds.
    per_row : float
        What a mistake costs for each of the rows behind it.
    """

    def __init__(self, overhead: float, per_row: float) -> None:
        self._overhead, self._per_row = overhead, per_row
        self._density = 0.5

    @property
    def rows(self) -> int:
        """The size that costs least if mistakes come as they came lately."""
        # Of n rows, each costs overhead / n + density * n / 2 * per_row.
        best = math.sqrt(2.0 * self._overhead / (self._density * self._per_row))
        return int(max(best, _SMALLEST))

    def saw(self, mistakes: int, rows: int) -> None:
        """Learn from a window."""
        self._density = 0.5 * (self._density + (mistakes + 0.1) / rows)


def settle(
    block: Block, targets: RowTargets, weights: Weights, window: Window
) -> Settled:
    """Find the mistakes of a block.

    Parameters
    ----------
    block : Block
        The rows.
    targets : BinaryRows, OneVsRestRows or JointRows
        Their targets.
    weights : Weights
        Those before the first row.
    window : Window
        How many rows to score at once.
    """
    n, weights = block.n_rows, weights.select()
    margins = targets.empty(n)
    mistakes: list[int] = []
    start = 0
    while start < n:
        stop = min(n, start + window.rows)
        scores = block.scores(weights, start, stop)
        margins[start:stop] = targets.margins(scores, start)
        found = _settle_window(margins, block, targets, start, stop)
        window.saw(len(found), stop - start)
        mistakes += found
        if stop < n:
            rows = np.array(found, dtype=int)
            block.advance(weights, rows, targets.updates(margins, rows), start, stop)
        start = stop
    rows = np.array(mistakes, dtype=int)
    return Settled(block, targets, margins, rows, targets.updates(margins, rows))


def _settle_window(
    margins: Array, block: Block, targets: RowTargets, start: int, stop: int
) -> list[int]:
    """Bring each row's margins to what they are at its turn; return the mistakes."""
    width = margins[0].size
    rows: list[int] = []
    after, ahead = start, margins[start:stop]
    while True:
        wrong = np.less_equal(ahead, _ZERO)
        first = wrong.argmax()
        if not wrong.item(first):
            return rows
        row = after + int(first) // width
        rows.append(row)
        after = row + 1
        if after == stop:
            return rows
        ahead = margins[after:stop]
        ahead += targets.spread(margins, row, block.kernel(row, stop))
