"""One pass over the samples: block by block, one step of Python per mistake.

Within a block the rule is a recursion over rows: scores come from one product, and each
mistake changes the later ones by its row of the kernel. That is the online rule itself
and no approximation of it. Passes with an l1 penalty are in a room of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from sknn._array import Array
from sknn.training.perceptron.blocks import Block, Settled, rows_of
from sknn.training.perceptron.norms import squares_before, squares_over_supports
from sknn.training.perceptron.pocket import Pocket
from sknn.training.perceptron.rule import Rule, Tables
from sknn.training.perceptron.state import Average, State
from sknn.training.perceptron.targets import RowTargets
from sknn.training.perceptron.ties import Ties

_ZERO = np.zeros(())  # half the price of a Python number as an operand
_SMALLEST, _LARGEST = 8, 1024
# Nanoseconds for a block, for a feature of a row in a kernel, for a margin of a row.
_BLOCK, _FEATURE, _MARGIN = 20_000.0, 0.12, 2.0


@dataclass
class Tally:
    """What a pass has counted, one number per problem.

    Parameters
    ----------
    mistakes : ndarray of int
        Samples that brought an update.
    losses : ndarray
        Sum of the distances of negative margins from zero.
    penalties : ndarray
        Sum over the samples of the penalty on the weights before them; zero where the
        pass was not asked for it.
    """

    mistakes: Array
    losses: Array
    penalties: Array

    @classmethod
    def zeros(cls, n_problems: int) -> Tally:
        """Return an empty tally."""
        return cls(np.zeros(n_problems, dtype=int), *np.zeros((2, n_problems)))


class BlockSize:
    """Number of rows to take at once: many where mistakes are rare.

    Parameters
    ----------
    n_features, n_functions : int
        Both make a mistake more expensive.
    largest : int
        Upper bound.
    """

    def __init__(self, n_features: int, n_functions: int, largest: int) -> None:
        self._row = _FEATURE * n_features + _MARGIN * n_functions
        self._largest = largest
        self._density = 0.5

    def rows(self) -> int:
        """Return the size that costs least if mistakes come as they came lately."""
        # Of n rows, each costs _BLOCK / n + density * n / 2 * self._row.
        best = math.sqrt(2.0 * _BLOCK / (self._density * self._row))
        return int(min(max(best, _SMALLEST), self._largest))

    def saw(self, mistakes: int, rows: int) -> None:
        """Learn from a block."""
        self._density = 0.5 * (self._density + (mistakes + 0.1) / rows)


class BlockPass:
    """Passes over samples without an l1 penalty.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_samples, n_features)
        The samples; a sparse matrix in canonical CSR.
    rule : Rule
        The step.
    n_functions : int
        Number of linear functions.
    penalties : bool, default=False
        Whether to sum up the penalty for the objective.
    sums_are_exact : bool, default=False
        Whether sums come out the same in any order, so that ties need no care.
    """

    def __init__(
        self,
        X: Any,
        rule: Rule,
        n_functions: int,
        penalties: bool = False,
        sums_are_exact: bool = False,
    ) -> None:
        largest = _largest_block(rule.shrink)
        self.source = rows_of(X)
        self.tables = Tables(rule, largest)
        self.size = BlockSize(X.shape[1], n_functions, largest)
        self.penalties = penalties and rule.shrink != 1.0
        self._is_sparse = sparse.issparse(X)
        self._ties = Ties(X) if rule.rests and not sums_are_exact else None

    def run(
        self,
        state: State,
        targets: RowTargets,
        order: Array | None = None,
        pocket: Pocket | None = None,
    ) -> Tally:
        """Pass over the samples once and change `state` in place.

        Parameters
        ----------
        state : State
            Where to start, and the result.
        targets : BinaryRows, OneVsRestRows or JointRows
            Those of all samples.
        order : ndarray of int or None, default=None
            The samples to visit in their order; None visits all as they are.
        pocket : Pocket or None, default=None
            Keeps the best weights of long runs without a mistake.

        Returns
        -------
        tally : Tally
            Mistakes and losses of each problem.
        """
        tally = Tally.zeros(targets.n_problems)
        if self._ties is not None:
            self._ties.begin(state.weights)
        n = self.source.X.shape[0] if order is None else len(order)
        start = 0
        while start < n:
            stop = min(n, start + self._rows(state))
            rows = slice(start, stop) if order is None else order[start:stop]
            settled = self._settle(state, targets.take(rows), rows)
            if self._ties is not None:
                settled = self._ties.decide(state.weights, settled)
            if pocket is not None:
                pocket.look(state.weights, settled)
            self._learn(state, settled, tally)
            start += settled.block.n_rows
        return tally

    def _rows(self, state: State) -> int:
        rows = self.size.rows()
        waiting = 0 if state.average is None else state.average.waiting
        return min(rows, waiting) if waiting else rows

    def _settle(self, state: State, targets: RowTargets, rows: Any) -> Settled:
        block = self.source.block(rows, self.tables)
        margins = targets.margins(block.scores(state.weights))
        mistakes = settle(margins, block, targets)
        self.size.saw(len(mistakes), block.n_rows)
        wrong = np.array(mistakes, dtype=int)
        return Settled(block, targets, margins, wrong, targets.updates(margins, wrong))

    def _learn(self, state: State, settled: Settled, tally: Tally) -> None:
        """Count the mistakes of a block and take the state behind it."""
        block, rows, updates = settled.block, settled.rows, settled.updates
        if len(rows):
            tally.mistakes += settled.targets.count(updates)
            tally.losses += settled.targets.losses(settled.margins[rows])
        if state.average is not None:
            self._accumulate(state.average, state, settled)
        if len(rows) or self.tables.shrinks:
            self._advance(state, settled, tally)

    def _accumulate(self, average: Average, state: State, settled: Settled) -> None:
        block = settled.block
        if not average.waiting:
            block.accumulate(
                average.total, state.weights, settled.rows, settled.updates
            )
        average.seen += block.n_rows

    def _advance(self, state: State, settled: Settled, tally: Tally) -> None:
        block, weights = settled.block, state.weights
        # as scikit-learn, for its number of epochs; see tests/parity
        over_supports = self._is_sparse and len(tally.losses) == len(weights.coef)
        l2 = self.tables.rule.l2 if self.penalties else 0.0
        if l2 and not over_supports:
            tally.penalties += l2 * squares_before(weights, settled, len(tally.losses))
        block.advance(weights, settled.rows, settled.updates, block.n_rows)
        if l2 and over_supports:
            tally.penalties += l2 * squares_over_supports(state.norms.squares, settled)


def settle(margins: Array, block: Block, targets: RowTargets) -> list[int]:
    """Bring each row's margins to what they are at its turn; return the mistakes.

    Parameters
    ----------
    margins : ndarray of shape (n_rows,) or (n_rows, n_functions)
        Margins under the weights before the block, changed in place.
    block : Block
        The rows.
    targets : BinaryRows, OneVsRestRows or JointRows
        Their targets.

    Returns
    -------
    rows : list of int
        Rows with a margin that is not positive, in their order.
    """
    width = margins[0].size
    rows: list[int] = []
    after, ahead = 0, margins
    while True:
        wrong = np.less_equal(ahead, _ZERO)
        first = wrong.argmax()
        if not wrong.item(first):
            return rows
        row = after + int(first) // width
        rows.append(row)
        after = row + 1
        if after == len(margins):
            return rows
        ahead = margins[after:]
        ahead += targets.spread(margins, row, block.kernel(row))


def _largest_block(shrink: float) -> int:
    """Return the rows over which powers of the factor keep all their digits."""
    if shrink in (0.0, 1.0):
        return _LARGEST if shrink else 1
    return int(min(max(math.log(1e-9) / math.log(shrink), 1), _LARGEST))
